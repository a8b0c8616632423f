import type { ReactNode } from 'react';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Ago } from '../parts/when.tsx';
import { useIncidents } from '../queries.ts';
import { incidentHref } from '../router.ts';

const SHOWN = 4;

/** Incidents that are open now. */
export function OpenIncidents({ environment }: { readonly environment: string }): ReactNode {
  const open = (useIncidents().data?.items ?? []).filter(
    (each) => each.status !== 'closed' && (environment === '' || each.environment === environment),
  );
  if (open.length === 0) return null;
  return (
    <ul className="open-incidents" aria-label="Open incidents">
      {open.slice(0, SHOWN).map(({ incidentId, title, status, environment: place, openedAtMs }) => (
        <li key={incidentId}>
          <Link to={incidentHref(incidentId)}>
            <strong>
              <T>{title}</T>
            </strong>
            <span className="about">
              <T>{place}</T> · {status === 'open' ? 'open' : 'acted, waiting for the effect'} ·{' '}
              <Ago atMs={openedAtMs} />
            </span>
          </Link>
        </li>
      ))}
      {open.length > SHOWN && <li className="about">and {open.length - SHOWN} more: see Incidents</li>}
    </ul>
  );
}
