import type { EdgeTotal, LogTotal, ServiceDetail } from '@flyball/api';
import type { ReactNode } from 'react';
import { count, duration, percent } from '../format.ts';
import { T } from '../parts/inert.tsx';
import { Table } from '../parts/table.tsx';
import { useEdges, useLogs } from '../queries.ts';

const SHOWN = 12;
const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

/** Versions side by side: what one does that the other does not. */
export function Versions({ detail }: { readonly detail: ServiceDetail }): ReactNode {
  const versions = detail.assessment?.versions ?? [];
  if (versions.length === 0) return <p className="about">No version had requests lately.</p>;
  return (
    <Table heads={['version', 'role', '#traffic', '#errors', '#p95', 'verdict', 'why']}>
      {versions.map((each) => (
        <tr key={each.version}>
          <td>
            <T>{each.version}</T>
          </td>
          <td>{each.role}</td>
          <td className="number">{percent(each.trafficRatio)}</td>
          <td className="number">
            {each.requests === 0 ? '–' : percent(each.errors / each.requests)} <small>n={count(each.requests)}</small>
          </td>
          <td className="number">{duration(each.p95Ms)}</td>
          <td className={`verdict-${each.verdict}`}>{each.verdict}</td>
          <td className="about why">
            errors {words(each.errorsSli.reason)}, latency {words(each.latencySli.reason)}
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** Operations, those with most errors first. */
export function Operations({ detail }: { readonly detail: ServiceDetail }): ReactNode {
  const rows = detail.totals
    .filter(({ view }) => view === 'operation')
    .sort((a, b) => b.errors - a.errors || b.count - a.count);
  if (rows.length === 0) return <p className="about">No operation was seen in the windows that are kept.</p>;
  return (
    <Table heads={['operation', 'kind', '#count', '#errors', '#p50', '#p95']} after={more(rows.length)}>
      {rows.slice(0, SHOWN).map(({ name, kind, count: n, errors, p50Ms, p95Ms }) => (
        <tr key={`${name} ${kind}`}>
          <td>
            <T>{name}</T>
          </td>
          <td>{KINDS[kind] ?? kind}</td>
          <td className="number">{count(n)}</td>
          <td className="number">{percent(errors / Math.max(1, n))}</td>
          <td className="number">{duration(p50Ms)}</td>
          <td className="number">{duration(p95Ms)}</td>
        </tr>
      ))}
    </Table>
  );
}

const EDGE_NAMES: Readonly<Record<EdgeTotal['view'], string>> = {
  caller: 'called by',
  gap: 'network before',
  self: 'own time in',
};

/** Who calls it, what the network before it takes, and where its own time goes. */
export function Edges({ id }: { readonly id: string }): ReactNode {
  const rows = useEdges(id).data?.items ?? [];
  if (rows.length === 0) return <p className="about">No call to it was joined from traces of both sides.</p>;
  return (
    <Table heads={['what', 'name', '#count', '#errors', '#p50', '#p95']} after={more(rows.length)}>
      {rows.slice(0, SHOWN).map(({ view, name, kind, count: n, errors, p50Ms, p95Ms }) => (
        <tr key={`${view} ${name} ${kind}`}>
          <td className="about">{EDGE_NAMES[view]}</td>
          <td>
            <T>{name}</T>
          </td>
          <td className="number">{count(n)}</td>
          <td className="number">{percent(errors / Math.max(1, n))}</td>
          <td className="number">{duration(p50Ms)}</td>
          <td className="number">{duration(p95Ms)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** Log records that are alike, errors first. */
export function Logs({ id }: { readonly id: string }): ReactNode {
  const rows: readonly LogTotal[] = (useLogs(id).data?.items ?? []).filter(({ view }) => view === 'template');
  if (rows.length === 0)
    return <p className="about">No logs of it: they show when its SDK exports logs to the same address.</p>;
  return (
    <Table heads={['records like', '#count', '#errors']} after={more(rows.length)}>
      {rows.slice(0, SHOWN).map(({ name, count: n, errors }) => (
        <tr key={name}>
          <td>
            <T>{name}</T>
          </td>
          <td className="number">{count(n)}</td>
          <td className="number">{count(errors)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** How many rows are not shown. */
function more(rows: number): ReactNode {
  return rows > SHOWN && <p className="about">and {rows - SHOWN} more: “Copy as” has all of them</p>;
}

function words(reason: string): string {
  return reason.replaceAll('_', ' ');
}
