import type { CommandDetail, IncidentView } from '@flyball/api';
import { type ReactNode, useState } from 'react';
import { span } from '../format.ts';
import { useNow } from '../now.ts';
import { Button } from '../parts/button.tsx';
import { cliOf, curlOf } from '../parts/copy-as.tsx';
import { T } from '../parts/inert.tsx';
import { Link } from '../parts/link.tsx';
import { Answered } from '../parts/notice.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Section } from '../parts/section.tsx';
import { At } from '../parts/when.tsx';
import { useCommands, useIncident } from '../queries.ts';
import { href } from '../router.ts';
import { Causes } from './causes.tsx';
import { Commands } from './commands.tsx';
import { Decisions } from './decisions.tsx';
import { endOf, Pill } from './ending.tsx';
import { Evidence } from './evidence.tsx';
import { postMortemOf } from './post-mortem.ts';
import { Remarks } from './remarks.tsx';
import { SilenceDialog } from './silence-dialog.tsx';
import { Timeline } from './timeline.tsx';

/** One incident: what was seen, blamed, considered, done, and whether it helped. */
export function IncidentPage({ id }: { readonly id: string }): ReactNode {
  return (
    <Answered of={useIncident(id)} what="the incident">
      {(incident) => <Whole incident={incident} />}
    </Answered>
  );
}

function Whole({ incident }: { readonly incident: IncidentView }): ReactNode {
  const answer = useCommands();
  const ofIncident = (all: readonly CommandDetail[]) =>
    all.filter(({ command }) => command.incidentId === incident.incidentId);
  const commands = ofIncident(answer.data?.items ?? []);
  return (
    <>
      <Head incident={incident} commands={commands} />
      <Times incident={incident} commands={commands} />
      <div className="columns columns-wide">
        <Section title="Timeline">
          <Timeline incident={incident} />
          <Remarks incident={incident} />
        </Section>
        <div className="stack">
          <Section title="Why: suspects, the likeliest first">
            <Causes incident={incident} />
          </Section>
          <Section title="Evidence">
            <Evidence incident={incident} />
          </Section>
        </div>
      </div>
      <Section title="What was considered">
        <Decisions incident={incident} />
      </Section>
      <Section title="What was done">
        <Answered of={answer} what="what was done">
          {({ items }) => <Commands commands={ofIncident(items)} incident={incident} />}
        </Answered>
      </Section>
    </>
  );
}

interface IncidentProps {
  readonly incident: IncidentView;
  readonly commands: readonly CommandDetail[];
}

function Head({ incident, commands }: IncidentProps): ReactNode {
  const [isSilencing, setSilencing] = useState(false);
  const { incidentId, environment, title, causes, signals } = incident;
  const service = causes[0]?.subject.service ?? signals[0]?.subject.service ?? '';
  const markdown = { name: 'Post-mortem', text: postMortemOf(incident, commands) };
  return (
    <>
      <PageHead
        name={title}
        title={<T>{title}</T>}
        about={
          <>
            <Pill incident={incident} />{' '}
            <Link to={href('/', { env: environment })}>
              <T>{environment}</T>
            </Link>{' '}
            · {endOf(incident)} · <code>{incidentId}</code>
          </>
        }
        copies={[cliOf(`explain ${incidentId}`), curlOf(`/v1/incidents/${incidentId}`), markdown]}
      >
        <Button
          whyNot={service === '' ? 'No service is blamed yet.' : ''}
          onClick={() => setSilencing(true)}
          title="Silence the service, or freeze the environment, for a time"
        >
          Hold automation…
        </Button>
      </PageHead>
      {isSilencing && <SilenceDialog environment={environment} service={service} onClose={() => setSilencing(false)} />}
    </>
  );
}

/** When it began, was seen, acted on and over. */
function Times({ incident, commands }: IncidentProps): ReactNode {
  const now = useNow();
  const { startedAtMs, openedAtMs, closedAtMs, decisions } = incident;
  const decidedAtMs = decisions[0]?.atMs;
  const appliedAtMs = commands
    .flatMap(({ outcomes }) =>
      outcomes.flatMap((each) => (each.type === 'outcome' && each.status === 'applied' ? [each.atMs] : [])),
    )
    .sort((a, b) => a - b)[0];
  const after = (atMs: number | undefined, fromMs: number) => (atMs === undefined ? '–' : span(atMs - fromMs));
  return (
    <dl className="facts facts-large">
      <Fact name="Began" value={<At atMs={startedAtMs} isLong />} about="earliest estimate" />
      <Fact name="Detected after" value={after(openedAtMs, startedAtMs)} about="from onset to signal" />
      <Fact name="Decided after" value={after(decidedAtMs, openedAtMs)} about="from signal to decision" />
      <Fact name="Acted after" value={after(appliedAtMs, decidedAtMs ?? openedAtMs)} about="from decision to effect" />
      <Fact
        name={closedAtMs === null ? 'Lasts for' : 'Lasted'}
        value={span((closedAtMs ?? now) - startedAtMs)}
        about={closedAtMs === null ? 'still open' : 'from onset to the end'}
      />
    </dl>
  );
}

function Fact({
  name,
  value,
  about,
}: {
  readonly name: string;
  readonly value: ReactNode;
  readonly about: string;
}): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
      <small>{about}</small>
    </div>
  );
}
