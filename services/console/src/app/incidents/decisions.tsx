import type { Decision, Incident } from '@flyball/contracts';
import type { ReactNode } from 'react';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { At } from '../parts/when.tsx';
import { href } from '../router.ts';

const VERDICTS: Readonly<Record<Decision['verdict'], string>> = {
  acted: 'acted: a command was issued',
  declined: 'declined: a gate held it back',
  suggested: 'suggested: the policy only advises',
  pending: 'waits for a person',
  approved: 'a person approved it',
  denied: 'a person denied it',
  expired: 'nobody answered in time: a no',
};

/** Each consideration of each policy, the newest first: gates that passed and that did not, and what would have had to be different. */
export function Decisions({ incident: { decisions } }: { readonly incident: Incident }): ReactNode {
  if (decisions.length === 0) {
    return (
      <p className="about">
        No policy has considered it: none matches its environment, service and kind. <code>flyball policy lint</code>{' '}
        says what policies cover; docs/policies.md how to write one.
      </p>
    );
  }
  return (
    <div className="decisions">
      {[...decisions].reverse().map((decision) => (
        <Consideration key={decision.decisionId} decision={decision} />
      ))}
    </div>
  );
}

function Consideration({ decision }: { readonly decision: Decision }): ReactNode {
  const { action, verdict, policy, atMs, sentence, counterfactual, gates } = decision;
  const failed = gates.filter(({ passed }) => !passed);
  return (
    <article className={`decision decision-${verdict}`}>
      <header>
        <h3>
          <T>{action}</T>
        </h3>
        <span className={`pill pill-${verdict}`} title={VERDICTS[verdict]}>
          {verdict}
        </span>
        <span className="about">
          <At atMs={atMs} /> · policy <T>{`${policy.name}@${policy.version}`}</T>{' '}
          <code title={policy.digest}>{policy.digest.slice(0, 8)}</code>
        </span>
        {verdict === 'pending' && <Link to={href('/approvals')}>Answer it</Link>}
      </header>
      <p>
        <T>{sentence}</T>
      </p>
      {counterfactual !== '' && (
        <p className="what-if">
          <b>What if?</b> <T>{counterfactual}</T>
        </p>
      )}
      <details open={failed.length > 0}>
        <summary>
          {failed.length === 0
            ? `All ${gates.length} gates passed`
            : `${failed.length} of ${gates.length} gates held it back: ${failed.map(({ gate }) => gate.replaceAll('_', ' ')).join(', ')}`}
        </summary>
        <ul className="gates">
          {[...failed, ...gates.filter(({ passed }) => passed)].map(({ gate, passed, detail }) => (
            <li key={gate} className={passed ? 'gate-passed' : 'gate-failed'}>
              <span aria-hidden>{passed ? '✓' : '✕'}</span>
              <span className="hidden">{passed ? 'passed' : 'failed'}</span>
              <b>{gate.replaceAll('_', ' ')}</b>
              <span className="about">
                <T>{detail === '' ? '–' : detail}</T>
              </span>
            </li>
          ))}
        </ul>
      </details>
    </article>
  );
}
