import * as z from 'zod'
import { checkJwtOptions } from '../auth/index.js'
import { configInvalid } from '../errors.js'
import { DEFAULT_LIMITS } from '../relay/index.js'
import type { RelayConfig } from './define-config.js'

const isFunction = (value: unknown): boolean => typeof value === 'function'
const text = z.string().min(1)
const texts = z.union([text, z.array(text).min(1)])

const jwt = z.strictObject({
  secret: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
  jwks: z.union([text, z.instanceof(URL)]).optional(),
  algorithms: z.array(text).optional(),
  issuer: texts.optional(),
  audience: texts.optional(),
  userClaim: text.optional(),
  spacesClaim: text.optional(),
})

const limits = z.strictObject(
  Object.fromEntries(
    Object.keys(DEFAULT_LIMITS).map((name) => [name, z.number().positive().optional()]),
  ),
)

const config = z.strictObject({
  port: z.number().int().min(0).max(65_535).optional(),
  host: text.optional(),
  data: text.optional(),
  public: text.optional(),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).optional(),
  // Looked at by hand: a union would tell nobody which of its two ways is wrong, and how.
  auth: z.unknown().optional(),
  authorize: z.custom(isFunction, 'is no function').optional(),
  schema: z
    .custom(
      (value) => typeof value === 'object' && value !== null && 'collections' in value,
      'is no schema; make one with defineSchema of @tidemark/core',
    )
    .optional(),
  origins: z
    .array(z.string().refine(isOrigin, 'is no origin; it looks like https://app.example'))
    .optional(),
  trustProxy: z.array(text).optional(),
  limits: limits.optional(),
})

/** Exactly what a browser sends, so that comparing is enough. */
function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value
}

/** @throws RelayStartError `config-invalid` naming the key */
export function checkConfig(value: unknown): RelayConfig {
  const checked = parse(config, value, [])
  const { auth } = checked
  if (auth !== undefined && !isFunction(auth)) {
    const options = parse(z.strictObject({ jwt }), auth, ['auth'])
    checkJwtOptions(options.jwt as Parameters<typeof checkJwtOptions>[0], 'auth.jwt')
  }
  return checked as RelayConfig
}

function parse<T>(schema: z.ZodType<T>, value: unknown, path: readonly string[]): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const key = [...path, ...(issue?.path ?? []), ...unknown].map(String).join('.')
  const what = unknown.length > 0 ? 'is unknown' : `can't be used: ${issue?.message ?? 'invalid'}`
  throw configInvalid(key === '' ? 'config' : key, what)
}
