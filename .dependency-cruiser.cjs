/**
 * Who may import whom, inside packages/core/src. A folder may import itself, what stands here, and what everybody may
 * import. `npm` are the packages from outside; in tests everything is allowed that is not another package of ours.
 */
const everybody = ['errors.ts', 'platform']
const layers = {
  'errors.ts': { folders: [], npm: [] },
  platform: { folders: [], npm: [] },
  // pure: values in, values out
  entity: { folders: [], npm: ['yjs', 'lib0'] },
  schema: { folders: ['entity'], npm: ['zod', 'yjs'] },
  replica: { folders: ['entity', 'schema'], npm: ['yjs', 'lib0'] },
  protocol: { folders: ['entity'], npm: ['lib0'] },
  // on top of the pure parts
  operations: { folders: ['schema', 'entity', 'replica'], npm: ['yjs', 'lib0', 'uuid', 'zod'] },
  query: { folders: ['schema', 'entity', 'replica'], npm: ['lib0'] },
  presence: { folders: ['schema', 'query', 'protocol', 'entity'], npm: ['zod'] },
  // at the rim: everything that waits
  storage: { folders: ['protocol', 'replica', 'entity', 'operations'], npm: ['idb', 'lib0'] },
  sync: {
    folders: ['protocol', 'replica', 'entity', 'operations', 'storage', 'presence'],
    npm: ['lib0', 'uuid'],
  },
  // puts the parts together
  store: { folders: '*', npm: ['yjs', 'lib0', 'uuid', 'idb', 'zod'] },
  'index.ts': { folders: '*', npm: [] },
  // the only folder that may know Node
  node: { folders: '*', npm: ['yjs', 'lib0', 'uuid', 'idb', 'ws'] },
}

const core = 'packages/core/src/'
const tests = '[.](test|test-support)[.]'
const names = Object.keys(layers)
const anyOf = (list) => `(${list.map((name) => name.replace('.', '[.]')).join('|')})(/|$)`

const layerRules = names.flatMap((name) => {
  const { folders, npm } = layers[name]
  const from = { path: `^${core}${anyOf([name])}`, pathNot: tests }
  const others = names.filter(
    (other) => other !== 'node' && (other !== 'index.ts' || name === 'node'),
  )
  const shared = name === 'errors.ts' ? [] : everybody
  const allowed = [name, ...shared, ...(folders === '*' ? others : folders)]
  const label = name.replace('.ts', '')
  return [
    {
      name: `core-${label}-layer`,
      comment: `In core, ${name} may import only ${allowed.join(', ')}.`,
      severity: 'error',
      from,
      to: { path: `^${core}`, pathNot: `^${core}${anyOf(allowed)}` },
    },
    {
      name: `core-${label}-packages`,
      comment: `In core, ${name} may import only these packages from npm: ${npm.join(', ') || 'none'}.`,
      severity: 'error',
      from,
      to: {
        path: 'node_modules/',
        ...(npm.length > 0 && { pathNot: `node_modules/${anyOf(npm)}` }),
      },
    },
  ]
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'core-unknown-folder',
      comment: 'Every folder of core has its place in the table above.',
      severity: 'error',
      from: { path: `^${core}`, pathNot: `^${core}${anyOf(names)}|${tests}` },
      to: {},
    },
    {
      name: 'core-no-node-builtins',
      comment: 'Core runs in browsers; only src/node knows Node.',
      severity: 'error',
      from: { path: `^${core}`, pathNot: `^${core}node/|${tests}` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-zod-types-only',
      comment: 'The app brings zod; core takes its types and bundles none of it.',
      severity: 'error',
      from: { path: `^${core}`, pathNot: tests },
      to: { path: 'node_modules/zod/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'core-knows-nobody',
      comment: 'Core is the bottom: it imports no other package of this repository.',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: { path: '^(packages/(?!core/)|examples/|test/)' },
    },
    {
      name: 'react-knows-core-only',
      comment: 'React runs in browsers; the relay does not.',
      severity: 'error',
      from: { path: '^packages/react/' },
      to: { path: '^(packages/(?!(react|core)/)|packages/core/src/node/|examples/|test/)' },
    },
    {
      name: 'server-knows-core-only',
      severity: 'error',
      from: { path: '^packages/server/' },
      to: { path: '^(packages/(?!(server|core)/)|examples/|test/)' },
    },
    {
      name: 'no-deep-imports',
      comment: 'Other packages are imported through what they export.',
      severity: 'error',
      from: { path: '^((?:packages|examples)/[^/]+|test)/' },
      to: {
        path: '^(packages|examples)/[^/]+/',
        pathNot: [
          '^$1/',
          '^packages/[^/]+/src/index[.]ts$',
          '^packages/core/src/(entity|protocol|schema|node)/index[.]ts$',
          '^packages/react/src/styles[.]css$',
        ],
      },
    },
    {
      name: 'no-relative-imports-across-packages',
      comment: 'Other packages are imported by their name.',
      severity: 'error',
      from: { path: '^((?:packages|examples)/[^/]+|test)/' },
      to: { path: '^(packages|examples)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:' },
    },
    {
      name: 'not-to-tests',
      comment: 'What is shipped imports nothing that is only for tests.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: tests },
      to: { path: tests },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|examples)/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@tidemark/source', 'import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.d.ts', '.js', '.mjs', '.json', '.css'],
    },
  },
}
