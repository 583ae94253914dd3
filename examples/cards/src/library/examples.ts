import type { Bookmark } from '../bookmarks/bookmark.js'

/** A dozen pages worth keeping, for somebody who has just arrived. The first one is the newest. */
export const EXAMPLES: readonly Bookmark[] = [
  {
    title: 'Local-first software: you own your data, in spite of the cloud',
    url: 'https://www.inkandswitch.com/essay/local-first/',
    note: 'Seven ideals for software that keeps working when the network, or the company, is gone.',
    tags: ['Essays', 'Software'],
  },
  {
    title: 'Tide – Wikipedia',
    url: 'https://en.wikipedia.org/wiki/Tide',
    note: 'Why there are two high waters a day, and places where there is only one.',
    tags: ['Science', 'Sea'],
  },
  {
    title: 'GPS – Bartosz Ciechanowski',
    url: 'https://ciechanow.ski/gps/',
    note: 'Explains positioning with figures that can be turned and dragged. Take an hour.',
    tags: ['Science', 'Maps'],
  },
  {
    title: 'Beginner’s Sourdough Bread',
    url: 'https://www.theperfectloaf.com/beginners-sourdough-bread/',
    note: 'Day two matters most: watch the dough and not the clock.',
    tags: ['Cooking'],
  },
  {
    title: 'Line length – Practical Typography',
    url: 'https://practicaltypography.com/line-length.html',
    note: '45–90 characters a line, spaces included.',
    tags: ['Design'],
  },
  {
    title: 'The Man in Seat Sixty-One: train travel in Europe',
    url: 'https://www.seat61.com/european-train-travel.htm',
    note: 'Which side to sit on, which window opens.',
    tags: ['Travel', 'By train'],
  },
  {
    title: 'CRDTs: The Hard Parts – Martin Kleppmann',
    url: 'https://martin.kleppmann.com/2020/07/06/crdt-hard-parts.html',
    note: '',
    tags: ['Software'],
  },
  {
    title: 'The Public Domain Review',
    url: 'https://publicdomainreview.org/',
    note: 'Curious and compelling works from the history of art, literature, and ideas.',
    tags: ['Essays', 'Pictures'],
  },
  {
    title: 'OpenSeaMap – the free nautical chart',
    url: 'https://map.openseamap.org/',
    note: '',
    tags: ['Maps', 'Sea'],
  },
  {
    title: 'IMSLP: Petrucci Music Library',
    url: 'https://imslp.org/wiki/Main_Page',
    note: 'Scores that are out of copyright. Look for the urtext editions.',
    tags: ['Music'],
  },
  {
    title: 'Moby-Dick; or, The Whale by Herman Melville',
    url: 'https://www.gutenberg.org/ebooks/2701',
    note: '“Whenever it is a damp, drizzly November in my soul …”',
    tags: ['Books', 'Sea'],
  },
  {
    title: 'Understanding the accessibility tree – web.dev',
    url: 'https://web.dev/articles/the-accessibility-tree',
    note: '',
    tags: ['Design', 'Software'],
  },
]
