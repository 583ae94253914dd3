/** What the generated bookmarks are about. */
export interface Topic {
  /** The folder and its parents, outermost first. */
  readonly path: readonly string[]
  readonly hosts: readonly string[]
  readonly subjects: readonly string[]
}

export const TOPICS: readonly Topic[] = [
  {
    path: ['Bookmarks bar'],
    hosts: ['news.ycombinator.com', 'lobste.rs', 'www.metafilter.com', 'www.theguardian.com'],
    subjects: ['Morning reading', 'The front page', 'Weather & tides', 'Library catalogue'],
  },
  {
    path: ['Bookmarks bar', 'Work', 'Databases'],
    hosts: ['www.sqlite.org', 'www.postgresql.org', 'use-the-index-luke.com', 'jepsen.io'],
    subjects: [
      'Write-ahead logging',
      'B-trees',
      'Snapshot isolation',
      'Query planning',
      'Vacuum & freeze',
      'Partial indexes',
      'Logical replication',
      'fsync() and its discontents',
    ],
  },
  {
    path: ['Bookmarks bar', 'Work', 'Distributed systems'],
    hosts: ['martin.kleppmann.com', 'www.inkandswitch.com', 'aphyr.com', 'crdt.tech'],
    subjects: [
      'Local-first software',
      'Hybrid logical clocks',
      'Vector clocks',
      'Consensus',
      'Idempotency keys',
      'Merkle trees',
      'Causal consistency',
      'Exactly-once, at least twice',
    ],
  },
  {
    path: ['Bookmarks bar', 'Work', 'Web platform'],
    hosts: ['developer.mozilla.org', 'web.dev', 'css-tricks.com', 'www.w3.org'],
    subjects: [
      'The <dialog> element',
      'Container queries',
      'IndexedDB transactions',
      'Service workers',
      'Focus & keyboard navigation',
      'View transitions',
      'Subgrid',
      'Intl.Collator',
    ],
  },
  {
    path: ['Bookmarks bar', 'Design'],
    hosts: ['practicaltypography.com', 'www.a11yproject.com', 'fonts.google.com', 'rsms.me'],
    subjects: [
      'Line length',
      'Tabular figures',
      'Colour contrast',
      'The “quiet” interface',
      'Icons or words?',
      'Grids',
      'Small multiples',
    ],
  },
  {
    path: ['Cooking', 'Bread'],
    hosts: ['www.theperfectloaf.com', 'www.kingarthurbaking.com', 'breadtopia.com'],
    subjects: ['Sourdough', 'Focaccia', 'Rye & caraway', 'Brioche', 'Pain d’épices', 'Baguettes'],
  },
  {
    path: ['Cooking', 'Soups & stews'],
    hosts: ['www.seriouseats.com', 'smittenkitchen.com', 'www.bbcgoodfood.com'],
    subjects: ['Miso soup', 'Ribollita', 'Borschtsch', 'Phở gà', 'Leek & potato', 'Caldo verde'],
  },
  {
    path: ['Travel', 'Japan'],
    hosts: ['www.japan-guide.com', 'www.jreast.co.jp', 'hyperdia.com'],
    subjects: ['京都の庭園', 'Night trains', 'Shikoku by bus', '温泉', 'Naoshima', 'Kumano Kodō'],
  },
  {
    path: ['Travel', 'Portugal'],
    hosts: ['www.visitportugal.com', 'www.cp.pt', 'www.walkaboutwanderer.com'],
    subjects: ['São Miguel', 'The Douro line', 'Évora', 'Rota Vicentina', 'Pastéis de nata'],
  },
  {
    path: ['Travel', 'By train'],
    hosts: ['www.seat61.com', 'www.bahn.de', 'www.sncf-connect.com'],
    subjects: ['Zürich → Wien', 'Paris–Barcelona', 'The sleeper to Stockholm', 'Glacier Express'],
  },
  {
    path: ['Reading', 'Essays'],
    hosts: ['www.newyorker.com', 'aeon.co', 'www.lrb.co.uk', 'granta.com', 'craigmod.com'],
    subjects: ['On walking', 'Attention', 'The commonplace book', 'Maintenance', 'Slow looking'],
  },
  {
    path: ['Reading', 'Science'],
    hosts: ['www.quantamagazine.org', 'arxiv.org', 'www.nature.com', 'www.nasa.gov'],
    subjects: ['Tides', 'Octopus sleep', 'Gravitational waves', 'Mycelium', 'Dark matter?', 'π'],
  },
  {
    path: ['Reading', 'History'],
    hosts: ['en.wikipedia.org', 'www.historytoday.com', 'publicdomainreview.org'],
    subjects: ['Antikythera', 'The Hanseatic League', 'Longitude', 'Ada Lovelace', 'Salt roads'],
  },
  {
    path: ['Home', 'Garden'],
    hosts: ['www.rhs.org.uk', 'www.gardenersworld.com', 'www.mein-schoener-garten.de'],
    subjects: ['Tomatoes on a balcony', 'Compost', 'Pruning roses', 'Früchte & Gemüse', 'Hedges'],
  },
  {
    path: ['Home', 'Repairs'],
    hosts: ['www.ifixit.com', 'www.familyhandyman.com', 'diy.stackexchange.com'],
    subjects: ['Dripping taps', 'Squeaky floors', 'Bicycle hubs', 'Sash windows', '3/4" fittings'],
  },
  {
    path: ['Music', 'Piano'],
    hosts: ['imslp.org', 'www.henle.de', 'www.pianostreet.com'],
    subjects: ['Gymnopédies', 'Das wohltemperierte Klavier', 'Voicings', 'Dvořák, op. 101'],
  },
  {
    path: ['Music', 'Listening'],
    hosts: ['daily.bandcamp.com', 'www.nts.live', 'www.allaboutjazz.com'],
    subjects: ['Ambient', 'Ethio-jazz', 'Fado', 'Sigur Rós', 'Field recordings', 'ECM at 50'],
  },
  {
    path: ['Languages', 'Deutsch'],
    hosts: ['www.dwds.de', 'www.duden.de', 'www.tagesschau.de'],
    subjects: ['Präpositionen', 'Wörter des Jahres', 'Straßenumgangssprache', 'Konjunktiv II'],
  },
  {
    path: ['Photography'],
    hosts: ['www.magnumphotos.com', 'www.dpreview.com', 'petapixel.com'],
    subjects: ['Film in 2024', 'Contact sheets', 'Blue hour', '35 mm or 50?', 'Darkrooms 🎞️'],
  },
  {
    path: ['Maps'],
    hosts: ['www.openstreetmap.org', 'www.davidrumsey.com', 'somethingaboutmaps.com'],
    subjects: ['Sea charts', 'Hand-drawn hills', 'Projections', 'Isochrones', 'Tide tables 🌊'],
  },
]

/** Ways to write a title about a subject, by somebody. */
export const FRAMES: readonly ((subject: string, author: string) => string)[] = [
  (subject) => subject,
  (subject, author) => `${author}: ${subject}`,
  (subject) => `${subject}: a short introduction`,
  (subject, author) => `A field guide to ${lower(subject)}, by ${author}`,
  (subject, author) => `${author} – ${subject}, notes from the second year`,
  (subject) => `What I got wrong about ${lower(subject)}`,
  (subject, author) => `“${subject}” & other stories by ${author}`,
  (subject, author) => `${subject}, explained slowly (${author})`,
  (subject, author) => `${author}’s questions about ${lower(subject)} that nobody asked`,
  (subject, author) => `${subject} (2nd edition) – ${author}`,
  (subject) => `The long view: ${lower(subject)}`,
  (subject, author) => `Letters to ${author}: ${lower(subject)}`,
  (subject) => `How ${lower(subject)} works`,
  (subject, author) => `${subject} | The ${author.split(' ').at(-1)} archive`,
  (subject, author) => `An annotated list: ${lower(subject)} (with ${author})`,
]

export const AUTHORS: readonly string[] = [
  'Mira Okafor',
  'Jonas Wiberg',
  'Ana Lúcia Prado',
  'Tomáš Hájek',
  'Ines Calderón',
  'Ruth O’Dowd',
  '川端 由紀',
  'Søren Lund',
  'Priya Raman',
  'Élodie Garnier',
  'Wanjiru Kamau',
  'Olga Petrenko',
  'Henrik & Maja Dahl',
  'D. B. Whitlock',
  'Leyla Şahin',
]

export const NOTES: readonly string[] = [
  'Read again before the next trip.',
  'The diagram in the middle is the best explanation that I know.',
  'Sent by Mira. Her comment: “start with part two”.',
  'Good bibliography at the end.',
  'Compare with the 2019 version <- the numbers changed.',
  'Works with less salt & more time.',
  'Two hours well spent.',
]

/** Only a word that is an ordinary one in English is written small in the middle of a sentence. */
function lower(subject: string): string {
  return /^[A-Z][a-z]+( [a-z&]+)*$/.test(subject)
    ? subject.charAt(0).toLowerCase() + subject.slice(1)
    : subject
}
