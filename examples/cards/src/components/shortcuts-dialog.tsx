import type { JSX } from 'react'
import { SHORTCUTS } from '../hooks/use-shortcuts.js'
import { Dialog } from './dialog.js'

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Shortcuts" kind="window" closesOnClickOutside onClose={onClose}>
      <dl className="shortcuts">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <dt>{does}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <p className="dialog-note">
        Paste an address anywhere on the page to add it. Drop a bookmark file to import it.
      </p>
    </Dialog>
  )
}
