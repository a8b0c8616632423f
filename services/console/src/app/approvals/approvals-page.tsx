import type { ApprovalView } from '@flyball/api';
import { type ReactNode, useMemo, useState } from 'react';
import { useKeys } from '../keys.ts';
import { useNow } from '../now.ts';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Answered, Empty, Rebuilding } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Section } from '../parts/section.tsx';
import { At } from '../parts/when.tsx';
import { Table } from '../parts/table.tsx';
import { useApprovals } from '../queries.ts';
import { incidentHref } from '../router.ts';
import { AnswerDialog, type Verdict } from './answer-dialog.tsx';
import { ApprovalCard } from './approval-card.tsx';

const ANSWERED_SHOWN = 30;

/** What waits for a person, and what was answered. */
export function ApprovalsPage(): ReactNode {
  return (
    <>
      <PageHead
        name="Approvals"
        title="Approvals"
        about="What a policy wants to do, and may do only if a person says yes in time"
        copies={[cliOf('approvals'), curlOf('/v1/approvals')]}
      />
      <Answered of={useApprovals()} what="approvals">
        {({ items, isRebuilding }) => (
          <>
            <Rebuilding is={isRebuilding} />
            <Inbox all={items} />
          </>
        )}
      </Answered>
    </>
  );
}

function Inbox({ all }: { readonly all: readonly ApprovalView[] }): ReactNode {
  const now = useNow();
  const pending = all.filter(({ status, expiresAtMs }) => status === 'pending' && expiresAtMs > now);
  const answered = all.filter((each) => !pending.includes(each));
  const [at, setAt] = useState(0);
  const [answering, setAnswering] = useState<{ readonly verdict: Verdict; readonly approval: ApprovalView }>();
  const chosen = pending[Math.min(at, pending.length - 1)];
  const keys = useMemo(() => {
    const answer = (verdict: Verdict) => () => {
      if (chosen !== undefined) setAnswering({ verdict, approval: chosen });
    };
    return {
      j: () => setAt((index) => Math.min(index + 1, pending.length - 1)),
      k: () => setAt((index) => Math.max(index - 1, 0)),
      a: answer('approve'),
      d: answer('deny'),
    };
  }, [chosen, pending.length]);
  useKeys(keys);
  return (
    <>
      {pending.length === 0 && <NothingWaits />}
      <div className="cards">
        {pending.map((approval) => (
          <ApprovalCard
            key={approval.commandId}
            approval={approval}
            isChosen={approval === chosen}
            onAnswer={(verdict) => setAnswering({ verdict, approval })}
          />
        ))}
      </div>
      {answered.length > 0 && <AnsweredList items={answered} />}
      {answering !== undefined && <AnswerDialog {...answering} onClose={() => setAnswering(undefined)} />}
    </>
  );
}

function NothingWaits(): ReactNode {
  return (
    <Empty title="Nothing waits for you">
      <p>
        A policy with <code>autonomy: approve</code> asks here before it acts; docs/policies.md says how to write one.
        In the demo, key <code>a</code> of <code>npm start</code> plays one.
      </p>
    </Empty>
  );
}

function AnsweredList({ items }: { readonly items: readonly ApprovalView[] }): ReactNode {
  return (
    <Section title="Answered, or over">
      <Table heads={['asked', 'action', 'environment', 'policy', 'answer', 'incident']}>
        {items.slice(0, ANSWERED_SHOWN).map((each) => (
          <tr key={`${each.commandId} ${each.digest}`}>
            <td>
              <At atMs={each.requestedAtMs} isLong />
            </td>
            <td>
              <T>{each.action}</T>
            </td>
            <td>
              <T>{each.environment}</T>
            </td>
            <td>
              <T>{each.policy}</T>
            </td>
            <td>
              <span className={`pill pill-${each.status}`}>{each.status === 'pending' ? 'expired' : each.status}</span>{' '}
              {each.actor !== '' && (
                <span className="about">
                  by <T>{each.actor}</T>
                </span>
              )}
            </td>
            <td>
              <Link to={incidentHref(each.incidentId)}>open</Link>
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
