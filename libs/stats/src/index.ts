export { bucketOf, DurationSketch } from './duration-sketch.ts';
export type { SketchData } from './duration-sketch.ts';
export { BETS, countBets, dropBets, healthBet, log10Mean, rateBets, shareBets } from './evidence.ts';
export type { TwoStreams } from './evidence.ts';
export { GAUGE_ALERT_SCORE, GAUGE_DEFAULTS } from './gauge/gauge-config.ts';
export type { GaugeConfig } from './gauge/gauge-config.ts';
export { newGauge, scoreGauge } from './gauge/gauge-scorer.ts';
export type { GaugeFeature, GaugeScore, GaugeState } from './gauge/gauge-scorer.ts';
