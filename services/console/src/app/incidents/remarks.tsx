import type { IncidentView } from '@flyball/api';
import { type ReactNode, useState } from 'react';
import { ask } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { T } from '../parts/inert.tsx';
import { Trouble } from '../parts/notice.tsx';
import { queries } from '../queries.ts';
import { useSaying } from '../saying.ts';
import { FeedbackDialog, type Verdict } from './feedback-dialog.tsx';
import { feedbackText } from './feedback-text.ts';

interface RemarksProps {
  readonly incident: IncidentView;
}

/** What people may add to an incident: whether Flyball was right, and notes. Nothing is decided by it. */
export function Remarks({ incident }: RemarksProps): ReactNode {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const last = incident.remarks.findLast((remark) => remark.type === 'feedback');
  return (
    <div className="remarks">
      <p className="remarks-question">
        <b>Was this right?</b>{' '}
        {last?.type === 'feedback' && (
          <span>
            <T>{last.actor}</T> said <T>{feedbackText(last)}</T>.
          </span>
        )}{' '}
        <Button onClick={() => setVerdict('right')} title="The cause was the cause, and what was done was right">
          Right
        </Button>{' '}
        <Button onClick={() => setVerdict('wrong')} title="It was something else, or nothing">
          Wrong…
        </Button>
      </p>
      <Note incident={incident} />
      {verdict !== null && <FeedbackDialog verdict={verdict} incident={incident} onClose={() => setVerdict(null)} />}
    </div>
  );
}

function Note({ incident: { incidentId } }: RemarksProps): ReactNode {
  const [text, setText] = useState('');
  // A second try of the same note counts for nothing more.
  const [key, setKey] = useState(newKey);
  const note = useSaying(
    () => ask(`/v1/incidents/${encodeURIComponent(incidentId)}/notes`, 'POST', { text: text.trim(), key }),
    async () => {
      setText('');
      setKey(newKey());
      await queries.invalidateQueries({ queryKey: ['incident', incidentId] });
    },
  );
  const needs = text.trim() === '' ? 'Write something first.' : '';
  return (
    <>
      <label className="field">
        <span>Note (goes on record, and cannot be taken back)</span>
        <textarea
          rows={2}
          maxLength={2_000}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setKey(newKey());
          }}
        />
      </label>
      {note.error !== null && <Trouble error={note.error} />}
      <p>
        <Button whyNot={note.isPending ? 'It is being put on record.' : needs} onClick={() => note.say()}>
          Add note
        </Button>
      </p>
    </>
  );
}

/** Never the same twice. `randomUUID` is not there for a page over plain http. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join('-');
}
