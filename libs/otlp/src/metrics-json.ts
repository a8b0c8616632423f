import { WireWriter } from '@flyball/core';
import {
  attributes,
  encodeResources,
  enumOf,
  hex,
  type JsonAttribute,
  type JsonEnum,
  type JsonResource,
  type JsonScope,
} from './json-values.ts';

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

/**
 * Resource metrics of OTLP/JSON as a serialised ExportMetricsServiceRequest. Buckets of exponential histograms and quantiles
 * of summaries are left out: nothing here reads them.
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID` when a number or an id is none: name the line to whoever gave it.
 */
export function encodeMetricsJson(resourceMetrics: readonly JsonResourceMetrics[]): Uint8Array {
  const resources = resourceMetrics.map(({ scopeMetrics: scopes = [], ...rest }) => ({ ...rest, scopes }));
  return encodeResources(resources, ({ metrics = [] }) => metrics.map(encodeMetric));
}

function encodeMetric(metric: JsonMetric): Uint8Array {
  const { name = '', description = '', unit = '' } = metric;
  const writer = new WireWriter().text(1, name).text(2, description).text(3, unit);
  if (metric.gauge !== undefined) writer.bytes(5, encodeData(metric.gauge, NUMBER));
  if (metric.sum !== undefined) writer.bytes(7, encodeData(metric.sum, NUMBER));
  if (metric.histogram !== undefined) writer.bytes(9, encodeData(metric.histogram, HISTOGRAM));
  if (metric.exponentialHistogram !== undefined) writer.bytes(10, encodeData(metric.exponentialHistogram, EXPONENTIAL));
  if (metric.summary !== undefined) writer.bytes(11, encodeData(metric.summary, SUMMARY));
  return writer.finish();
}

function encodeData(
  { dataPoints = [], aggregationTemporality = 0, isMonotonic = false }: JsonData,
  fields: typeof NUMBER,
) {
  const writer = new WireWriter();
  for (const point of dataPoints) writer.bytes(1, encodePoint(point, fields));
  return writer
    .varint(2, enumOf(aggregationTemporality, TEMPORALITIES))
    .varint(3, isMonotonic ? 1 : 0)
    .finish();
}

function encodePoint(point: JsonPoint, fields: typeof NUMBER): Uint8Array {
  const writer = new WireWriter();
  attributes(writer, fields.attributes, point.attributes);
  writer.fixed64(2, BigInt(point.startTimeUnixNano ?? 0)).fixed64(3, BigInt(point.timeUnixNano ?? 0));
  if (fields === NUMBER) {
    if (point.asDouble !== undefined) writer.double(4, Number(point.asDouble));
    if (point.asInt !== undefined) writer.fixed64(6, BigInt(point.asInt));
  } else {
    writer.fixed64(4, BigInt(point.count ?? 0));
    if (point.sum !== undefined) writer.double(5, Number(point.sum));
  }
  if (fields === HISTOGRAM) {
    for (const count of point.bucketCounts ?? []) writer.fixed64(6, BigInt(count));
    for (const bound of point.explicitBounds ?? []) writer.double(7, Number(bound));
  }
  if (fields.min > 0 && point.min !== undefined) writer.double(fields.min, Number(point.min));
  if (fields.max > 0 && point.max !== undefined) writer.double(fields.max, Number(point.max));
  if (fields.exemplars > 0) {
    for (const { traceId, timeUnixNano = 0, asDouble = 0 } of point.exemplars ?? []) {
      const exemplar = new WireWriter().fixed64(2, BigInt(timeUnixNano)).double(3, Number(asDouble));
      writer.bytes(fields.exemplars, exemplar.bytes(5, hex(traceId)).finish());
    }
  }
  return writer.varint(fields.flags, point.flags ?? 0).finish();
}
