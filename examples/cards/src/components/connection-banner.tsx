import { useSyncStatus } from '@tidemark/react'
import type { JSX } from 'react'
import { type ConnectionNotice, useConnectionNotice } from '../hooks/use-connection-notice.js'
import { Icon } from './icons.js'

const TEXTS: Readonly<Record<ConnectionNotice, readonly [title: string, text: string]>> = {
  offline: ['You’re offline.', 'Changes are kept on this device until you’re back.'],
  unreachable: ['The relay can’t be reached.', 'Changes are kept on this device until it answers.'],
  unauthorized: ['You’re signed out.', 'Changes are kept on this device until you sign in again.'],
  incompatible: [
    'This page is out of date.',
    'Changes are kept on this device. Reload to go on syncing.',
  ],
}

/** Says why nothing syncs and that nothing is lost by it; or, when that isn't true, that. */
export function ConnectionBanner(): JSX.Element {
  const notice = useConnectionNotice()
  const error = useSyncStatus((status) => status.error)
  return (
    <>
      <div role="status">
        {notice !== undefined && error === null && (
          <p className="banner" data-testid="offline-banner" data-reason={notice}>
            <Icon name="offline" />
            <span>
              <b>{TEXTS[notice][0]}</b> {TEXTS[notice][1]}
            </span>
          </p>
        )}
      </div>
      {error !== null && (
        <p className="banner" role="alert" data-testid="problem" data-problem="true">
          <Icon name="warning" />
          <span>
            <b>
              {error.code === 'storage-failed'
                ? 'Changes can’t be saved on this device.'
                : 'Nothing syncs at the moment.'}
            </b>{' '}
            {error.message}
          </span>
        </p>
      )}
    </>
  )
}
