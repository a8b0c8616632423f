import type { CommandDetail } from '@flyball/api';
import type { Incident, OutcomesMessage } from '@flyball/contracts';
import type { ReactNode } from 'react';
import { span } from '../format.ts';
import { cliOf, CopyAs, curlOf } from '../parts/copy-as.tsx';
import { T } from '../parts/inert.tsx';
import { At } from '../parts/when.tsx';

interface CommandsProps {
  readonly commands: readonly CommandDetail[];
  readonly incident: Incident;
}

/** Commands of an incident with all that became of them. */
export function Commands({ commands, incident }: CommandsProps): ReactNode {
  if (commands.length === 0) {
    const isWaiting = incident.decisions.some(({ verdict }) => verdict === 'pending');
    return (
      <p className="about">
        {isWaiting
          ? 'Nothing yet: a person is asked first.'
          : 'Nothing: no command was issued. “What was considered” says which gates held actions back.'}
      </p>
    );
  }
  return (
    <div className="decisions">
      {commands.map((detail) => (
        <One key={detail.command.commandId} detail={detail} />
      ))}
    </div>
  );
}

function One({ detail: { command, status, outcomes } }: { readonly detail: CommandDetail }): ReactNode {
  const { commandId, action, target, issuedAtMs, ttlMs, approval, generation } = command;
  return (
    <article className="decision">
      <header>
        <h3>
          {action.type} <T>{target.name}</T>
        </h3>
        <span className={`pill pill-${status}`}>{status}</span>
        <span className="about">
          <At atMs={issuedAtMs} /> · <code>{commandId}</code> · generation {generation.join('.')}
          {ttlMs !== null && ` · ends by itself after ${span(ttlMs)}`}
          {approval !== null && (
            <>
              {' '}
              · approved by <T>{approval.actor}</T>
            </>
          )}
        </span>
        <CopyAs items={[cliOf(`explain ${command.incidentId}`), curlOf(`/v1/commands/${commandId}`)]} />
      </header>
      {outcomes.length === 0 && <p className="about">Issued; no actuator has claimed it yet.</p>}
      <ol className="outcomes">
        {outcomes.map((message, index) => (
          <li key={index}>
            <Outcome message={message} />
          </li>
        ))}
      </ol>
    </article>
  );
}

function Outcome({ message }: { readonly message: OutcomesMessage }): ReactNode {
  if (message.type === 'claim') {
    return (
      <>
        <At atMs={message.claimedAtMs} /> <b>claimed</b>{' '}
        <span className="about">by actuator {message.run.slice(0, 8)}</span>
      </>
    );
  }
  if (message.type === 'judgement') {
    return (
      <>
        <At atMs={message.atMs} /> <b>{message.status}</b> <T>{message.sentence}</T>
      </>
    );
  }
  const { atMs, status, by, reason, detail, before, after } = message;
  return (
    <>
      <At atMs={atMs} /> <b>{status}</b>{' '}
      <span className="about">
        by {by}
        {reason !== null && `, ${reason.replaceAll('_', ' ')}`}
      </span>{' '}
      {(before !== '' || after !== '') && (
        <span className="diff">
          <del>
            <T>{before === '' ? '–' : before}</T>
          </del>{' '}
          →{' '}
          <ins>
            <T>{after === '' ? '–' : after}</T>
          </ins>
        </span>
      )}{' '}
      {detail !== '' && <T>{detail}</T>}
    </>
  );
}
