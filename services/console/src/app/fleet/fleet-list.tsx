import type { ServiceSummary } from '@flyball/api';
import { type ReactNode, useMemo } from 'react';
import { count, duration, percent, perSecond } from '../format.ts';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Empty } from '../parts/notice.tsx';
import { useRows } from '../parts/rows.ts';
import { STATES, StateMark } from '../parts/state.tsx';
import { Ago } from '../parts/when.tsx';
import { go, serviceHref, setParam, usePlace } from '../router.ts';

/** In a group of more, services that are ok are folded away. */
const FOLDED_FROM = 30;

const SORTS: Readonly<Record<string, (a: ServiceSummary, b: ServiceSummary) => number>> = {
  // Among those that are ok nothing is worse than another: rows that change places cannot be read.
  state: (a, b) =>
    STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.state === 'failing' ? errorsOf(b) - errorsOf(a) : 0),
  service: () => 0,
  requests: (a, b) => b.requests - a.requests,
  errors: (a, b) => errorsOf(b) - errorsOf(a),
  p95: (a, b) => (b.p95Ms ?? -1) - (a.p95Ms ?? -1),
};

function errorsOf({ errors, requests }: ServiceSummary): number {
  return requests === 0 ? 0 : errors / requests;
}

/** Services as rows, by environment, the worst first. */
export function FleetList({ services }: { readonly services: readonly ServiceSummary[] }): ReactNode {
  const { params } = usePlace();
  const sort = SORTS[params.get('sort') ?? 'state'] ?? SORTS['state']!;
  const isWhole = params.get('all') === '1' || (params.get('q') ?? '') !== '' || (params.get('state') ?? '') !== '';
  const groups = useMemo(() => {
    const sorted = [...services].sort((a, b) => sort(a, b) || (a.service < b.service ? -1 : 1));
    return [...Map.groupBy(sorted, ({ environment }) => environment)]
      .map(([environment, all]) => {
        const shown = isWhole || all.length <= FOLDED_FROM ? all : all.filter(({ state }) => state !== 'ok');
        return { environment, shown, folded: all.length - shown.length };
      })
      .sort(
        (a, b) =>
          sort(a.shown[0] ?? services[0]!, b.shown[0] ?? services[0]!) || (a.environment < b.environment ? -1 : 1),
      );
  }, [services, sort, isWhole]);
  const flat = useMemo(() => groups.flatMap(({ shown }) => shown), [groups]);
  const chosen = useRows(flat.length, (index) => go(serviceHref(flat[index]!.id)));
  if (services.length === 0) {
    return (
      <Empty title="No service matches">
        Change the search, the environment or the states above; <Link to="/">or show all</Link>.
      </Empty>
    );
  }
  return (
    <div className="table-scroll">
      <table className="rows fleet-rows">
        <thead>
          <tr>
            <Head name="service" />
            <Head name="state" />
            <Head name="requests" isNumber />
            <Head name="errors" isNumber />
            <th className="number">p50</th>
            <Head name="p95" isNumber />
            <th>versions</th>
            <th className="number">coverage</th>
            <th className="number">last seen</th>
          </tr>
        </thead>
        {groups.map(({ environment, shown, folded }) => (
          <tbody key={environment}>
            <tr className="group">
              <th colSpan={9} scope="rowgroup">
                <T>{environment}</T>
                {folded > 0 && (
                  <button type="button" className="fold" onClick={() => setParam('all', '1')}>
                    {folded} ok services are folded away: show
                  </button>
                )}
              </th>
            </tr>
            {shown.map((row) => (
              <Row key={row.id} row={row} isChosen={flat[chosen] === row} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Head({ name, isNumber = false }: { readonly name: string; readonly isNumber?: boolean }): ReactNode {
  const { params } = usePlace();
  const isSorted = (params.get('sort') ?? 'state') === name;
  return (
    <th className={isNumber ? 'number' : undefined} aria-sort={isSorted ? 'descending' : 'none'}>
      <button type="button" onClick={() => setParam('sort', name === 'state' ? '' : name)}>
        {name}
        <span aria-hidden>{isSorted ? ' ↓' : ''}</span>
      </button>
    </th>
  );
}

function Row({ row, isChosen }: { readonly row: ServiceSummary; readonly isChosen: boolean }): ReactNode {
  const { id, service, state, requests, errors, windowMs, p50Ms, p95Ms, versions, coverage, lastSeenAtMs } = row;
  return (
    <tr className={`row-${state}`} data-chosen={isChosen} onClick={() => go(serviceHref(id))}>
      <td className="name">
        <Link to={serviceHref(id)}>
          <T>{service}</T>
        </Link>
      </td>
      <td>
        <StateMark state={state} />
      </td>
      <td className="number">{perSecond(requests, windowMs)}</td>
      <td className="number" title={`${errors} of ${requests} requests in the newest window`}>
        {requests === 0 ? '–' : percent(errors / requests)} <small>n={count(requests)}</small>
      </td>
      <td className="number">{duration(p50Ms)}</td>
      <td className="number">{duration(p95Ms)}</td>
      <td className="versions">
        {versions.length === 0 && <span className="none">–</span>}
        {versions.map((version) => (
          <span key={version} className="tag">
            <T>{version}</T>
          </span>
        ))}
      </td>
      <td className="number">{percent(coverage)}</td>
      <td className="number">
        <Ago atMs={lastSeenAtMs} />
      </td>
    </tr>
  );
}
