import { type ReactNode, useState } from 'react';
import { ask } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { inert, T } from '../parts/inert.tsx';
import { Trouble } from '../parts/notice.tsx';
import { queries } from '../queries.ts';
import { useSaying } from '../saying.ts';

const MINUTE_MS = 60_000;
const TIMES: readonly (readonly [string, number])[] = [
  ['15 minutes', 15 * MINUTE_MS],
  ['1 hour', 60 * MINUTE_MS],
  ['4 hours', 240 * MINUTE_MS],
  ['1 day', 1_440 * MINUTE_MS],
];

interface SilenceDialogProps {
  readonly environment: string;
  readonly service: string;
  readonly onClose: () => void;
}

/** Silences a service, or freezes its environment; both end by themselves. */
export function SilenceDialog({ environment, service, onClose }: SilenceDialogProps): ReactNode {
  const [kind, setKind] = useState<'silence' | 'freeze'>('silence');
  const [forMs, setForMs] = useState(TIMES[1]![1]);
  const [reason, setReason] = useState('');
  const say = useSaying(
    () => {
      const about = { environment, reason: reason.trim(), untilMs: Date.now() + forMs };
      return kind === 'silence'
        ? ask('/v1/silences', 'POST', { ...about, service })
        : ask('/v1/freezes', 'POST', about);
    },
    async () => {
      await queries.invalidateQueries();
      onClose();
    },
  );
  const why = say.isPending ? 'It is being put on record.' : '';
  const whyNot = reason.trim() === '' ? 'Say why: it goes on record.' : why;
  return (
    <Dialog title={`Quiet for ${inert(service)}`} onClose={onClose}>
      <fieldset className="field">
        <legend>What</legend>
        <label className="choice">
          <input type="radio" name="kind" checked={kind === 'silence'} onChange={() => setKind('silence')} />
          <span>
            Silence <T>{service}</T>: nobody is told of its trouble, and nothing is done about it
          </span>
        </label>
        <label className="choice">
          <input type="radio" name="kind" checked={kind === 'freeze'} onChange={() => setKind('freeze')} />
          <span>
            Freeze <T>{environment}</T>: no command is issued for any of its services; people are told
          </span>
        </label>
      </fieldset>
      <label className="field">
        <span>For how long</span>
        <select value={forMs} onChange={(event) => setForMs(Number(event.target.value))}>
          {TIMES.map(([name, ms]) => (
            <option key={ms} value={ms}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Reason (goes on record)</span>
        <textarea rows={2} maxLength={1_000} value={reason} onChange={(event) => setReason(event.target.value)} />
      </label>
      {say.error !== null && <Trouble error={say.error} />}
      <footer>
        <Button kind="primary" whyNot={whyNot} onClick={() => say.say()}>
          {kind === 'silence' ? 'Silence' : 'Freeze'}
        </Button>
      </footer>
    </Dialog>
  );
}
