import type { Incident, Signal } from '@flyball/contracts';
import type { ReactNode } from 'react';
import { count, inUnit } from '../format.ts';
import { T } from '../parts/inert.tsx';
import { At } from '../parts/when.tsx';
import { Table } from '../parts/table.tsx';

const SHOWN = 12;

/** The signals that it rests on: what was seen, what was expected, and how much speaks for the difference. */
export function Evidence({ incident: { signals } }: { readonly incident: Incident }): ReactNode {
  const sorted = [...signals].sort((a, b) => b.score - a.score || a.sinceMs - b.sinceMs);
  return (
    <Table
      heads={['service', 'series', '#seen', '#normal', '#odds', '#since']}
      after={sorted.length > SHOWN && <p className="about">and {sorted.length - SHOWN} weaker signals</p>}
    >
      {sorted.slice(0, SHOWN).map((signal) => (
        <Row key={signal.episodeId} signal={signal} />
      ))}
    </Table>
  );
}

function Row({ signal }: { readonly signal: Signal }): ReactNode {
  const { subject, series, sli, version, observed, expected, bad, requests, log10E, sinceMs, detector, traceId } =
    signal;
  const isBurn = signal.objective !== undefined;
  const unit = signal.unit === '' && sli !== null ? (sli === 'errors' ? '1' : 'ms') : signal.unit;
  const name = series === '' ? `${sli ?? ''} ${version}`.trim() : series;
  return (
    <tr title={`${detector}${traceId === '' ? '' : `, e.g. trace ${traceId}`}`}>
      <td>
        <T>{subject.service}</T>
      </td>
      <td>
        <T>{name}</T>
      </td>
      <td className="number">
        {isBurn ? burn(observed) : inUnit(observed, unit)}{' '}
        {requests > 0 && <small title={`${bad} of ${requests}`}>n={count(requests)}</small>}
      </td>
      <td className="number">{isBurn ? burn(expected) : inUnit(expected, unit)}</td>
      <td className="number" title="odds that were won by betting against “no worse than normal”">
        {log10E >= 6 ? `10^${log10E.toFixed(0)}` : count(10 ** Math.max(0, log10E))} : 1
      </td>
      <td className="number">
        <At atMs={sinceMs} />
      </td>
    </tr>
  );
}

/** Times the rate at which a budget would just last. */
function burn(rate: number): string {
  return `${rate.toFixed(1)} ×`;
}
