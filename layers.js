/** What an app is made of. */
const PARTS = [
  'core',
  'contracts',
  'otlp',
  'stats',
  'runtime',
  'policy',
  'outbound',
  'stage',
  'driver',
  'host',
  'edge',
  'ui',
];

/**
 * Which layer may import which, lowest first. The only statement of the dependency rule: the
 * ESLint config and the tidy test both read it.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const LAYERS = {
  core: [], //                                                    values: time, hashes, errors, assert
  contracts: ['core'], //                                         what travels: schemas, topology
  otlp: ['core'], //                                              OTLP wire format
  stats: ['core'], //                                             sketches, tails, sequential tests
  runtime: ['core', 'contracts'], //                              Processor, LaneRunner, the ports
  policy: ['core', 'contracts'], //                               policies: parse, evaluate, explain
  outbound: ['core', 'contracts', 'policy'], //                    requests to where an admin meant them to go
  stage: ['core', 'contracts', 'otlp', 'stats', 'runtime', 'policy'], // aggregator, detector, planner
  driver: ['core', 'contracts', 'runtime', 'outbound'], //                SQLite, directories, targets
  host: ['core', 'contracts', 'runtime'], //                      the process around a service
  edge: ['core', 'contracts', 'otlp', 'stats', 'runtime', 'policy', 'outbound', 'host'], // ingest, api, actuator
  ui: ['contracts', 'edge'], //                                   console: the types alone
  app: [...PARTS, 'app'],
  testing: [...PARTS, 'app', 'testing'],
};

/**
 * Layers whose code is deterministic: no clock, random, timers, environment, network or `node:*`.
 * `.ts` files of these layers, except `main.ts` and tests, are held to it by the purity lint.
 */
export const PURE_LAYERS = ['core', 'contracts', 'otlp', 'stats', 'runtime', 'policy', 'stage'];

/** npm packages that a pure layer may use. Layers not listed may use any. */
export const PURE_PACKAGES = {
  core: ['@noble/hashes', '@noble/hashes/*'],
  contracts: ['zod'],
  otlp: [],
  stats: ['simple-statistics'],
  runtime: [],
  policy: ['zod', 'yaml', '@marcbachmann/cel-js'],
  stage: ['zod', 'simple-statistics'],
};

/** What a file may import on top of its layer, by its role: `main.ts` composes, tests see the harness. */
export const ROLE_LAYERS = {
  main: { stage: ['host', 'driver'], edge: ['host', 'driver'] },
  test: 'testing',
};
