import type { ServiceDetail } from '@flyball/api';
import type { Objective, Standing } from '@flyball/contracts';
import type { ReactNode } from 'react';
import { count, duration, percent, span } from '../format.ts';
import { CopyRow } from '../parts/copy-as.tsx';
import { At } from '../parts/when.tsx';
import type { History } from './history.ts';

/** From here on a budget of 30 d is gone within five: the slower of the two alarms. */
const BURN_BAD = 6;
const HOUR_MS = 3_600_000;

interface SloStripProps {
  readonly detail: ServiceDetail;
  readonly history: History;
}

/** Whether a service keeps what it promises: each objective with its budget, then a cell per window. */
export function SloStrip({ detail, history: { windows } }: SloStripProps): ReactNode {
  const { objectives, assessment } = detail;
  if (objectives.length === 0) return <HowToPromise detail={detail} />;
  const failures = objectives.find(({ sli }) => sli === 'errors');
  const standingOf = ({ sli }: Objective) =>
    assessment?.standings?.find(({ objective }) => objective.sli === sli) ?? null;
  return (
    <div className="slo">
      {objectives.map((objective) => (
        <Promised key={objective.sli} objective={objective} standing={standingOf(objective)} />
      ))}
      {failures !== undefined && (
        <div className="slo-cells" role="img" aria-label="Failed requests against the objective, a cell per window">
          {windows.map((window) => (
            <i
              key={window.endMs}
              className={`cell-${levelOf(window, failures.objectiveRatio)}`}
              title={titleOf(window)}
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** What to do where nothing is promised. */
function HowToPromise({ detail: { environment, service } }: Pick<SloStripProps, 'detail'>): ReactNode {
  const yaml = [
    'kind: ServiceLevelObjective',
    `metadata: { name: ${JSON.stringify(service)} }`,
    `spec: { environment: ${JSON.stringify(environment)}, service: ${JSON.stringify(service)}, objectiveRatio: 0.99, windowDays: 30 }`,
    '',
  ].join('\n');
  return (
    <div className="slo">
      <p className="about">
        No objective is on record: failures are judged by the setting <code>sloObjective</code> (99 % without error over
        30 d). To promise something else, put this as a file into the folder of policies, and start again; its budget
        shows here.
      </p>
      <CopyRow name="YAML" text={yaml} />
    </div>
  );
}

function Promised({ objective, standing }: { readonly objective: Objective; readonly standing: Standing | null }) {
  const { objectiveRatio, windowMs, thresholdMs } = objective;
  return (
    <dl className="facts">
      <div>
        <dt>{thresholdMs === null ? 'Failures' : 'Latency'}</dt>
        <dd>
          {shareOf(objectiveRatio)} {thresholdMs === null ? 'without error' : `within ${duration(thresholdMs)}`}{' '}
          <small>over {span(windowMs)}</small>
        </dd>
      </div>
      {standing === null ? (
        <div>
          <dt>Budget left</dt>
          <dd>
            – <small>shows with the next window</small>
          </dd>
        </div>
      ) : (
        <Kept standing={standing} />
      )}
    </dl>
  );
}

function Kept({ standing: { budgetLeftRatio, requests, bad, sinceMs, burns } }: { readonly standing: Standing }) {
  return (
    <>
      <div>
        <dt>Budget left</dt>
        <dd className={budgetLeftRatio < 0 ? 'is-bad' : undefined} title={`${bad} of ${requests} were not good`}>
          {budgetLeftRatio < 0 ? `overdrawn by ${percent(-budgetLeftRatio)}` : percent(budgetLeftRatio)}{' '}
          <small>
            {count(bad)} bad, n={count(requests)}, since <At atMs={sinceMs} />
          </small>
        </dd>
      </div>
      {burns.map(({ overMs, rate, requests: n, bad: some }) => (
        <div key={overMs}>
          <dt>Burn rate, last {overMs === HOUR_MS ? 'hour' : span(overMs)}</dt>
          <dd className={rate > 1 ? 'is-bad' : undefined} title="1 × uses up the budget just at the end of its window">
            {rate.toFixed(rate < 10 ? 1 : 0)} ×{' '}
            <small>
              {count(some)} bad, n={count(n)}
            </small>
          </dd>
        </div>
      ))}
    </>
  );
}

/** A promise with all its nines: `99.95 %`. */
function shareOf(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(9))} %`;
}

type Cell = ServiceDetail['windows'][number];

function levelOf({ coverage, requests, errors }: Cell, objectiveRatio: number): string {
  if (coverage < 1) return 'blind';
  if (requests === 0) return 'silent';
  const rate = errors / requests / (1 - objectiveRatio);
  if (rate <= 1) return 'good';
  return rate <= BURN_BAD ? 'burning' : 'bad';
}

function titleOf({ endMs, requests, errors, coverage }: Cell): string {
  return `until ${new Date(endMs).toISOString()}: ${errors} of ${requests} failed, coverage ${percent(coverage)}`;
}
