import type { CSSProperties, HTMLAttributes, JSX } from 'react'

/** Inline, because it has to work without the stylesheet too: a badge is an icon, not a sentence. */
const HIDDEN: CSSProperties = {
  position: 'absolute',
  width: 1,
  height: 1,
  margin: -1,
  padding: 0,
  border: 0,
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
}

/** Text for screen readers only. */
export function VisuallyHidden(props: HTMLAttributes<HTMLSpanElement>): JSX.Element {
  return <span {...props} style={HIDDEN} />
}
