import { useEffect, useRef } from 'react'

/** By key, as `KeyboardEvent.key` names it but in small letters; `mod+k` for Ctrl or ⌘ with a letter. */
export type Shortcuts = Readonly<Record<string, (() => void) | undefined>>

/**
 * Keys that work on the whole page: not while somebody types, not behind an open dialog, and never
 * instead of what the browser or a button does with a key.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey) return
      const mod = event.ctrlKey || event.metaKey
      const key = mod ? `mod+${event.key.toLowerCase()}` : event.key.toLowerCase()
      if (document.querySelector('dialog[open]') !== null) return
      // In a text field only the search shortcut means us: Ctrl+Z there undoes typing.
      if (isTyping(event.target) && key !== 'mod+k') return
      const action = latest.current[key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [])
}

/** True for an element that takes text. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=radio]), textarea, select'))
  )
}

const isApple = /mac|iphone|ipad/i.test(navigator.platform)

/** Shown wherever shortcuts are named. */
export const SHORTCUTS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['/', isApple ? '⌘ K' : 'Ctrl K'], does: 'Search' },
  { keys: ['n'], does: 'New bookmark' },
  { keys: ['j', '↓'], does: 'Next' },
  { keys: ['k', '↑'], does: 'Previous' },
  { keys: ['Enter'], does: 'Open the page' },
  { keys: ['e'], does: 'Edit' },
  { keys: ['Delete'], does: 'Delete' },
  { keys: [isApple ? '⌘ Z' : 'Ctrl Z'], does: 'Undo deleting' },
  { keys: ['?'], does: 'These shortcuts' },
]
