export { bucketOf, DurationSketch } from './duration-sketch.ts';
export type { SketchData } from './duration-sketch.ts';
export { BETS, countBets, dropBets, healthBet, log10Mean, rateBets, shareBets } from './evidence.ts';
export type { TwoStreams } from './evidence.ts';
