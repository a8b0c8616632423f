import { parseArgs } from 'node:util';
import { evalDetect } from './detect.ts';

// `npm run eval -- detect --data DIR [--vary]`: how good the judgements are, on recorded data that is not in this
// repository. Figures of data that settings were chosen on are no promise for other data.

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, vary: { type: 'boolean', default: false } },
});
const dir = values.data ?? process.env['FLYBALL_EVAL_DATA'];
const EVALS: Readonly<Record<string, (dir: string) => void>> = {
  detect: (from) => evalDetect(from, values.vary),
};

const chosen = EVALS[positionals[0] ?? ''];
if (chosen === undefined || dir === undefined) {
  process.stderr.write(
    `usage: npm run eval -- ${Object.keys(EVALS).join('|')} --data DIR [--vary]\n` +
      'DIR (or FLYBALL_EVAL_DATA) holds nab or nab-dev, mscloud, merlion: docs/guide.md says where they are from\n',
  );
  process.exit(2);
}
chosen(dir);
