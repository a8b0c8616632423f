import { WireWriter } from '@flyball/core';
import {
  attributes,
  enumOf,
  hex,
  type JsonAttribute,
  type JsonEnum,
  type JsonResource,
  type JsonScope,
  jsonText,
  naturalOf,
  wholeOf,
} from './json-values.ts';
import { encodeResources, type OnFlaw, writeEach } from './json-resources.ts';

type Whole = string | number;
/** A double as OTLP/JSON writes it: a number, or `NaN`, `Infinity`, `-Infinity`. */
type Double = number | string;

interface JsonPoint {
  readonly attributes?: readonly JsonAttribute[];
  readonly startTimeUnixNano?: Whole;
  readonly timeUnixNano?: Whole;
  readonly asDouble?: Double;
  readonly asInt?: Whole;
  readonly count?: Whole;
  readonly sum?: Double;
  readonly min?: Double;
  readonly max?: Double;
  readonly bucketCounts?: readonly Whole[];
  readonly explicitBounds?: readonly Double[];
  readonly exemplars?: readonly {
    readonly traceId?: string;
    readonly timeUnixNano?: Whole;
    readonly asDouble?: Double;
  }[];
  readonly flags?: number;
}

interface JsonData {
  readonly dataPoints?: readonly JsonPoint[];
  readonly aggregationTemporality?: JsonEnum;
  readonly isMonotonic?: boolean;
}

/** A metric as OTLP/JSON writes it. Unknown keys are ignored. */
interface JsonMetric {
  readonly name?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly gauge?: JsonData;
  readonly sum?: JsonData;
  readonly histogram?: JsonData;
  readonly exponentialHistogram?: JsonData;
  readonly summary?: JsonData;
}

/** Metrics of one resource as OTLP/JSON writes them. */
export interface JsonResourceMetrics {
  readonly resource?: JsonResource;
  readonly scopeMetrics?: readonly {
    readonly scope?: JsonScope;
    readonly metrics?: readonly JsonMetric[];
    readonly schemaUrl?: string;
  }[];
  readonly schemaUrl?: string;
}

const TEMPORALITIES = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'].map((name) => `AGGREGATION_TEMPORALITY_${name}`);

/** Where the fields of a data point are, by kind of data. Source: opentelemetry-proto, metrics.proto. */
const NUMBER = { attributes: 7, exemplars: 5, flags: 8, min: 0, max: 0 };
const HISTOGRAM = { attributes: 9, exemplars: 8, flags: 10, min: 11, max: 12 };
const EXPONENTIAL = { attributes: 1, exemplars: 11, flags: 10, min: 12, max: 13 };
const SUMMARY = { attributes: 7, exemplars: 0, flags: 8, min: 0, max: 0 };

const NAMES = ['resourceMetrics', 'scopeMetrics', 'metrics'] as const;
/** Kinds of data, with the field of Metric that holds them. */
const KINDS = [
  ['gauge', 5, NUMBER],
  ['sum', 7, NUMBER],
  ['histogram', 9, HISTOGRAM],
  ['exponentialHistogram', 10, EXPONENTIAL],
  ['summary', 11, SUMMARY],
] as const;

/**
 * Resource metrics of OTLP/JSON as a serialised ExportMetricsServiceRequest. Buckets of exponential histograms and quantiles
 * of summaries are left out: nothing here reads them.
 *
 * @param onFlaw - told of points that cannot be read, and of metrics as a whole: they are left out.
 * @throws {RejectedError} `OTLP_JSON_INVALID` with the place, when a number or an id is none: name it to whoever gave it.
 */
export function encodeMetricsJson(resourceMetrics: readonly JsonResourceMetrics[], onFlaw?: OnFlaw): Uint8Array {
  const encode = (metric: JsonMetric, where: () => string) => encodeMetric(metric, where, onFlaw);
  const scopesOf = ({ scopeMetrics = [] }: JsonResourceMetrics) => scopeMetrics;
  const itemsOf = ({ metrics = [] }: ReturnType<typeof scopesOf>[number]) => metrics;
  return encodeResources(resourceMetrics, { names: NAMES, scopesOf, itemsOf, encode, countOf }, onFlaw);
}

/** Points of a metric; one at least, or nobody would be told of it. */
function countOf(metric: JsonMetric): number {
  const lists = KINDS.map(([kind]) => metric[kind]?.dataPoints);
  return Math.max(
    1,
    lists.reduce((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0),
  );
}

function encodeMetric(metric: JsonMetric, where: () => string, onFlaw: OnFlaw | undefined): Uint8Array {
  const writer = new WireWriter().text(1, jsonText('name', metric.name));
  writer.text(2, jsonText('description', metric.description)).text(3, jsonText('unit', metric.unit));
  // Whether the metric as a whole can be written is known before a point of it is told of: else it would be told of twice.
  const temporalities = KINDS.map(([kind]) => enumOf(metric[kind]?.aggregationTemporality ?? 0, TEMPORALITIES));
  for (const [index, [kind, field, fields]] of KINDS.entries()) {
    const data = metric[kind];
    if (data === undefined) continue;
    const { dataPoints: list = [], isMonotonic = false } = data;
    const written = new WireWriter();
    const points = { field: 1, list, where: () => `${where()}.${kind}.dataPoints` };
    writeEach(written, points, (point) => encodePoint(point, fields), onFlaw);
    written.varint(2, temporalities[index]!).varint(3, isMonotonic ? 1 : 0);
    writer.bytes(field, written.finish());
  }
  return writer.finish();
}

function encodePoint(point: JsonPoint, fields: typeof NUMBER): Uint8Array {
  const writer = new WireWriter();
  attributes(writer, fields.attributes, point.attributes);
  writer.fixed64(2, naturalOf('startTimeUnixNano', point.startTimeUnixNano));
  writer.fixed64(3, naturalOf('timeUnixNano', point.timeUnixNano));
  if (fields === NUMBER) {
    if (point.asDouble !== undefined) writer.double(4, Number(point.asDouble));
    if (point.asInt !== undefined) writer.fixed64(6, wholeOf('asInt', point.asInt));
  } else {
    writer.fixed64(4, naturalOf('count', point.count));
    if (point.sum !== undefined) writer.double(5, Number(point.sum));
  }
  if (fields === HISTOGRAM) {
    for (const count of point.bucketCounts ?? []) writer.fixed64(6, naturalOf('bucketCounts', count));
    for (const bound of point.explicitBounds ?? []) writer.double(7, Number(bound));
  }
  if (fields.min > 0 && point.min !== undefined) writer.double(fields.min, Number(point.min));
  if (fields.max > 0 && point.max !== undefined) writer.double(fields.max, Number(point.max));
  if (fields.exemplars > 0) {
    for (const { traceId, timeUnixNano = 0, asDouble = 0 } of point.exemplars ?? []) {
      const exemplar = new WireWriter().fixed64(2, naturalOf('timeUnixNano', timeUnixNano)).double(3, Number(asDouble));
      writer.bytes(fields.exemplars, exemplar.bytes(5, hex(traceId)).finish());
    }
  }
  return writer.varint(fields.flags, naturalOf('flags', point.flags)).finish();
}
