import { partialsCodec, RAW_TOPICS, readRaw, type SignalKind, tracesCodec, windowsCodec } from '@flyball/contracts';
import { EMPTY_BYTES } from '@flyball/core';
import { type AnyLaneSpec, laneName, type Line } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { GlobalAggregator } from './global-aggregator.ts';
import { LocalAggregator } from './local-aggregator.ts';
import { TraceJoiner } from './trace-joiner.ts';

const rawCodec = { encode: () => EMPTY_BYTES, decode: readRaw };

/** The aggregator's processors: `local` over raw telemetry, `joiner` over traces, `global` over partials. */
export function aggregatorSpecs(config: AggregatorConfig, line: Line): readonly AnyLaneSpec[] {
  const partitionsOf = (kind: SignalKind) =>
    Array.from({ length: line.rawPartitions }, (_, partition) => `${RAW_TOPICS[kind]}/${partition}`);
  const local = (kind: SignalKind) =>
    line.spec({
      name: 'local',
      isPaced: true,
      create: (partition) =>
        new LocalAggregator(config, { kind, from: `${RAW_TOPICS[kind]}/${partition}`, lanes: line.lanes }),
      inbox: line.inbox(RAW_TOPICS[kind], rawCodec, true),
      outboxes: {
        'flyball.partials': line.outlet('flyball.partials', partialsCodec),
        'flyball.traces': line.outlet('flyball.traces', tracesCodec),
      },
    });
  const origins = {
    traces: partitionsOf('traces'),
    metrics: partitionsOf('metrics'),
    logs: partitionsOf('logs'),
    edges: line.laneNames('joiner', 'flyball.traces'),
  };
  return [
    local('traces'),
    local('metrics'),
    local('logs'),
    line.spec({
      name: 'joiner',
      create: (partition) => {
        const lane = laneName('joiner', 'flyball.traces', partition);
        return new TraceJoiner(config, { lane, rawPartitions: origins.traces });
      },
      inbox: line.inbox('flyball.traces', tracesCodec),
      outboxes: { 'flyball.partials': line.outlet('flyball.partials', partialsCodec) },
    }),
    line.spec({
      name: 'global',
      create: (partition) =>
        new GlobalAggregator(config, { lane: laneName('global', 'flyball.partials', partition), origins }),
      inbox: line.inbox('flyball.partials', partialsCodec),
      outboxes: { 'flyball.windows': line.outlet('flyball.windows', windowsCodec) },
    }),
  ];
}
