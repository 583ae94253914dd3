import type { JSX } from 'react'

/** Outlines in a box of 20 by 20. */
const PATHS = {
  add: 'M10 4v12M4 10h12',
  close: 'M5 5l10 10M15 5L5 15',
  edit: 'M12.2 4.6l3.2 3.2M4 16l.8-3.6 8.3-8.3a1.6 1.6 0 0 1 2.3 0l.5.5a1.6 1.6 0 0 1 0 2.3L7.6 15.2z',
  export: 'M10 12V3.5M6.5 6.5L10 3l3.5 3.5M4 12v3a1.5 1.5 0 0 0 1.5 1.5h9A1.5 1.5 0 0 0 16 15v-3',
  import: 'M10 3v8.5M6.5 8.5L10 12l3.5-3.5M4 12v3a1.5 1.5 0 0 0 1.5 1.5h9A1.5 1.5 0 0 0 16 15v-3',
  keyboard:
    'M3.5 5.5h13a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM6 8.5h.01M8.7 8.5h.01M11.3 8.5h.01M14 8.5h.01M7 11.7h6',
  menu: 'M3.5 6h13M3.5 10h13M3.5 14h13',
  offline:
    'M6 15.3a3.4 3.4 0 0 1-.4-6.8M7.6 5.4a4.8 4.8 0 0 1 7 3.4 3.4 3.4 0 0 1 2.1 5.3M3 3l14 14',
  remove:
    'M4 6h12M8 6V4.2c0-.4.3-.7.7-.7h2.6c.4 0 .7.3.7.7V6M5.5 6l.7 9.3c0 .7.6 1.2 1.3 1.2h5c.7 0 1.3-.5 1.3-1.2L14.5 6',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l3.8 3.8',
  warning: 'M10 3l7.5 13.2h-15zM10 8v3.8M10 14v.2',
} as const

export type IconName = keyof typeof PATHS

/** An icon beside a label, or in a button that has one of its own: never the only name of anything. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg
      className="icon"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
