import type { ServiceDetail } from '@flyball/api';
import type { Assessment } from '@flyball/contracts';
import { type ReactNode, useMemo, useState } from 'react';
import { duration, percent } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { inert, T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Answered } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Section } from '../parts/section.tsx';
import { MEANING, StateMark } from '../parts/state.tsx';
import { Ago, At } from '../parts/when.tsx';
import { useChanges, useCommands, useIncidents, useService } from '../queries.ts';
import { SilenceDialog } from '../incidents/silence-dialog.tsx';
import { href, incidentHref, setParam, usePlace } from '../router.ts';
import { GoldenSignals } from './golden-signals.tsx';
import { type History, historyOf, incidentsOf, RANGES } from './history.ts';
import { Saturation } from './saturation.tsx';
import { SloStrip } from './slo-strip.tsx';
import { Edges, Logs, Operations, Versions } from './totals.tsx';
import { VersionLanes } from './version-lanes.tsx';

/** One service: how it is, how it was, and what happened to it. */
export function ServicePage({ id }: { readonly id: string }): ReactNode {
  return (
    <Answered of={useService(id)} what="the service">
      {(detail) => <Service detail={detail} />}
    </Answered>
  );
}

function Service({ detail }: { readonly detail: ServiceDetail }): ReactNode {
  const { params } = usePlace();
  const rangeMs = RANGES[params.get('range') ?? ''] ?? Infinity;
  const changes = useChanges().data?.items;
  const commands = useCommands().data?.items;
  const incidents = useIncidents().data?.items;
  const history = useMemo(
    () => historyOf(detail, { changes: changes ?? [], commands: commands ?? [], incidents: incidents ?? [] }, rangeMs),
    [detail, changes, commands, incidents, rangeMs],
  );
  const { id } = detail;
  return (
    <>
      <Head detail={detail} />
      <Section title="Objective">
        <SloStrip detail={detail} history={history} />
      </Section>
      <Section title="Golden signals" beside={<Ranges />}>
        <GoldenSignals detail={detail} history={history} />
        <VersionLanes detail={detail} history={history} />
        <Legend history={history} />
      </Section>
      <div className="columns">
        <Section title="Versions">
          <Versions detail={detail} />
        </Section>
        <Section title="What happened">
          <Happened detail={detail} history={history} />
        </Section>
      </div>
      <Section title="Saturation and metrics">
        <Saturation id={id} history={history} />
      </Section>
      <div className="columns">
        <Section title="Operations">
          <Operations detail={detail} />
        </Section>
        <Section title="Callers, network, own time">
          <Edges id={id} />
        </Section>
      </div>
      <Section title="Logs">
        <Logs id={id} />
      </Section>
    </>
  );
}

function Head({ detail }: { readonly detail: ServiceDetail }): ReactNode {
  const [isSilencing, setSilencing] = useState(false);
  const { id, environment, service, state, coverage, lastSeenAtMs } = detail;
  return (
    <>
      <PageHead
        name={service}
        title={
          <>
            <T>{service}</T> <StateMark state={state} />
          </>
        }
        about={
          <>
            <Link to={href('/', { env: environment })}>
              <T>{environment}</T>
            </Link>{' '}
            · <T>{sentenceOf(detail)}</T> · coverage {percent(coverage)} · seen <Ago atMs={lastSeenAtMs} />
          </>
        }
        copies={[cliOf(`services '${inert(id)}'`), curlOf(`/v1/services/${encodeURIComponent(id)}`)]}
      >
        <Button onClick={() => setSilencing(true)} title="Nobody is told of it, and nothing is done, for a time">
          Silence…
        </Button>
      </PageHead>
      {isSilencing && <SilenceDialog environment={environment} service={service} onClose={() => setSilencing(false)} />}
    </>
  );
}

/** Why it is how it is, with the numbers. */
function sentenceOf({ state, assessment }: ServiceDetail): string {
  if (assessment === null) return 'nothing is known of it yet';
  const { isSilent, coverage, versions, instances = [] } = assessment;
  const parts = [
    ...failuresOf('', assessment),
    ...versions.flatMap((each) => (each.requests > 0 ? failuresOf(`${each.version}: `, each) : [])),
    ...instances.flatMap((each) => (each.requests > 0 ? failuresOf(`${each.instance}: `, each) : [])),
  ];
  if (parts.length > 0) return parts.join('; ');
  if (isSilent) return 'no request, though it had some before';
  if (coverage < 1) return 'part of its telemetry is missing, so nothing is concluded';
  return MEANING[state];
}

/** What of a service, a version or an instance fails. */
function failuresOf(of: string, { errorsSli, latencySli }: Pick<Assessment, 'errorsSli' | 'latencySli'>): string[] {
  const failures: string[] = [];
  if (errorsSli.verdict === 'fail') {
    const { observed, expected, bad, requests } = errorsSli;
    failures.push(
      `${of}errors ${percent(observed ?? 0)} against ${percent(expected ?? 0)} (${bad} of ${requests} requests)`,
    );
  }
  if (latencySli.verdict === 'fail') {
    const { observed, expected, requests } = latencySli;
    failures.push(`${of}p95 ${duration(observed)} against ${duration(expected)} (n=${requests})`);
  }
  return failures;
}

function Ranges(): ReactNode {
  const { params } = usePlace();
  const chosen = params.get('range') ?? '';
  return (
    <div className="toggles" role="group" aria-label="Range of time">
      {[...Object.keys(RANGES), ''].map((range) => (
        <button key={range} type="button" aria-pressed={chosen === range} onClick={() => setParam('range', range)}>
          {range === '' ? 'All kept' : range}
        </button>
      ))}
    </div>
  );
}

function Legend({ history: { blind, spans } }: { readonly history: History }): ReactNode {
  return (
    <p className="legend about">
      <span>
        <i className="key key-normal" /> what is normal
      </span>
      <span>
        <i className="key key-change" /> change
      </span>
      <span>
        <i className="key key-action" /> action of Flyball
      </span>
      {spans.length > 0 && (
        <span>
          <i className="key key-span" /> incident
        </span>
      )}
      {blind.length > 0 && (
        <span>
          <i className="key key-blind" /> coverage below 100 %
        </span>
      )}
    </p>
  );
}

function Happened({ detail, history }: { readonly detail: ServiceDetail; readonly history: History }): ReactNode {
  const incidents = incidentsOf(detail, useIncidents().data?.items ?? []).slice(0, 5);
  const markers = history.markers.slice(-8).reverse();
  if (incidents.length === 0 && markers.length === 0) {
    return (
      <p className="about">
        No incident, no change and no action is on record. Tell of deploys with <code>POST /v1/changes</code>: they are
        marked here, and make causes sharper.
      </p>
    );
  }
  return (
    <ul className="happened">
      {incidents.map(({ incidentId, title, openedAtMs, status }) => (
        <li key={incidentId}>
          <At atMs={openedAtMs} />
          <Link to={incidentHref(incidentId)}>
            <T>{title}</T>
          </Link>
          <span className={`pill pill-${status}`}>{status}</span>
        </li>
      ))}
      {markers.map(({ atMs, kind, text }) => (
        <li key={`${atMs} ${text}`}>
          <At atMs={atMs} />
          <span>
            <i className={`key key-${kind}`} /> <T>{text}</T>
          </span>
          <span className="about">{kind}</span>
        </li>
      ))}
    </ul>
  );
}
