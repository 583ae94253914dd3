import { TidemarkError } from '../errors.js'
import { type FieldKind, type Fields, kindOf } from '../schema/index.js'
import type { LiveDocument } from './live-documents.js'
import type { OpenDocument } from './types.js'

/** A live document with its types by the names of their fields. */
export function openDocument(
  live: LiveDocument,
  collection: string,
  fields: Fields,
): OpenDocument<Fields> {
  function known(field: string, kind: FieldKind): string {
    const definition = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (definition !== undefined && kindOf(definition) === kind) return field
    throw new TidemarkError(
      'value-invalid',
      `${collection} has no ${kind} field "${field}". Fields of kind ${kind}: ${namesOf(fields, kind)}.`,
      { path: [collection, field] },
    )
  }
  return {
    get doc() {
      return live.doc
    },
    text: (field) => live.doc.getText(known(field, 'text')),
    list: (field) => live.doc.getArray(known(field, 'list')),
    xml: (field) => live.doc.getXmlFragment(known(field, 'xml')),
    onReset: (listener) => live.onReset(listener),
    flush: () => live.flush(),
    close: () => live.close(),
  }
}

function namesOf(fields: Fields, kind: FieldKind): string {
  const names = Object.entries(fields)
    .filter(([, field]) => kindOf(field) === kind)
    .map(([name]) => name)
  return names.length === 0 ? 'none' : names.join(', ')
}
