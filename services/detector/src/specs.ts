import { signalsCodec, windowsCodec } from '@flyball/contracts';
import type { AnyLaneSpec, Line } from '@flyball/runtime';
import type { DetectorConfig } from './config.ts';
import { Detector } from './detector.ts';

/** The detector's one processor. */
export function detectorSpecs(config: DetectorConfig, line: Line): readonly AnyLaneSpec[] {
  return [
    line.spec({
      name: 'detector',
      create: (partition) => new Detector(config, partition, line.lanes),
      inbox: line.inbox('flyball.windows', windowsCodec),
      outboxes: { 'flyball.signals': line.outlet('flyball.signals', signalsCodec) },
    }),
  ];
}
