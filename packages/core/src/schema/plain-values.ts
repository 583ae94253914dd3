import {
  counterValue,
  type EntityView,
  frozen,
  isFieldName,
  isRegisterKey,
  SCHEMA_FIELD,
  type StorableValue,
  sameValue,
  setElements,
} from '../entity/index.js'
import { type Fields, kindOf } from './fields.js'

/** How a field is stored. */
type Shape = 'value' | 'set' | 'counter' | 'shared'

const SHAPES: readonly Shape[] = ['value', 'set', 'counter', 'shared']

type Registers = Record<string, StorableValue>

/**
 * An entity's values by field, frozen: those of older and newer versions too, which are told by how they are stored. What nobody
 * wrote, an empty set and a counter at 0 are missing, so that it is the same whichever version looks.
 */
export function plainOf(view: EntityView, fields: Fields): Readonly<Registers> {
  const plain: Registers = {}
  const keys = [...Object.keys(view.values), ...Object.keys(view.shared ?? {})]
  for (const name of new Set(keys.map((key) => key.replace(/:.*/s, '')))) {
    if (!isFieldName(name)) continue
    const own = shapeIn(fields, name)
    // As this version has it, if it is there like that: a field may have changed its kind.
    const value = (own && read(view, name, own)) ?? read(view, name, storedAs(view, name))
    if (value !== undefined) plain[name] = frozen(value)
  }
  return plain
}

/**
 * The entity with other values.
 *
 * @throws Error for what a field can't hold.
 */
export function withPlain(
  view: EntityView,
  fields: Fields,
  plain: Readonly<Registers>,
): EntityView {
  const values = { ...view.values }
  for (const [name, value] of Object.entries(plain)) {
    if (name === 'id') continue
    if (!isFieldName(name)) throw new Error(`"${name}" can't be the name of a field`)
    switch (shapeIn(fields, name) ?? storedAs(view, name)) {
      case 'value':
        values[name] = value
        break
      case 'set':
        if (!Array.isArray(value) || !value.every((element) => isElement(name, element)))
          throw new Error(`${name} is a set and takes short strings`)
        for (const element of setElements(view, name))
          if (!value.includes(element)) delete values[`${name}:${element}`]
        for (const element of value) values[`${name}:${element}`] = true
        break
      case 'counter': {
        if (!Number.isSafeInteger(value))
          throw new Error(`${name} is a counter and takes whole numbers`)
        const by = Number(value) - counterValue(view, name)
        // No increment: two devices that migrate at once would both count. This register they set to the same.
        const key = `${name}:${SCHEMA_FIELD}`
        if (by !== 0) values[key] = Number(values[key] ?? 0) + by
        break
      }
      case 'shared':
        // Letters merge one by one: two devices that migrate at once would write them twice.
        if (!sameValue(value, plainOf(view, fields)[name]))
          throw new Error(`${name} is a text, a list or XML, which only people change`)
    }
  }
  return { ...view, values }
}

function isElement(name: string, element: unknown): boolean {
  return typeof element === 'string' && isRegisterKey(`${name}:${element}`)
}

/** How this version stores a field; undefined for one that it doesn't have. */
function shapeIn(fields: Fields, name: string): Shape | undefined {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field === undefined) return undefined
  const kind = kindOf(field)
  if (kind === 'blob') return 'value'
  return SHAPES.find((shape) => shape === kind) ?? 'shared'
}

/** How a field is stored, whichever version it is of. */
function storedAs(view: EntityView, name: string): Shape {
  return SHAPES.find((shape) => read(view, name, shape) !== undefined) ?? 'value'
}

function read(view: EntityView, name: string, shape: Shape): StorableValue {
  switch (shape) {
    case 'value':
      return view.values[name]
    case 'set': {
      const elements = setElements(view, name).filter(
        (element) => view.values[`${name}:${element}`] === true,
      )
      return elements.length > 0 ? elements : undefined
    }
    case 'counter':
      return counterValue(view, name) || undefined
    case 'shared':
      return view.shared?.[name] as StorableValue
  }
}
