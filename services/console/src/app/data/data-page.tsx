import type { Readiness, SightView } from '@flyball/api';
import type { ReactNode } from 'react';
import { count, percent, span } from '../format.ts';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Answered, Empty, Rebuilding } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Section } from '../parts/section.tsx';
import { StateMark } from '../parts/state.tsx';
import { Ago } from '../parts/when.tsx';
import { Table } from '../parts/table.tsx';
import { useReadiness, useSight } from '../queries.ts';
import { serviceHref, setParam, usePlace } from '../router.ts';

const ROWS_SHOWN = 200;

/** How well Flyball can see, and how its own parts are. */
export function DataPage(): ReactNode {
  return (
    <>
      <PageHead
        name="Data health"
        title="Data health"
        about="How well services can be seen, and how Flyball itself keeps up"
        copies={[cliOf('send-test'), curlOf('/v1/sight'), { ...curlOf('/readyz?verbose'), name: 'curl lanes' }]}
      />
      <Section title="Flyball itself">
        <Answered of={useReadiness()} what="the lanes">
          {(readiness) => <Lanes readiness={readiness} />}
        </Answered>
      </Section>
      <Section title="Services, the least visible first">
        <Answered of={useSight()} what="what is seen">
          {({ items, isRebuilding }) => (
            <>
              <Rebuilding is={isRebuilding} />
              <Sight all={items} />
            </>
          )}
        </Answered>
      </Section>
    </>
  );
}

function Lanes({ readiness: { status, lanes } }: { readonly readiness: Readiness }): ReactNode {
  const { params } = usePlace();
  const bad = lanes.filter(({ state }) => state !== 'running');
  const behind = lanes.reduce((most, { lagSeconds }) => Math.max(most, lagSeconds), 0);
  const isWhole = params.get('lanes') === 'all';
  const shown = isWhole ? lanes : lanes.filter(({ state, lagSeconds }) => state !== 'running' || lagSeconds > 5);
  return (
    <>
      <dl className="facts">
        <div>
          <dt>This process</dt>
          <dd className={status === 'ready' ? undefined : 'is-bad'}>{status}</dd>
        </div>
        <div>
          <dt>Lanes</dt>
          <dd>
            {lanes.length === 0 ? 'run in other processes' : `${lanes.length - bad.length} of ${lanes.length} running`}
          </dd>
        </div>
        <div>
          <dt>Oldest unread record</dt>
          <dd>{lanes.length === 0 ? 'see their /readyz?verbose' : span(behind * 1_000)}</dd>
        </div>
      </dl>
      {shown.length > 0 && (
        <Table heads={['lane', 'state', '#unread', '#oldest', 'what to do']}>
          {shown.map((health) => (
            <LaneRow key={health.lane} health={health} />
          ))}
        </Table>
      )}
      {lanes.length > 0 && (
        <button type="button" className="button button-quiet" onClick={() => setParam('lanes', isWhole ? '' : 'all')}>
          {isWhole ? 'Show lanes with trouble only' : `Show all ${lanes.length} lanes`}
        </button>
      )}
    </>
  );
}

function LaneRow({ health }: { readonly health: Readiness['lanes'][number] }): ReactNode {
  const { lane, state, lag, lagSeconds, code, hint, isAhead } = health;
  return (
    <tr>
      <td>
        <code>{lane}</code>
      </td>
      <td className={state === 'running' ? undefined : 'is-bad'}>
        {state}
        {isAhead && ', waits for slower lanes'}
      </td>
      <td className="number">{count(lag)}</td>
      <td className="number">{span(lagSeconds * 1_000)}</td>
      <td>
        {code === '' ? (
          <span className="none">–</span>
        ) : (
          <>
            <code>{code}</code> <T>{hint === '' ? 'see docs/errors.md' : hint}</T>
          </>
        )}
      </td>
    </tr>
  );
}

function Sight({ all }: { readonly all: readonly SightView[] }): ReactNode {
  const { params } = usePlace();
  const env = params.get('env') ?? '';
  const items = all.filter(({ environment }) => env === '' || environment === env);
  if (items.length === 0) {
    return (
      <Empty title="Nothing was heard yet">
        <p>
          Run <code>flyball send-test</code>: it sends one span and says how long each step took. Exporters must point
          at port 4317 (gRPC) or 4318 (HTTP).
        </p>
      </Empty>
    );
  }
  return (
    <Table
      heads={['service', 'environment', 'state', '#coverage', '#spans', '#late', '#early', '#last seen']}
      after={
        <p className="about">
          Coverage is the least share of partitions that could vouch for a window; below 100 % nothing is concluded.
          Late spans came after their window was closed, early ones from the future: see to the senders’ clocks and
          batches.
        </p>
      }
    >
      {items.slice(0, ROWS_SHOWN).map((row) => (
        <tr key={row.id}>
          <td>
            <Link to={serviceHref(row.id)}>
              <T>{row.service}</T>
            </Link>
          </td>
          <td>
            <T>{row.environment}</T>
          </td>
          <td>
            <StateMark state={row.state} />
          </td>
          <td className={row.coverage < 1 ? 'number is-bad' : 'number'}>{percent(row.coverage)}</td>
          <td className="number">
            {count(row.spans)} <small>in {row.windows} windows</small>
          </td>
          <td className={row.lateSpans > 0 ? 'number is-bad' : 'number'}>{shareOf(row.lateSpans, row.spans)}</td>
          <td className={row.earlySpans > 0 ? 'number is-bad' : 'number'}>{shareOf(row.earlySpans, row.spans)}</td>
          <td className="number">
            <Ago atMs={row.lastSeenAtMs} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function shareOf(some: number, all: number): string {
  return some === 0 ? '0' : `${count(some)} (${percent(some / Math.max(1, some + all))})`;
}
