import { parseArgs } from 'node:util';
import { evalDetect } from './detect.ts';
import { evalRca } from './rca.ts';

// `npm run eval -- detect --data DIR [--vary]` and `npm run eval -- rca FILE… --cases cases.json`: how good the judgements are, on
// recorded data that is not in this repository. Figures of data that settings were chosen on are no promise for other data.

const USAGE =
  'usage: npm run eval -- detect --data DIR [--vary]\n' +
  '       npm run eval -- rca FILE… --cases CASES.json\n' +
  'DIR (or FLYBALL_EVAL_DATA) holds nab or nab-dev, mscloud, merlion; FILE is recorded OTLP. docs/guide.md says where they are from\n';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, cases: { type: 'string' }, vary: { type: 'boolean', default: false } },
});
const [what, ...files] = positionals;
const dir = values.data ?? process.env['FLYBALL_EVAL_DATA'];

if (what === 'detect' && dir !== undefined) evalDetect(dir, values.vary);
else if (what === 'rca' && files.length > 0 && values.cases !== undefined) evalRca(files, values.cases);
else {
  process.stderr.write(USAGE);
  process.exit(2);
}
