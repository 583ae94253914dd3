import { useEffect, useState } from 'react'

/** In milliseconds. Long enough for a screen reader to pick the text up, also after a long sentence. */
const ANNOUNCED_FOR = 5000

/**
 * The text for a live region: `text` as it was when `topic` last changed, then nothing. So a count that
 * runs from 30 down to 1 is said once, and no outdated count stays behind to be read later.
 */
export function useAnnouncement(text: string, topic: string): string {
  const [committed, setAnnounced] = useState({ text, topic })
  const announced = committed.topic === topic ? committed : { text, topic }
  if (announced !== committed) setAnnounced(announced)

  useEffect(() => {
    if (announced.text === '') return
    const timer = setTimeout(
      () => setAnnounced((current) => (current === announced ? { ...current, text: '' } : current)),
      ANNOUNCED_FOR,
    )
    return () => clearTimeout(timer)
  }, [announced])

  return announced.text
}
