import type { ApprovalView } from '@flyball/api';
import type { ReactNode } from 'react';
import { percent, span } from '../format.ts';
import { useNow } from '../now.ts';
import { Button } from '../parts/button.tsx';
import { cliOf, CopyAs, curlOf } from '../parts/copy-as.tsx';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { At } from '../parts/when.tsx';
import { incidentHref } from '../router.ts';
import type { Verdict } from './answer-dialog.tsx';

interface ApprovalCardProps {
  readonly approval: ApprovalView;
  readonly isChosen: boolean;
  readonly onAnswer: (verdict: Verdict) => void;
}

/** One question: what is to be done, what it touches, what speaks for it, and until when. */
export function ApprovalCard({ approval, isChosen, onAnswer }: ApprovalCardProps): ReactNode {
  const { commandId, digest, incidentId, environment, action, policy, evidence, expiresAtMs } = approval;
  return (
    <article className="card" data-chosen={isChosen} aria-label="approval">
      <header>
        <h2>
          <T>{action}</T>
        </h2>
        <p className="about">
          <T>{environment}</T> · policy <T>{policy}</T> · <Link to={incidentHref(incidentId)}>incident</Link> · order{' '}
          <code title={digest}>{digest.slice(0, 12)}</code>
        </p>
      </header>
      <Countdown of={approval} />
      <div className="card-columns">
        <div>
          <h3>What speaks for it</h3>
          <ul>
            {evidence.map((line) => (
              <li key={line}>
                <T>{line}</T>
              </li>
            ))}
          </ul>
        </div>
        <Blast of={approval} />
      </div>
      <footer>
        <Button kind="primary" onClick={() => onAnswer('approve')} title="Approve exactly this order (a)">
          Approve… {isChosen && <kbd>a</kbd>}
        </Button>
        <Button onClick={() => onAnswer('deny')} title="Say no, with a reason (d)">
          Deny… {isChosen && <kbd>d</kbd>}
        </Button>
        <span className="about">
          Nobody answers by <At atMs={expiresAtMs} />: it is not done.
        </span>
        <CopyAs items={[cliOf(`approve ${commandId} --digest ${digest}`), curlOf('/v1/approvals')]} />
      </footer>
    </article>
  );
}

function Blast({ of: { blast, service } }: { readonly of: ApprovalView }): ReactNode {
  return (
    <div>
      <h3>What it touches</h3>
      <p>
        <b>{percent(blast.trafficRatio)}</b> of the traffic of <T>{service}</T>
      </p>
      <meter min={0} max={1} value={blast.trafficRatio} aria-label="share of traffic" />
      <p className="about">
        acts on{' '}
        {blast.services.map((name, index) => (
          <span key={name}>
            {index > 0 && ', '}
            <T>{name}</T>
          </span>
        ))}
      </p>
    </div>
  );
}

function Countdown({ of: { requestedAtMs, expiresAtMs } }: { readonly of: ApprovalView }): ReactNode {
  const now = useNow();
  const leftMs = Math.max(0, expiresAtMs - now);
  const ratio = leftMs / Math.max(1, expiresAtMs - requestedAtMs);
  return (
    <p className="countdown" title={new Date(expiresAtMs).toISOString()}>
      <progress max={1} value={ratio} aria-label="time left to answer" /> <b>{span(leftMs)}</b> left to answer
    </p>
  );
}
