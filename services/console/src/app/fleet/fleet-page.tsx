import type { ServiceSummary } from '@flyball/api';
import { type ReactNode, useMemo, useRef } from 'react';
import { useKeys } from '../keys.ts';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { inert } from '../parts/inert.tsx';
import { Answered, Empty, Rebuilding } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { type State, STATES, StateMark } from '../parts/state.tsx';
import { useGraph, useServices } from '../queries.ts';
import { setParam, usePlace } from '../router.ts';
import { FleetGraph } from './fleet-graph.tsx';
import { FleetList } from './fleet-list.tsx';
import { OpenIncidents } from './open-incidents.tsx';

/** All services: how they are, who calls whom. */
export function FleetPage(): ReactNode {
  const services = useServices();
  return (
    <>
      <Answered of={services} what="services">
        {({ items, isRebuilding }) => (
          <>
            <Rebuilding is={isRebuilding} />
            <Fleet services={items} />
          </>
        )}
      </Answered>
    </>
  );
}

function Fleet({ services }: { readonly services: readonly ServiceSummary[] }): ReactNode {
  const { params } = usePlace();
  const environment = params.get('env') ?? '';
  const here = services.filter((each) => environment === '' || each.environment === environment);
  const environments = useMemo(() => [...new Set(services.map((each) => each.environment))].sort(), [services]);
  const drawn = environment !== '' ? environment : worstOf(services);
  const failing = here.filter(({ state }) => state === 'failing').length;
  return (
    <>
      <PageHead
        name="Fleet"
        title="Fleet"
        about={
          here.length === 0
            ? undefined
            : `${here.length} services in ${environmentsText(environment, environments)}, ${failing === 0 ? 'none failing' : `${failing} failing`}`
        }
        copies={[cliOf('services'), curlOf('/v1/services')]}
      />
      {services.length === 0 ? (
        <NoServices />
      ) : (
        <>
          <OpenIncidents environment={environment} />
          <Filters services={here} environments={environments} />
          <Picture environment={drawn} services={services} />
          <FleetList services={filtered(here, params)} />
        </>
      )}
    </>
  );
}

function Picture({
  environment,
  services,
}: {
  readonly environment: string;
  readonly services: readonly ServiceSummary[];
}): ReactNode {
  const graph = useGraph(environment);
  const inside = services.filter((each) => each.environment === environment);
  return (
    <section aria-label={`Service graph of ${inert(environment)}`}>
      <h2 className="section-title">
        Who calls whom in <bdi>{inert(environment)}</bdi>
      </h2>
      <Answered of={graph} what="the service graph">
        {(data) =>
          data.nodes.length === 0 ? (
            <p className="about">No service of this environment is known.</p>
          ) : (
            <FleetGraph graph={data} services={inside} />
          )
        }
      </Answered>
    </section>
  );
}

function NoServices(): ReactNode {
  return (
    <Empty title="No service has been heard yet">
      <p>Point any OpenTelemetry SDK or Collector at Flyball; a service appears within a window, some 20 s:</p>
      <pre>export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317</pre>
      <p>
        To see whether the way is open, run <code>flyball send-test</code>. It sends one span and waits until it shows
        here.
      </p>
    </Empty>
  );
}

/** The environment with the most trouble; of equals the first by name. */
function worstOf(services: readonly ServiceSummary[]): string {
  const troubles = new Map<string, number>();
  for (const { environment, state } of services) {
    troubles.set(environment, (troubles.get(environment) ?? 0) + (state === 'failing' ? 1 : 0));
  }
  return [...troubles].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0] ?? '';
}

function filtered(services: readonly ServiceSummary[], params: URLSearchParams): readonly ServiceSummary[] {
  const text = (params.get('q') ?? '').toLowerCase();
  const state = params.get('state') ?? '';
  return services.filter(
    (each) =>
      (state === '' || each.state === state) &&
      `${each.service} ${each.environment} ${each.versions.join(' ')}`.toLowerCase().includes(text),
  );
}

function environmentsText(chosen: string, all: readonly string[]): string {
  const one = chosen !== '' ? chosen : all.length === 1 ? all[0]! : '';
  return one === '' ? `${all.length} environments` : inert(one);
}

interface FiltersProps {
  readonly services: readonly ServiceSummary[];
  readonly environments: readonly string[];
}

function Filters({ services, environments }: FiltersProps): ReactNode {
  const { params } = usePlace();
  const search = useRef<HTMLInputElement>(null);
  useKeys(useMemo(() => ({ '/': () => search.current?.focus() }), []));
  const chosen = params.get('state') ?? '';
  const countOf = (state: State) => services.filter((each) => each.state === state).length;
  return (
    <div className="filters">
      <label className="search">
        <span className="hidden">Search services</span>
        <input
          ref={search}
          type="search"
          placeholder="Search services ( / )"
          value={params.get('q') ?? ''}
          onChange={(event) => setParam('q', event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
      </label>
      <label>
        <span className="hidden">Environment</span>
        <select value={params.get('env') ?? ''} onChange={(event) => setParam('env', event.target.value)}>
          <option value="">All environments</option>
          {environments.map((name) => (
            <option key={name} value={name}>
              {inert(name)}
            </option>
          ))}
        </select>
      </label>
      <div className="toggles" role="group" aria-label="States">
        <button type="button" aria-pressed={chosen === ''} onClick={() => setParam('state', '')}>
          All {services.length}
        </button>
        {STATES.map((state) => (
          <button
            key={state}
            type="button"
            aria-pressed={chosen === state}
            onClick={() => setParam('state', chosen === state ? '' : state)}
          >
            <StateMark state={state} /> {countOf(state)}
          </button>
        ))}
      </div>
    </div>
  );
}
