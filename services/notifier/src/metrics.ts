import { Counter, Gauge, type Registry } from 'prom-client';
import type { ConnectionNotifier } from './connection-notifier.ts';

/** Counters of a notifier, `flyball_notifier_*`. */
export class NotifierMetrics {
  readonly sent: Counter<'connection' | 'event'>;
  readonly withheld: Counter<'connection' | 'reason'>;
  readonly failures: Counter<'connection' | 'code'>;
  readonly dropped: Counter<'connection'>;
  readonly pulses: Counter<'connection'>;
  readonly well: Gauge;

  constructor(registry: Registry, connections: readonly ConnectionNotifier[]) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Counter({ name: `flyball_notifier_${name}_total`, help, labelNames, registers });
    this.sent = counter('sent', 'Notifications that were taken, by what they told.', ['connection', 'event']);
    this.withheld = counter('withheld', 'Revisions that were not told, by reason.', ['connection', 'reason']);
    this.failures = counter('failures', 'Attempts that failed, by error code.', ['connection', 'code']);
    this.dropped = counter('dropped', 'Notifications that the receiver refused for good.', ['connection']);
    this.pulses = counter('pulses', 'Dead-man signals that were taken.', ['connection']);
    const help = '1 while the dead-man signal says that all is well.';
    this.well = new Gauge({ name: 'flyball_notifier_well', help, registers });
    perConnection('open_incidents', 'Open incidents that were told.', ({ feeds }) =>
      sum(feeds.map(({ open }) => open)),
    );
    perConnection('lag_records', 'Revisions that were not told yet.', async ({ feeds }) =>
      sum(await Promise.all(feeds.map((feed) => feed.lag().catch(() => 0)))),
    );

    function perConnection(
      name: string,
      text: string,
      of: (each: ConnectionNotifier) => number | Promise<number>,
    ): void {
      new Gauge({
        ...{ name: `flyball_notifier_${name}`, help: text, labelNames: ['connection'], registers },
        async collect() {
          for (const each of connections) this.set({ connection: each.connection.name }, await of(each));
        },
      });
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
