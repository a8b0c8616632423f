import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { nearest } from './nearest.ts';

/** What conditions see: the suspect, and its service as a whole. Ratios are 0 to 1, numbers are doubles. */
export interface PolicyInputs {
  readonly cause: {
    /** `version`, `service` or `instance`. */
    readonly kind: string;
    /** '' where it is no version. */
    readonly version: string;
    /** '' where it is no instance. */
    readonly instance: string;
    readonly stableVersion: string;
    /** `errors` or `latency`. */
    readonly sli: string;
    /** `pass`, `fail` or `insufficient`. */
    readonly verdict: string;
    /** Evidence against the version as log10 of an e-value. */
    readonly log10E: number;
    /** Error ratio, or p95 in ms; and the same of what it is compared with. */
    readonly observed: number;
    readonly expected: number;
    readonly requests: number;
    readonly bad: number;
    readonly trafficRatio: number;
    readonly ageSeconds: number;
  };
  readonly service: {
    readonly name: string;
    readonly environment: string;
    readonly verdict: string;
    readonly errorRatio: number;
    readonly baselineErrorRatio: number;
    readonly p95Ms: number;
    readonly baselineP95Ms: number;
    readonly requests: number;
    /** Requests of a usual window, and how many times as many there are now; 1 while nobody knows. */
    readonly baselineRequests: number;
    readonly requestRatio: number;
  };
}

const TEXTS = ['kind', 'version', 'instance', 'stableVersion', 'sli', 'verdict'];
const CAUSE_NUMBERS = ['log10E', 'observed', 'expected', 'requests', 'bad', 'trafficRatio', 'ageSeconds'];
const SERVICE_NUMBERS = ['errorRatio', 'baselineErrorRatio', 'p95Ms', 'baselineP95Ms', 'requests'];
const TRAFFIC_NUMBERS = ['baselineRequests', 'requestRatio'];
/** Every name that a condition may use. */
const NAMES = [
  ...['cause', 'service', 'name', 'environment'],
  ...TEXTS,
  ...CAUSE_NUMBERS,
  ...SERVICE_NUMBERS,
  ...TRAFFIC_NUMBERS,
];
const all = (names: readonly string[], type: string) => Object.fromEntries(names.map((name) => [name, type]));

const ENVIRONMENT = new Environment({ unlistedVariablesAreDyn: false, limits: { maxAstNodes: 500, maxDepth: 50 } })
  .registerVariable('cause', { schema: { ...all(TEXTS, 'string'), ...all(CAUSE_NUMBERS, 'double') } })
  .registerVariable('service', {
    schema: {
      ...all(['name', 'environment', 'verdict'], 'string'),
      ...all([...SERVICE_NUMBERS, ...TRAFFIC_NUMBERS], 'double'),
    },
  });

const OF_THE_PLACE = 'its answer depends on the machine; use cause.ageSeconds, and spec.freeze for hours of the day';
/** Functions that could stall a stage, or answer differently on another machine, and what to use instead. */
const BANNED: ReadonlyMap<string, string> = new Map([
  ['matches', 'a pattern may take for ever; use startsWith, endsWith or contains'],
  ...['timestamp', 'duration', 'date'].map((name) => [name, OF_THE_PLACE] as const),
]);

/** Names of all functions that an expression calls. */
function callsIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(callsIn);
  if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return [];
  const { op, args } = node as { op: string; args: unknown };
  const isCall = (op === 'call' || op === 'rcall') && Array.isArray(args);
  return [...(isCall ? [String(args[0])] : []), ...callsIn(args)];
}

/** A condition that was parsed and type-checked. */
export type Condition = ParseResult;

/** Parses and type-checks an expression. Returns the condition, or what is wrong with it in one line. */
export function compile(expression: string): Condition | string {
  try {
    const condition = ENVIRONMENT.parse(expression);
    const banned = callsIn(condition.ast).find((name) => BANNED.has(name));
    if (banned !== undefined) return `${banned}() is not taken: ${BANNED.get(banned)}`;
    const { valid, type, error } = condition.check();
    if (!valid) return guessed(firstLine(error));
    return type === 'bool' ? condition : `must be a boolean, is ${type ?? 'unknown'}`;
  } catch (error) {
    return firstLine(error);
  }
}

/** A message about a name that nobody knows, with the one that may have been meant. */
function guessed(message: string): string {
  const unknown = /^(?:Unknown variable|No such key): (\w+)$/.exec(message)?.[1];
  const guess = unknown === undefined ? undefined : nearest(unknown, NAMES);
  return guess === undefined ? message : `${message}, did you mean ${guess}?`;
}

/** First line of an error's message; the rest is a picture of the place. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim();
}
