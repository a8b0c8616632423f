import type { KillSwitchView } from '@flyball/api';
import { type ReactNode, useState } from 'react';
import { ask } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { CopyAs, cliOf } from '../parts/copy-as.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { T } from '../parts/inert.tsx';
import { Trouble } from '../parts/notice.tsx';
import { Ago } from '../parts/when.tsx';
import { queries, useKillSwitch } from '../queries.ts';
import { useSaying } from '../saying.ts';
import { Icon } from './icons.tsx';

/** Whether automation may act, or that it is not known yet. */
type State = 'reading' | 'paused' | 'on';

/** How each is shown: on the chip, and above the dialog. */
const FACES = {
  reading: { icon: 'pause', word: '…', look: '', is: 'What was said of it is being read', heading: 'Automation' },
  paused: {
    ...{ icon: 'pause', word: 'paused', look: 'chip-paused' },
    ...{ is: 'Automation is paused: nothing is changed', heading: 'Automation is paused' },
  },
  on: {
    ...{ icon: 'play', word: 'on', look: 'chip-on' },
    ...{ is: 'Automation may act within its policies', heading: 'Automation is on' },
  },
} as const satisfies Readonly<Record<State, object>>;

function stateOf({ isPaused, isRebuilding }: KillSwitchView): State {
  if (isRebuilding) return 'reading';
  return isPaused ? 'paused' : 'on';
}

/** Whether automation may act; pressed, the kill switch. */
export function AutomationChip(): ReactNode {
  const { data } = useKillSwitch();
  const [isOpen, setOpen] = useState(false);
  if (data === undefined) return <span className="chip">Automation …</span>;
  const { icon, word, look, is } = FACES[stateOf(data)];
  return (
    <>
      <button
        type="button"
        className={`chip ${look}`}
        title={`${is}. Press for the kill switch.`}
        onClick={() => setOpen(true)}
      >
        <Icon name={icon} />
        <span>
          <span className="wide">Automation </span>
          {word}
        </span>
      </button>
      {isOpen && <KillSwitch now={data} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Below the top bar while automation is paused: who, when, why. */
export function PauseStrip(): ReactNode {
  const { data } = useKillSwitch();
  if (data === undefined || stateOf(data) !== 'paused') return null;
  return (
    <p className="pause-strip" role="status">
      <strong>Automation is paused: Flyball watches and changes nothing.</strong> <Said of={data} />
    </p>
  );
}

function Said({ of }: { readonly of: KillSwitchView }): ReactNode {
  const { actor, reason, atMs } = of;
  if (stateOf(of) === 'reading') return <>Flyball has just started, and still reads what was said.</>;
  if (atMs === null) return <>Nobody has said yet that it may act.</>;
  return (
    <>
      {actor !== '' && (
        <>
          By <T>{actor}</T>,{' '}
        </>
      )}
      <Ago atMs={atMs} />
      {reason === '' ? (
        ', without a reason.'
      ) : (
        <>
          : “<T>{reason}</T>”
        </>
      )}
    </>
  );
}

interface KillSwitchProps {
  readonly now: KillSwitchView;
  readonly onClose: () => void;
}

function KillSwitch({ now, onClose }: KillSwitchProps): ReactNode {
  // Who wants to stop it need not wait until it is known what was said last.
  const isPaused = stateOf(now) === 'paused';
  const [reason, setReason] = useState('');
  const say = useSaying(
    () => ask('/v1/killswitch', isPaused ? 'DELETE' : 'PUT', { reason: reason.trim() }),
    async () => {
      await queries.invalidateQueries({ queryKey: ['killswitch'] });
      onClose();
    },
  );
  // Who has to stop it at once need not explain; who lets it go on must.
  const needs = isPaused && reason.trim() === '' ? 'Say why it may act again: it goes on record.' : '';
  const whyNot = say.isPending ? 'It is being put on record.' : needs;
  return (
    <Dialog title={FACES[stateOf(now)].heading} onClose={onClose}>
      <p>
        {isPaused
          ? 'No command is issued, and the actuator starts no effect. Telemetry, detection and incidents go on.'
          : 'Flyball may carry out commands within its policies. Pausing stops every new command and effect at once; what was applied stays as it is.'}
      </p>
      <p className="about">
        <Said of={now} />
      </p>
      <label className="field">
        <span>Reason{isPaused ? '' : ' (optional)'}; it goes on record</span>
        <textarea
          rows={2}
          maxLength={1_000}
          value={reason}
          autoFocus
          placeholder={isPaused ? 'e.g. migration is over' : 'e.g. database migration until 14:00'}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      {say.error !== null && <Trouble error={say.error} />}
      <footer>
        <Button kind={isPaused ? 'primary' : 'danger'} whyNot={whyNot} onClick={() => say.say()}>
          {isPaused ? 'Resume automation' : 'Pause all automation'}
        </Button>
        <CopyAs items={[cliOf(isPaused ? 'resume' : 'pause')]} />
      </footer>
    </Dialog>
  );
}
