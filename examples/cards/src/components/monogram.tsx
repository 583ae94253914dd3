import type { CSSProperties, JSX } from 'react'

/** A letter in a tint that belongs to the name: told apart at a glance, and nothing is fetched for it. */
export function Monogram({ name }: { readonly name: string }): JSX.Element {
  const letter = /[\p{L}\p{N}]/u.exec(name)?.[0] ?? '·'
  const style = { '--hue': hueOf(name) } as CSSProperties
  return (
    <span className="monogram" style={style} aria-hidden="true">
      {letter.toLocaleUpperCase()}
    </span>
  )
}

/** One of 24 hues: closer ones can't be told apart in a tint this faint. */
function hueOf(name: string): number {
  let hash = 0
  for (let index = 0; index < name.length; index++) {
    hash = (Math.imul(hash, 31) + name.charCodeAt(index)) | 0
  }
  return (Math.abs(hash) % 24) * 15
}
