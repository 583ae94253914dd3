import { useStore } from '@tidemark/react'
import { type ChangeEvent, type JSX, useCallback, useRef, useState } from 'react'
import { useCardActions } from '../hooks/use-card-actions.js'
import { useFileDrop } from '../hooks/use-file-drop.js'
import { isRunning, useImport } from '../hooks/use-import.js'
import { useLibrary } from '../hooks/use-library.js'
import { usePasteUrl } from '../hooks/use-paste-url.js'
import { useShortcuts } from '../hooks/use-shortcuts.js'
import type { Theme } from '../hooks/use-theme.js'
import { downloadBookmarks } from '../library/download.js'
import { EVERYTHING, isFiltered, type View } from '../library/view.js'
import type { Session } from '../session.js'
import type { Card, CardsStore } from '../store.js'
import { AddDialog, EditDialog } from './card-dialog.js'
import { CardList, type CardListHandle } from './card-list.js'
import { ConnectionBanner } from './connection-banner.js'
import { Dialog } from './dialog.js'
import { EmptyLibrary, NothingFound } from './empty-states.js'
import { FailedChanges } from './failed-changes.js'
import { ImportPanel } from './import-panel.js'
import { ListHeading } from './list-heading.js'
import { ShortcutsDialog } from './shortcuts-dialog.js'
import { Sidebar, type SidebarProps } from './sidebar.js'
import { TagChips } from './tag-list.js'
import { Toolbar } from './toolbar.js'

export interface LibraryPageProps {
  readonly session: Session
  readonly theme: Theme
  readonly onTheme: (theme: Theme) => void
}

type OpenDialog =
  | { readonly kind: 'add' | 'shortcuts' | 'menu' }
  | { readonly kind: 'edit'; readonly card: Card }

/** The whole page: what is shown of the library, which dialog is open, and who does what. */
export function LibraryPage({ session, theme, onTheme }: LibraryPageProps): JSX.Element {
  const { cards: collection } = useStore<CardsStore>()
  const [view, setView] = useState<View>(EVERYTHING)
  const [dialog, setDialog] = useState<OpenDialog>()
  const library = useLibrary(view)
  const imports = useImport()
  const list = useRef<CardListHandle>(null)
  const searchField = useRef<HTMLInputElement>(null)
  const fileField = useRef<HTMLInputElement>(null)

  const closeDialog = useCallback(() => setDialog(undefined), [])
  const edit = useCallback(
    (id: string) => {
      const card = collection.get(id)
      if (card !== undefined) setDialog({ kind: 'edit', card })
    },
    [collection],
  )
  const { add, addExamples, addUrl, change, remove, undoRemove } = useCardActions(edit)

  const changeView = useCallback((part: Partial<View>) => {
    setView((before) => ({ ...before, ...part }))
    window.scrollTo({ top: 0 })
  }, [])
  const showTag = useCallback((tag: View['tag']) => changeView({ tag }), [changeView])

  usePasteUrl(addUrl)
  const isDropping = useFileDrop(imports.start)
  useShortcuts({
    'mod+k': focusSearch,
    '/': focusSearch,
    n: () => setDialog({ kind: 'add' }),
    '?': () => setDialog({ kind: 'shortcuts' }),
    'mod+z': undoRemove,
    j: () => list.current?.move(1),
    k: () => list.current?.move(-1),
    arrowdown: () => list.current?.move(1),
    arrowup: () => list.current?.move(-1),
    home: () => list.current?.moveTo('first'),
    end: () => list.current?.moveTo('last'),
    e: onFocused(({ id }) => edit(id)),
    delete: onFocused((card) => list.current?.remove(card)),
    backspace: onFocused((card) => list.current?.remove(card)),
  })

  function onFocused(act: (card: Card) => void): () => void {
    return () => {
      const card = list.current?.focused
      if (card !== undefined) act(card)
    }
  }

  function focusSearch(): void {
    searchField.current?.focus()
    searchField.current?.select()
  }

  function onFile(event: ChangeEvent<HTMLInputElement>): void {
    const file = event.target.files?.[0]
    event.target.value = '' // The same file may be chosen again.
    if (file !== undefined) imports.start(file)
  }

  const chooseFile = () => fileField.current?.click()
  const sidebar: Omit<SidebarProps, 'place'> = {
    ...{ session, theme, onTheme },
    ...{ tags: library.tags, total: library.total, untagged: library.untagged },
    selected: view.tag,
    onSelect: showTag,
    onImport: chooseFile,
    isImporting: isRunning(imports.progress),
    onExport: () => downloadBookmarks(collection.query().current, new Date()),
    onShortcuts: () => setDialog({ kind: 'shortcuts' }),
  }
  const isEmpty = library.total === 0
  /** For what is chosen in the drawer: the drawer has done its work then. */
  const closing =
    <Arguments extends unknown[]>(act: (...given: Arguments) => void) =>
    (...given: Arguments) => {
      closeDialog()
      act(...given)
    }

  return (
    <div className="page" data-dropping={isDropping}>
      <aside className="page-side">
        <p className="brand">Bookmarks</p>
        <Sidebar {...sidebar} place="side" />
      </aside>
      <div className="page-main">
        <Toolbar
          view={view}
          onView={changeView}
          searchField={searchField}
          onAdd={() => setDialog({ kind: 'add' })}
          onMenu={() => setDialog({ kind: 'menu' })}
          onEnterList={() => list.current?.move(0)}
        />
        <main>
          <ConnectionBanner />
          <FailedChanges />
          {imports.progress !== undefined && (
            <ImportPanel {...imports} progress={imports.progress} />
          )}
          {isEmpty ? (
            imports.progress === undefined && (
              <EmptyLibrary
                onAdd={() => setDialog({ kind: 'add' })}
                onImport={chooseFile}
                onExamples={addExamples}
              />
            )
          ) : (
            <>
              <TagChips {...sidebar} />
              <ListHeading
                view={view}
                shown={library.cards.length}
                total={library.total}
                onClear={() => changeView({ search: '', tag: undefined })}
              />
              {library.cards.length === 0 && isFiltered(view) ? (
                <NothingFound
                  view={view}
                  onClear={() => changeView({ search: '', tag: undefined })}
                />
              ) : (
                <CardList
                  ref={list}
                  cards={library.cards}
                  onEdit={edit}
                  onRemove={remove}
                  onTag={showTag}
                />
              )}
            </>
          )}
          <input
            ref={fileField}
            className="visually-hidden"
            type="file"
            accept=".html,.htm,text/html"
            aria-label="Bookmark file to import"
            tabIndex={-1}
            data-testid="import-file"
            onChange={onFile}
          />
        </main>
      </div>
      {dialog?.kind === 'add' && (
        <AddDialog
          tags={library.tags}
          startTags={typeof view.tag === 'string' ? [view.tag] : []}
          onAdd={add}
          onClose={closeDialog}
        />
      )}
      {dialog?.kind === 'edit' && (
        <EditDialog
          key={dialog.card.id}
          card={dialog.card}
          tags={library.tags}
          onChange={(changed) => change(dialog.card.id, changed)}
          onRemove={closing(() => remove(dialog.card))}
          onClose={closeDialog}
        />
      )}
      {dialog?.kind === 'shortcuts' && <ShortcutsDialog onClose={closeDialog} />}
      {dialog?.kind === 'menu' && (
        <Dialog title="Bookmarks" kind="drawer" closesOnClickOutside onClose={closeDialog}>
          <Sidebar
            {...sidebar}
            place="drawer"
            onSelect={closing(showTag)}
            onImport={closing(chooseFile)}
            onExport={closing(sidebar.onExport)}
          />
        </Dialog>
      )}
    </div>
  )
}
