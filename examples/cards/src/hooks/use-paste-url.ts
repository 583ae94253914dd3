import { useEffect, useRef } from 'react'
import { toUrl } from '../bookmarks/url.js'
import { isTyping } from './use-shortcuts.js'

/** Calls `onUrl` for each address that is pasted while nobody is typing. */
export function usePasteUrl(onUrl: (url: string) => void): void {
  const latest = useRef(onUrl)
  useEffect(() => {
    latest.current = onUrl
  })
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
      const text = event.clipboardData?.getData('text/plain') ?? ''
      for (const word of new Set(text.split(/\s+/))) {
        const url = toUrl(word)
        if (url !== undefined) latest.current(url)
      }
    }
    document.addEventListener('paste', onPaste)
    return () => document.removeEventListener('paste', onPaste)
  }, [])
}
