import type { IncidentView } from '@flyball/api';
import { type ReactNode, useId, useState } from 'react';
import { ask } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { inert } from '../parts/inert.tsx';
import { Trouble } from '../parts/notice.tsx';
import { queries } from '../queries.ts';
import { useSaying } from '../saying.ts';

export type Verdict = 'right' | 'wrong';

interface FeedbackDialogProps {
  readonly verdict: Verdict;
  readonly incident: IncidentView;
  readonly onClose: () => void;
}

/** Whether Flyball was right, and what it was instead. */
export function FeedbackDialog({ verdict, incident, onClose }: FeedbackDialogProps): ReactNode {
  const { incidentId, causes, signals } = incident;
  const [cause, setCause] = useState('');
  const [reason, setReason] = useState('');
  const list = useId();
  const say = useSaying(
    () =>
      ask(`/v1/incidents/${encodeURIComponent(incidentId)}/feedback`, 'POST', {
        ...{ verdict, reason: reason.trim() },
        ...(verdict === 'wrong' && { cause: cause.trim() }),
      }),
    async () => {
      await queries.invalidateQueries({ queryKey: ['incident', incidentId] });
      onClose();
    },
  );
  const services = new Set([...causes, ...signals].map(({ subject }) => subject.service));
  return (
    <Dialog title={verdict === 'right' ? 'This was right' : 'This was wrong'} onClose={onClose}>
      <p className="about">It goes on record with your name, and shows in the story. Nothing is decided by it.</p>
      {verdict === 'wrong' && (
        <label className="field">
          <span>The service that it was instead (optional)</span>
          <input list={list} maxLength={200} value={cause} onChange={(event) => setCause(event.target.value)} />
          <datalist id={list}>
            {[...services].sort().map((service) => (
              <option key={service} value={service} label={inert(service)} />
            ))}
          </datalist>
        </label>
      )}
      <label className="field">
        <span>Why (optional)</span>
        <textarea rows={2} maxLength={1_000} value={reason} onChange={(event) => setReason(event.target.value)} />
      </label>
      {say.error !== null && <Trouble error={say.error} />}
      <footer>
        <Button kind="primary" whyNot={say.isPending ? 'It is being put on record.' : ''} onClick={() => say.say()}>
          {verdict === 'right' ? 'It was right' : 'It was wrong'}
        </Button>
      </footer>
    </Dialog>
  );
}
