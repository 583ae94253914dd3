import { useStore } from '@tidemark/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type ImportProgress, runImport } from '../bookmarks/run-import.js'
import type { CardsStore } from '../store.js'

export interface Import {
  /** Of the import that runs or was the last one; undefined when there is nothing to show. */
  readonly progress: ImportProgress | undefined
  /** Does nothing while another import runs. */
  start(file: File): void
  cancel(): void
  /** Stops showing the last import. What it added goes on syncing. */
  dismiss(): void
}

export function isRunning(progress: ImportProgress | undefined): boolean {
  return progress !== undefined && ['reading', 'adding', 'saving'].includes(progress.phase)
}

/** Imports bookmark files, one at a time. Progress comes at the pace of frames. */
export function useImport(): Import {
  const { cards } = useStore<CardsStore>()
  const [progress, setProgress] = useState<ImportProgress>()
  const shown = useRef<AbortController>(undefined)
  const running = useRef(false)

  const start = useCallback(
    (file: File) => {
      if (running.current) return
      running.current = true
      const control = new AbortController()
      shown.current = control
      let latest: ImportProgress | undefined
      let scheduled = false
      const show = () => {
        scheduled = false
        if (shown.current === control) setProgress(latest)
      }
      void runImport({
        file,
        target: {
          present: () => cards.query().current,
          insert: (bookmark) =>
            cards.insert({ ...bookmark, addedAt: bookmark.addedAt ?? Date.now() }),
        },
        signal: control.signal,
        now: () => performance.now(),
        pause: nextTask,
        onProgress: (next) => {
          latest = next
          if (!scheduled) requestAnimationFrame(show)
          scheduled = true
        },
      }).finally(() => {
        running.current = false
      })
    },
    [cards],
  )
  const cancel = useCallback(() => shown.current?.abort(), [])
  const dismiss = useCallback(() => {
    shown.current = undefined
    setProgress(undefined)
  }, [])
  useEffect(() => cancel, [cancel])

  return { progress, start, cancel, dismiss }
}

/** After what the page has to do: input, drawing. Unlike a timer, not slowed down in a hidden tab. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
