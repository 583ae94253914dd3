import type { JSX } from 'react'

/** What an icon says. `none` keeps the place of one, so that nothing moves when it comes back. */
export type IconName = 'none' | 'waiting' | 'busy' | 'done' | 'outdated' | 'failed' | 'offline'

/** Outlines in a box of 16 by 16. */
const PATHS: Readonly<Record<IconName, string | undefined>> = {
  none: undefined,
  waiting: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.8V8l2.2 1.6',
  busy: 'M14 8a6 6 0 1 1-4.2-5.7',
  done: 'M3 8.6l3.3 3.3L13 4.9',
  outdated: 'M13.4 6.2A5.8 5.8 0 1 0 13.8 9M13.8 2.6v3.8H10',
  failed: 'M8 2.2l6.2 11.2H1.8zM8 6.6v3M8 11.4v.3',
  offline: 'M4.9 12.6h6.4a2.6 2.6 0 0 0 .7-5.1 4 4 0 0 0-7.6-.9 3 3 0 0 0 .5 6M2.2 2.2l11.6 11.6',
}

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg
      className="tidemark-icon"
      data-icon={name}
      viewBox="0 0 16 16"
      width="1em"
      height="1em"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name] !== undefined && <path d={PATHS[name]} />}
    </svg>
  )
}
