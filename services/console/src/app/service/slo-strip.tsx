import type { ServiceDetail } from '@flyball/api';
import type { ReactNode } from 'react';
import { count, percent, span } from '../format.ts';
import type { History } from './history.ts';

/** How fast a service uses up what it may fail, over the time that is shown; 1 is as fast as it may. */
function burnOf(errors: number, requests: number, objectiveRatio: number): number {
  return requests === 0 ? 0 : errors / requests / (1 - objectiveRatio);
}

interface SloStripProps {
  readonly detail: ServiceDetail;
  readonly history: History;
}

/** Whether a service keeps what it promises, a cell per window. */
export function SloStrip({ detail, history: { windows, fromMs, untilMs } }: SloStripProps): ReactNode {
  const { objective } = detail;
  if (objective === null) {
    return (
      <div className="slo">
        <p className="about">
          No objective is on record. Put a file of kind <code>ServiceLevelObjective</code> into the folder of policies
          (see docs/policies.md), and its budget shows here.
        </p>
      </div>
    );
  }
  const { objectiveRatio, windowMs } = objective;
  const requests = windows.reduce((sum, window) => sum + window.requests, 0);
  const errors = windows.reduce((sum, window) => sum + window.errors, 0);
  const burn = burnOf(errors, requests, objectiveRatio);
  const good = requests === 0 ? null : 1 - errors / requests;
  return (
    <div className="slo">
      <dl className="facts">
        <div>
          <dt>Objective</dt>
          <dd>
            {percent(objectiveRatio)} good over {span(windowMs)}
          </dd>
        </div>
        <div>
          <dt>Good, last {span(untilMs - fromMs)}</dt>
          <dd>
            {good === null ? '–' : percent(good)} <small>n={count(requests)}</small>
          </dd>
        </div>
        <div>
          <dt>Burn rate</dt>
          <dd className={burn > 1 ? 'is-bad' : undefined}>
            {burn.toFixed(burn < 10 ? 1 : 0)} × <small>1 uses up the budget just at the end</small>
          </dd>
        </div>
      </dl>
      <div className="slo-cells" role="img" aria-label={`Burn rate ${burn.toFixed(1)}, a cell per window`}>
        {windows.map((window) => (
          <i key={window.endMs} className={`cell-${levelOf(window, objectiveRatio)}`} title={titleOf(window)} />
        ))}
      </div>
    </div>
  );
}

type Cell = ServiceDetail['windows'][number];

function levelOf({ coverage, requests, errors }: Cell, objectiveRatio: number): string {
  if (coverage < 1) return 'blind';
  if (requests === 0) return 'silent';
  const burn = burnOf(errors, requests, objectiveRatio);
  if (burn <= 1) return 'good';
  return burn <= 6 ? 'burning' : 'bad';
}

function titleOf({ endMs, requests, errors, coverage }: Cell): string {
  return `until ${new Date(endMs).toISOString()}: ${errors} of ${requests} failed, coverage ${percent(coverage)}`;
}
