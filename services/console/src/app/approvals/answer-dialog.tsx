import type { ApprovalView } from '@flyball/api';
import { type ReactNode, useState } from 'react';
import { ask } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { T } from '../parts/inert.tsx';
import { Trouble } from '../parts/notice.tsx';
import { queries } from '../queries.ts';
import { useSaying } from '../saying.ts';

export type Verdict = 'approve' | 'deny';

interface AnswerDialogProps {
  readonly verdict: Verdict;
  /** As it was shown when the question was answered: what has changed since is refused by its digest. */
  readonly approval: ApprovalView;
  readonly onClose: () => void;
}

/** A yes, or a no with its reason. */
export function AnswerDialog({ verdict, approval, onClose }: AnswerDialogProps): ReactNode {
  const [reason, setReason] = useState('');
  const { commandId, digest, action, environment } = approval;
  const answer = useSaying(
    () =>
      ask(`/v1/approvals/${encodeURIComponent(commandId)}`, 'POST', { verdict, digest, reason: reason.trim() }).finally(
        () => queries.invalidateQueries({ queryKey: ['approvals'] }),
      ),
    onClose,
  );
  const needs = verdict === 'deny' && reason.trim() === '' ? 'Say why not: it goes on record.' : '';
  const whyNot = answer.isPending ? 'It is being put on record.' : needs;
  return (
    <Dialog title={verdict === 'approve' ? 'Approve' : 'Deny'} onClose={onClose}>
      <p>
        <b>
          <T>{action}</T>
        </b>{' '}
        in <T>{environment}</T>, order <code>{digest.slice(0, 12)}</code>
      </p>
      <p className="about">
        {verdict === 'approve'
          ? 'It is carried out exactly as shown, or refused if anything has changed.'
          : 'It is not done. If the trouble goes on, what is done next is asked anew.'}
      </p>
      <label className="field">
        <span>Reason {verdict === 'approve' ? '(optional, goes on record)' : '(goes on record)'}</span>
        <textarea
          rows={2}
          maxLength={1_000}
          autoFocus
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      {answer.error !== null && <Trouble error={answer.error} />}
      <footer>
        <Button kind={verdict === 'approve' ? 'primary' : 'danger'} whyNot={whyNot} onClick={() => answer.say()}>
          {verdict === 'approve' ? 'Approve this order' : 'Deny it'}
        </Button>
      </footer>
    </Dialog>
  );
}
