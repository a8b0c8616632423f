export { decodeExportResponse, encodeExportResponse } from './export-response.ts';
export type { PartialSuccess } from './export-response.ts';
export { encodeRpcStatus, RPC_CODE } from './rpc-status.ts';
export type { RpcDetails } from './rpc-status.ts';
export { SPAN_FLAW, SPAN_KIND, TraceScan } from './trace-scan.ts';
export type { ScannedResource } from './trace-scan.ts';
export { encodeTracesJson } from './traces-json.ts';
export type { JsonResourceSpans } from './traces-json.ts';
export { withoutSpans } from './without-spans.ts';
