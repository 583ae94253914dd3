import type { JSX } from 'react'
import type { Theme } from '../hooks/use-theme.js'
import type { Session } from '../session.js'
import { Icon } from './icons.js'
import { TagList, type TagListProps } from './tag-list.js'
import { ThemeChoice } from './theme-choice.js'

export interface SidebarProps extends TagListProps {
  /** Where it stands: beside the list, or in a drawer over it. */
  readonly place: 'side' | 'drawer'
  readonly session: Session
  readonly theme: Theme
  readonly onTheme: (theme: Theme) => void
  readonly onImport: () => void
  readonly isImporting: boolean
  readonly onExport: () => void
  readonly onShortcuts: () => void
}

/** Tags, and what is done seldom. */
export function Sidebar(props: SidebarProps): JSX.Element {
  const { place, session, theme, onTheme, onShortcuts, ...others } = props
  const { onImport, isImporting, onExport, ...tags } = others
  return (
    <div className="sidebar">
      <TagList {...tags} />
      <div className="sidebar-tools">
        <button type="button" className="tool" onClick={onImport} disabled={isImporting}>
          <Icon name="import" /> Import…
        </button>
        <button type="button" className="tool" onClick={onExport} disabled={tags.total === 0}>
          <Icon name="export" /> Export
        </button>
        <button type="button" className="tool tool-keyboard" onClick={onShortcuts}>
          <Icon name="keyboard" /> Shortcuts
        </button>
        <ThemeChoice theme={theme} onTheme={onTheme} name={`theme-${place}`} />
        <p className="sidebar-session">
          {session.user} in <b>{session.space}</b>
        </p>
      </div>
    </div>
  )
}
