import {
  commandsCodec,
  controlCodec,
  incidentsCodec,
  outcomesCodec,
  signalsCodec,
  type Topic,
  trailCodec,
  windowsCodec,
} from '@flyball/contracts';
import type { AnyLaneSpec, Codec, Line, Processor } from '@flyball/runtime';
import type { PlannerConfig } from './config.ts';
import { Planner } from './planner.ts';
import { CommandRelay, ControlRelay, OutcomeRelay, type RelayOut } from './relay.ts';

/** The planner, and the relays that bring facts to it and to the auditor. */
export function plannerSpecs(config: PlannerConfig, line: Line): readonly AnyLaneSpec[] {
  const relay = <Fact>(topic: Topic, codec: Codec<Fact>, create: (from: string) => Processor<Fact, RelayOut>) =>
    line.spec({
      name: 'relay',
      create: (partition) => create(`${topic}/${partition}`),
      inbox: line.inbox(topic, codec),
      outboxes: {
        'flyball.signals': line.outlet('flyball.signals', signalsCodec),
        'flyball.trail': line.outlet('flyball.trail', trailCodec),
        'flyball.windows': line.outlet('flyball.windows', windowsCodec),
      },
    });
  return [
    relay('flyball.control', controlCodec, (from) => new ControlRelay(from)),
    relay('remediation.commands', commandsCodec, (from) => new CommandRelay(from)),
    relay('remediation.outcomes', outcomesCodec, (from) => new OutcomeRelay(from)),
    line.spec({
      name: 'planner',
      create: () => new Planner(config, line.laneNames('detector', 'flyball.windows')),
      inbox: line.inbox('flyball.signals', signalsCodec),
      outboxes: {
        'remediation.commands': line.outlet('remediation.commands', commandsCodec),
        'remediation.outcomes': line.outlet('remediation.outcomes', outcomesCodec),
        'flyball.incidents': line.outlet('flyball.incidents', incidentsCodec),
      },
    }),
  ];
}
