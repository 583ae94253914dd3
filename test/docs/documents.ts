import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

export const DOCUMENTS: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/architecture.md',
  'docs/authentication.md',
  'docs/benchmarks.md',
  'docs/durability.md',
  'docs/guarantees.md',
  'docs/laws.md',
  'docs/limits.md',
  'docs/presence.md',
  'docs/operations.md',
  'docs/protocol.md',
  'docs/schema.md',
  'docs/threat-model.md',
  'docs/yjs-clients.md',
  'examples/cards/README.md',
]

export function read(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8')
}

/** The fenced blocks of a document in one language. */
export function codeBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)
  return [...blocks].filter(([, name]) => name === language).map(([, , code]) => code ?? '')
}

/** Targets of links that point into the repository. */
export function localLinks(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^(https?:|mailto:|#)/.test(target))
}

/** What docs/guarantees.md and docs/laws.md cite: a test file and the name of a test in it. */
export function citedTests(markdown: string): { readonly file: string; readonly name: string }[] {
  return [...markdown.matchAll(/`([^`\s]+\.test\.tsx?)`:\s+"([^"]+)"/g)].map(([, file, name]) => ({
    file: file ?? '',
    name: name ?? '',
  }))
}

/** Files of the repository that a document names in backticks. */
export function namedFiles(markdown: string): string[] {
  const named = markdown.matchAll(/`((?:packages|test|examples|deploy)\/[^`\s]+\.[a-z]+)`/g)
  return [...named].map(([, path]) => path ?? '')
}

/** The sections of docs/laws.md, one a law. */
export function laws(markdown: string): { readonly id: string; readonly text: string }[] {
  const [, ...sections] = markdown.split(/^### /m)
  return sections.map((text) => ({ id: text.slice(0, text.indexOf(':')), text }))
}
