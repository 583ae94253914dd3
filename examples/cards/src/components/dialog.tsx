import { type JSX, type ReactNode, useEffect, useId, useLayoutEffect, useRef } from 'react'
import { Icon } from './icons.js'

export interface DialogProps {
  readonly title: string
  /** How it lies on the page. */
  readonly kind: 'panel' | 'window' | 'drawer'
  /** A click beside it closes it: for dialogs in which nothing can be lost. */
  readonly closesOnClickOutside?: boolean
  /** Escape, the close button, a click outside. The caller stops rendering the dialog. */
  readonly onClose: () => void
  readonly children: ReactNode
}

/**
 * A modal `<dialog>`, open for as long as it is rendered. The browser keeps the focus inside, closes it
 * with Escape, and gives the focus back to where it was. `data-autofocus` marks what has it first.
 */
export function Dialog(props: DialogProps): JSX.Element {
  const { title, kind, closesOnClickOutside = false, onClose, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const close = useRef(onClose)
  useEffect(() => {
    close.current = onClose
  })

  // In a layout effect, because focus goes back only if the dialog is closed before it is removed.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element === null) return
    const onClosed = () => {
      if (!element.open) close.current()
    }
    element.setAttribute('closedby', closesOnClickOutside ? 'any' : 'closerequest')
    element.addEventListener('close', onClosed)
    element.showModal()
    element.querySelector<HTMLElement>('[data-autofocus]')?.focus()
    return () => {
      element.removeEventListener('close', onClosed)
      element.close()
    }
  }, [closesOnClickOutside])

  return (
    <dialog ref={dialog} className={`dialog dialog-${kind}`} aria-labelledby={heading}>
      <div className="dialog-header">
        <h2 id={heading}>{title}</h2>
        <button
          type="button"
          className="button button-icon"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  )
}
