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
import { type FieldKind, type Fields, kindOf } from './fields.js'

/** How a field is stored. Told from what is stored, too: older and newer versions have fields that this one doesn't. */
type Shape = 'value' | 'set' | 'counter' | 'shared'

const SHAPES: Readonly<Record<FieldKind, Shape>> = {
  value: 'value',
  blob: 'value',
  set: 'set',
  counter: 'counter',
  text: 'shared',
  list: 'shared',
  xml: 'shared',
}

/** An entity's values by field, whichever version knows them, to be read and changed by migrations. */
export interface PlainValues {
  /** Frozen. What nobody wrote, an empty set and a counter at 0 are missing, so that it is the same for every version. */
  readonly current: Readonly<Record<string, StorableValue>>
  /** @throws Error for what the field can't hold. */
  assign(name: string, value: StorableValue): void
  /** The registers with what was assigned. */
  registers(): Record<string, StorableValue>
}

export function plainValues(view: EntityView, fields: Fields): PlainValues {
  const shapes = shapesIn(view)
  const values = { ...view.values }
  const assigned = new Map<string, StorableValue>()
  let current: Record<string, StorableValue> = {}
  for (const [name, stored] of shapes) {
    const wanted = shapeOf(name)
    const value = read(view, name, stored.includes(wanted) ? wanted : (stored[0] ?? wanted))
    if (value !== undefined) current[name] = frozen(value)
  }

  /** How this version stores a field, which an older one may have stored otherwise. */
  function shapeOf(name: string): Shape {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    return field === undefined ? (shapes.get(name)?.[0] ?? 'value') : SHAPES[kindOf(field)]
  }

  function write(name: string, value: StorableValue): void {
    switch (shapeOf(name)) {
      case 'value':
        values[name] = value
        return
      case 'set': {
        const elements = value as readonly string[]
        for (const element of setElements(view, name))
          if (!elements.includes(element)) delete values[`${name}:${element}`]
        for (const element of elements) values[`${name}:${element}`] ??= true
        return
      }
      case 'counter': {
        const by = Number(value) - counterValue(view, name)
        // No increment: two devices that migrate at once would both count. This register they set to the same.
        const key = `${name}:${SCHEMA_FIELD}`
        if (by !== 0) values[key] = Number(values[key] ?? 0) + by
        return
      }
      case 'shared':
    }
  }

  return {
    get current() {
      return Object.freeze(current)
    },
    assign(name, value) {
      if (!isFieldName(name)) throw new Error(`"${name}" can't be the name of a field`)
      const shape = shapeOf(name)
      let plain = value
      if (shape === 'set') plain = elementsOf(name, value)
      else if (shape === 'counter' && !Number.isSafeInteger(value))
        throw new Error(`${name} is a counter and takes whole numbers`)
      else if (shape === 'shared' && !sameValue(value, current[name]))
        // Letters merge one by one: two devices that migrate at once would write them twice.
        throw new Error(`${name} is a text, a list or XML, which only people change`)
      assigned.set(name, plain)
      current = { ...current, [name]: plain }
      if (isNothing(shape, plain)) delete current[name]
    },
    registers() {
      for (const [name, value] of assigned) write(name, value)
      return values
    },
  }
}

/** By field, how it is stored; several ways where its kind has changed, the likeliest first. */
function shapesIn({ values, shared = {} }: EntityView): Map<string, Shape[]> {
  const shapes = new Map<string, Shape[]>()
  function add(name: string, shape: Shape): void {
    if (!isFieldName(name)) return
    const known = shapes.get(name) ?? []
    if (!known.includes(shape))
      shapes.set(name, shape === 'value' ? [shape, ...known] : [...known, shape])
  }
  for (const [key, value] of Object.entries(values)) {
    const colon = key.indexOf(':')
    if (colon < 0) add(key, 'value')
    else add(key.slice(0, colon), typeof value === 'number' ? 'counter' : 'set')
  }
  for (const name of Object.keys(shared)) add(name, 'shared')
  return shapes
}

function read(view: EntityView, name: string, shape: Shape): StorableValue {
  switch (shape) {
    case 'value':
      return view.values[name]
    case 'set':
      return setElements(view, name)
    case 'counter':
      return counterValue(view, name) || undefined
    case 'shared':
      return view.shared?.[name] as StorableValue
  }
}

function isNothing(shape: Shape, value: StorableValue): boolean {
  return shape === 'counter'
    ? value === 0
    : shape === 'set' && Array.isArray(value) && value.length === 0
}

function elementsOf(name: string, value: StorableValue): StorableValue {
  const isElement = (element: unknown): boolean =>
    typeof element === 'string' && isRegisterKey(`${name}:${element}`)
  if (!Array.isArray(value) || !value.every(isElement))
    throw new Error(`${name} is a set and takes a list of strings of 512 characters at most`)
  return frozen([...new Set(value as readonly string[])].sort())
}
