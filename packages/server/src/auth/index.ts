/**
 * Tokens: checking and signing JSON Web Tokens. At the rim, since published keys are fetched. May import `relay` for what an
 * identity is, and `errors.ts`.
 */
export { createJwtAuthenticator } from './jwt.js'
export { checkJwtOptions, type JwtOptions } from './jwt-options.js'
export { signToken, type TokenRequest } from './token.js'
