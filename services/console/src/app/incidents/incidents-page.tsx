import type { Incident } from '@flyball/contracts';
import { type ReactNode, useMemo, useRef } from 'react';
import { span } from '../format.ts';
import { useKeys } from '../keys.ts';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { inert, T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Answered, Empty, Rebuilding } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { useRows } from '../parts/rows.ts';
import { At } from '../parts/when.tsx';
import { useNow } from '../now.ts';
import { useIncidents } from '../queries.ts';
import { go, incidentHref, setParam, usePlace } from '../router.ts';
import { endOf, Pill } from './ending.tsx';
import { QuietNow } from './quiet-now.tsx';

/** Incidents, newest first. */
export function IncidentsPage(): ReactNode {
  const incidents = useIncidents();
  return (
    <>
      <PageHead name="Incidents" title="Incidents" copies={[cliOf('incidents'), curlOf('/v1/incidents')]} />
      <QuietNow />
      <Answered of={incidents} what="incidents">
        {({ items, isRebuilding }) => (
          <>
            <Rebuilding is={isRebuilding} />
            {items.length === 0 ? <NoIncidents /> : <Incidents all={items} />}
          </>
        )}
      </Answered>
    </>
  );
}

function NoIncidents(): ReactNode {
  return (
    <Empty title="No incident yet">
      <p>
        An incident opens when a service fails where it did not before. What is normal is learned first: services that
        are <em>warming</em> cannot signal. To see one now, run <code>npm start</code>: its shop deploys a faulty
        release.
      </p>
    </Empty>
  );
}

const STATUSES = ['open', 'mitigating', 'closed'] as const;

function Incidents({ all }: { readonly all: readonly Incident[] }): ReactNode {
  const { params } = usePlace();
  const [text, status, env] = ['q', 'status', 'env'].map((name) => params.get(name) ?? '') as [string, string, string];
  const search = useRef<HTMLInputElement>(null);
  useKeys(useMemo(() => ({ '/': () => search.current?.focus() }), []));
  const here = all.filter(({ environment }) => env === '' || environment === env);
  const shown = here.filter(
    (each) =>
      (status === '' || each.status === status) &&
      `${each.title} ${each.incidentId} ${each.environment}`.toLowerCase().includes(text.toLowerCase()),
  );
  const chosen = useRows(shown.length, (index) => go(incidentHref(shown[index]!.incidentId)));
  return (
    <>
      <div className="filters">
        <label className="search">
          <span className="hidden">Search incidents</span>
          <input
            ref={search}
            type="search"
            placeholder="Search incidents ( / )"
            value={text}
            onChange={(event) => setParam('q', event.target.value)}
          />
        </label>
        {env !== '' && (
          <button type="button" className="button button-plain" onClick={() => setParam('env', '')}>
            only <bdi>{inert(env)}</bdi> ✕
          </button>
        )}
        <div className="toggles" role="group" aria-label="Status">
          {['', ...STATUSES].map((each) => (
            <button key={each} type="button" aria-pressed={status === each} onClick={() => setParam('status', each)}>
              {each === ''
                ? `All ${here.length}`
                : `${each} ${here.filter((incident) => incident.status === each).length}`}
            </button>
          ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <Empty title="No incident matches">Change the search, the environment or the status above.</Empty>
      ) : (
        <ul className="incident-list">
          {shown.map((incident, index) => (
            <IncidentLine key={incident.incidentId} incident={incident} isChosen={index === chosen} />
          ))}
        </ul>
      )}
    </>
  );
}

function IncidentLine({ incident, isChosen }: { readonly incident: Incident; readonly isChosen: boolean }): ReactNode {
  const {
    incidentId,
    title,
    environment,
    openedAtMs,
    startedAtMs,
    closedAtMs,
    decisions,
    commandIds,
    silencedUntilMs,
  } = incident;
  const now = useNow();
  const isSilenced = silencedUntilMs !== null && silencedUntilMs > now && closedAtMs === null;
  return (
    <li data-chosen={isChosen} className={`incident-line incident-${incident.status}`}>
      <Link to={incidentHref(incidentId)}>
        <span className="incident-when">
          <At atMs={openedAtMs} isLong />
        </span>
        <span className="incident-what">
          <strong>
            <T>{title}</T>
          </strong>
          <span className="about">
            <T>{environment}</T> · {endOf(incident)} · {closedAtMs === null ? 'for' : 'lasted'}{' '}
            {span((closedAtMs ?? now) - startedAtMs)} · {decisions.length}{' '}
            {decisions.length === 1 ? 'decision' : 'decisions'}, {commandIds.length}{' '}
            {commandIds.length === 1 ? 'command' : 'commands'}
            {isSilenced && ' · silenced'}
          </span>
        </span>
        <Pill incident={incident} />
      </Link>
    </li>
  );
}
