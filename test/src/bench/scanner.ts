import { TraceScan } from '@flyball/otlp';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { type Finding, perCpuSecond } from './measure.ts';
import { realisticRequest } from './requests.ts';

const SPANS = 100;

/** The scanner against a full decode of the same bytes by protobufjs, in the same run. */
export async function benchScanner(): Promise<readonly Finding[]> {
  const bytes = realisticRequest(SPANS, 1_700_000_000_000);
  const proto = readFileSync(new URL('../../../libs/otlp/testdata/trace.proto', import.meta.url), 'utf8');
  const Request = protobuf.parse(proto).root.lookupType('ExportTraceServiceRequest');
  const scan = new TraceScan();
  const decode = (await perCpuSecond(() => Request.decode(bytes))) * SPANS;
  const scanned = (await perCpuSecond(() => scan.read(bytes))) * SPANS;
  return [
    {
      name: 'protobufjs decode',
      value: decode,
      unit: 'spans/CPU-s',
      against: `${Math.round(bytes.length / SPANS)} B a span`,
    },
    {
      name: 'scanner',
      value: scanned,
      unit: 'spans/CPU-s',
      against: `${(scanned / decode).toFixed(1)}x the decode (at least 5x)`,
    },
  ];
}
