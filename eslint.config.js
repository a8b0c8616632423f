import nx from '@nx/eslint-plugin';
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import tseslint from 'typescript-eslint';
import { LAYERS, PURE_LAYERS, PURE_PACKAGES, ROLE_LAYERS } from './layers.js';

/** Globals that let the world, or the garbage collector, into a deterministic machine. */
const IMPURE_GLOBALS = [
  ...['process', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'performance'],
  ...['WeakRef', 'FinalizationRegistry', 'Intl', 'globalThis', 'crypto', 'Buffer', 'console'],
];
const LOCAL_TIME = 'FullYear|Month|Date|Day|Hours|Minutes|Seconds|Milliseconds|TimezoneOffset';

/** Modules that would let it in too. */
const noImport = (regex) => ({ regex, message: 'No I/O here: use a port.' });

/** Calls whose answer depends on the machine they run on. */
const IMPURE_SYNTAX = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is data: entry.atMs.' },
  { selector: "CallExpression[callee.property.name='localeCompare']", message: 'Depends on the locale: use <.' },
  { selector: 'CallExpression[callee.property.name=/^toLocale/]', message: 'Depends on the locale.' },
  {
    selector: `CallExpression[callee.property.name=/^(get|set)(${LOCAL_TIME})$/]`,
    message: 'Local time: use the UTC methods.',
  },
];

/** The Nx boundary rule, with `more` layers opened up for a role such as `main.ts`. */
const boundaries = (more = {}) => [
  'error',
  {
    allow: ['../../layers.js'],
    depConstraints: Object.entries(LAYERS).map(([layer, below]) => ({
      sourceTag: `layer:${layer}`,
      onlyDependOnLibsWithTags: [...below, ...(more[layer] ?? [])].map((name) => `layer:${name}`),
      ...(layer in PURE_PACKAGES && !(layer in more) && { allowedExternalImports: PURE_PACKAGES[layer] }),
    })),
  },
];
const everyLayer = (names) => Object.fromEntries(Object.keys(LAYERS).map((layer) => [layer, names]));

/** Source folders of the pure layers, from the projects' own tags. */
const pureFiles = globSync(['libs/*/package.json', 'services/*/package.json'])
  .filter((path) => {
    const { nx: project } = JSON.parse(readFileSync(path, 'utf8'));
    return PURE_LAYERS.some((layer) => project?.tags?.includes(`layer:${layer}`));
  })
  .map((path) => `${dirname(path)}/src/**/*.ts`);

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/testdata/**', '.nx/**', '**/dist/**', 'test/out/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx, '@typescript-eslint': tseslint.plugin },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(),
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Else what is imported for a type alone is loaded all the same: only the types are erased.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'max-depth': ['error', 4],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', 400],
      'max-params': ['error', 4],
    },
  },
  { files: ['**/main.ts'], rules: { '@nx/enforce-module-boundaries': boundaries(ROLE_LAYERS.main) } },
  {
    files: ['**/*.test.ts', '**/*.real.ts', '**/*.e2e.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(everyLayer([ROLE_LAYERS.test])),
      'max-lines-per-function': 'off',
      'max-params': 'off',
      'max-depth': 'off',
    },
  },
  { files: ['**/*-conformance.ts'], rules: { 'max-lines-per-function': 'off' } },
  // Purity: what makes a lane replayable. The simulator relies on the same list.
  {
    files: pureFiles,
    ignores: ['**/main.ts', '**/*.test.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noImport('^node:')] }],
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is data: entry.atMs.' },
        { object: 'Math', property: 'random', message: 'Randomness is an input.' },
      ],
      'no-restricted-syntax': ['error', ...IMPURE_SYNTAX],
    },
  },
  // Hashes are functions of their input alone.
  {
    files: ['libs/core/src/hash.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noImport('^node:(?!(crypto|zlib)$)')] }] },
  },
  // A stage has no second thread of time: async belongs to the runner.
  ...pureFiles
    .filter((path) => path.startsWith('services/'))
    .map((path) => ({
      files: [path],
      ignores: ['**/main.ts', '**/*.test.ts'],
      rules: {
        'no-restricted-syntax': [
          'error',
          ...IMPURE_SYNTAX,
          { selector: ':function[async=true]', message: 'A stage does not wait.' },
        ],
      },
    })),
);
