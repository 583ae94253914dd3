export interface Random {
  /** `length` bytes fit for identifiers (a cryptographic source outside of tests). */
  bytes(length: number): Uint8Array
}
