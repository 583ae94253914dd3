import { GlobalSyncIndicator, StoreProvider } from '@tidemark/react'
import type { JSX } from 'react'
import { Toaster } from 'sonner'
import { useReady } from '../hooks/use-ready.js'
import { useTheme } from '../hooks/use-theme.js'
import type { Session } from '../session.js'
import type { CardsStore } from '../store.js'
import { LibraryPage } from './library-page.js'
import { FailureBoundary, FailureScreen, LoadingScreen } from './start-screens.js'

export interface AppProps {
  readonly store: CardsStore
  readonly session: Session
}

/** The banner has the whole story. */
const SYNC_LABELS = { blocked: () => 'Changes aren’t synced' }

export function App({ store, session }: AppProps): JSX.Element {
  const readiness = useReady(store)
  const [theme, setTheme] = useTheme()
  if (readiness.phase === 'loading') return <LoadingScreen />
  if (readiness.phase === 'failed') return <FailureScreen error={readiness.error} />
  return (
    <FailureBoundary>
      <StoreProvider store={store}>
        <LibraryPage session={session} theme={theme} onTheme={setTheme} />
        <aside aria-label="Sync">
          <GlobalSyncIndicator labels={SYNC_LABELS} />
        </aside>
        <Toaster
          position="bottom-center"
          theme={theme}
          offset={{ bottom: 20 }}
          // Above the indicator, which has the lower right corner.
          mobileOffset={{ bottom: 72 }}
        />
      </StoreProvider>
    </FailureBoundary>
  )
}
