/** Who opens which space, and where the relay is: all of it from the address of the page. */
export interface Session {
  readonly user: string
  readonly space: string
  /** Of the relay's websocket. */
  readonly url: string
}

/**
 * `?space=` and `?user=`, or the space `bookmarks` and a name that this browser keeps. Two browsers with
 * neither see the same bookmarks, as two people.
 */
export function readSession(
  location: Pick<Location, 'search' | 'protocol' | 'host'>,
  storage: () => Pick<Storage, 'getItem' | 'setItem'>,
): Session {
  const parameters = new URLSearchParams(location.search)
  return {
    user: parameters.get('user') || keptName(storage),
    space: parameters.get('space') || 'bookmarks',
    url: `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/`,
  }
}

const KEY = 'user'

function keptName(storage: () => Pick<Storage, 'getItem' | 'setItem'>): string {
  try {
    const kept = storage().getItem(KEY)
    if (kept !== null && kept !== '') return kept
    const name = newName()
    storage().setItem(KEY, name)
    return name
  } catch {
    return newName() // Storage is blocked: a name for as long as the page is open.
  }
}

const MOODS = ['calm', 'bright', 'quiet', 'early', 'gentle', 'swift', 'steady', 'patient']
const BIRDS = ['heron', 'plover', 'tern', 'curlew', 'avocet', 'egret', 'puffin', 'dunlin']

function newName(): string {
  const [mood = 0, bird = 0, number = 0] = crypto.getRandomValues(new Uint16Array(3))
  return `${MOODS[mood % MOODS.length]}-${BIRDS[bird % BIRDS.length]}-${number % 1000}`
}
