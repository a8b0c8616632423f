import { partialsCodec, readRaw, windowsCodec } from '@flyball/contracts';
import { EMPTY_BYTES } from '@flyball/core';
import { type AnyLaneSpec, laneName, type Line } from '@flyball/runtime';
import type { AggregatorConfig } from './config.ts';
import { GlobalAggregator } from './global-aggregator.ts';
import { LocalAggregator } from './local-aggregator.ts';

const rawCodec = { encode: () => EMPTY_BYTES, decode: readRaw };

/** The aggregator's processors: `local` over raw telemetry, `global` over partials. */
export function aggregatorSpecs(config: AggregatorConfig, line: Line): readonly AnyLaneSpec[] {
  const rawPartitions = Array.from({ length: line.rawPartitions }, (_, partition) => `otlp_spans/${partition}`);
  return [
    line.spec({
      name: 'local',
      isPaced: true,
      create: (partition) => new LocalAggregator(config, `otlp_spans/${partition}`),
      inbox: line.inbox('otlp_spans', rawCodec, true),
      outboxes: { 'flyball.partials': line.outlet('flyball.partials', partialsCodec) },
    }),
    line.spec({
      name: 'global',
      create: (partition) =>
        new GlobalAggregator(config, { lane: laneName('global', 'flyball.partials', partition), rawPartitions }),
      inbox: line.inbox('flyball.partials', partialsCodec),
      outboxes: { 'flyball.windows': line.outlet('flyball.windows', windowsCodec) },
    }),
  ];
}
