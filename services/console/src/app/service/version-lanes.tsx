import type { ServiceDetail } from '@flyball/api';
import type { ReactNode } from 'react';
import { count, percent } from '../format.ts';
import { inert, T } from '../parts/inert.tsx';
import type { History } from './history.ts';

const LANES_MAX = 6;

interface VersionLanesProps {
  readonly detail: ServiceDetail;
  readonly history: History;
}

/** A lane per version, under the charts and on their scale: when it had traffic, and how much of it. */
export function VersionLanes({ detail, history: { windows, fromMs, untilMs } }: VersionLanesProps): ReactNode {
  const versions = [...new Set(windows.flatMap((window) => window.versions.map(({ version }) => version)))];
  const judged = new Map(detail.assessment?.versions.map((each) => [each.version, each]));
  const x = (atMs: number) => ((atMs - fromMs) / Math.max(1, untilMs - fromMs)) * 1_000;
  if (versions.length === 0)
    return (
      <p className="about">
        No version yet: set <code>service.version</code> on its telemetry to compare releases.
      </p>
    );
  return (
    <div className="lanes">
      {versions.slice(-LANES_MAX).map((version) => {
        const now = judged.get(version);
        return (
          <div key={version} className="lane">
            <span className="lane-name">
              <T>{version}</T> {now !== undefined && <small>{now.role}</small>}
            </span>
            <svg viewBox="0 0 1000 16" preserveAspectRatio="none" role="img" aria-label={laneText(version, now)}>
              {windows.map(({ startMs, endMs, requests, versions: all }) => {
                const of = all.find((each) => each.version === version);
                if (of === undefined || of.requests === 0) return null;
                // Also a hundredth of the traffic must be seen.
                const height = Math.max(3, (16 * of.requests) / Math.max(1, requests));
                const isBad = of.errors / of.requests > 0.05;
                return (
                  <rect
                    key={endMs}
                    x={x(Math.max(startMs, fromMs))}
                    width={x(endMs) - x(Math.max(startMs, fromMs)) + 0.5}
                    y={16 - height}
                    height={height}
                    className={isBad ? 'lane-bad' : 'lane-good'}
                  />
                );
              })}
            </svg>
            <span className="lane-now">
              {now === undefined || now.requests === 0
                ? 'no traffic now'
                : `${percent(now.trafficRatio)} n=${count(now.requests)}`}
            </span>
          </div>
        );
      })}
      <p className="about">
        Height is the share of requests; red where more than 5 % of the version’s own requests failed.
      </p>
    </div>
  );
}

function laneText(version: string, now: { readonly trafficRatio: number } | undefined): string {
  return `${inert(version)}: ${now === undefined ? 'no traffic now' : `${percent(now.trafficRatio)} of the traffic`}`;
}
