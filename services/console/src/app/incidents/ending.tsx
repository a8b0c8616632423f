import type { Incident } from '@flyball/contracts';
import type { ReactNode } from 'react';

const ENDINGS: Readonly<Record<NonNullable<Incident['resolution']>, string>> = {
  verified: 'closed: what Flyball did helped',
  recovered: 'closed: it recovered by itself, or somebody helped',
  ineffective: 'closed: what Flyball did did not help',
  harmful: 'closed: what Flyball did made it worse',
  blind: 'closed: telemetry was lost, nobody can tell',
};

/** How an incident ended, or where it stands. */
export function endOf({ status, resolution }: Incident): string {
  if (resolution !== null) return ENDINGS[resolution];
  return status === 'mitigating' ? 'a command is out, its effect is awaited' : 'open';
}

/** Status of an incident in a word. */
export function Pill({ incident: { status, resolution } }: { readonly incident: Incident }): ReactNode {
  return <span className={`pill pill-${resolution ?? status}`}>{resolution ?? status}</span>;
}
