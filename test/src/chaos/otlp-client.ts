import { Client, credentials, status } from '@grpc/grpc-js';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** Longer than ingest itself waits for the log: its own word is worth more than our impatience. */
const DEADLINE_MS = 20_000;

/** What came back of a request. */
export interface OtlpAnswer {
  readonly isOk: boolean;
  /** `OK`, `gRPC INVALID_ARGUMENT`, `HTTP 400`; `connection` when nobody answered. */
  readonly status: string;
  /** What the answer says in words. */
  readonly text: string;
  /** The serialised ExportTraceServiceResponse, if it is one. */
  readonly body: Uint8Array;
}

const NOTHING = Buffer.alloc(0);

/** Hands bytes to ingest as they are, whatever they are. */
export class OtlpClient {
  readonly #client: Client;
  readonly #otlpHttp: string;

  constructor({ otlpGrpc, otlpHttp }: { readonly otlpGrpc: string; readonly otlpHttp: string }) {
    this.#otlpHttp = otlpHttp;
    // Who was cut off is back within a moment: the pauses of gRPC itself grow to minutes.
    this.#client = new Client(otlpGrpc.replace('http://', ''), credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
    });
  }

  overGrpc(bytes: Uint8Array): Promise<OtlpAnswer> {
    const same = (each: Buffer) => each;
    const deadline = Date.now() + DEADLINE_MS;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(EXPORT, same, same, Buffer.from(bytes), { deadline }, (error, body = NOTHING) => {
        if (error === null) return resolve({ isOk: true, status: 'OK', text: '', body });
        const { code, details: text } = error;
        const isNamed = code !== status.UNAVAILABLE || /[A-Z]+_[A-Z]+:/.test(text);
        resolve({ isOk: false, status: isNamed ? `gRPC ${status[code]}` : 'connection', text, body: NOTHING });
      });
    });
  }

  /** @param headers - beside the content type, or in its place. */
  async overHttp(bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<OtlpAnswer> {
    try {
      const response = await fetch(`${this.#otlpHttp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', ...headers },
        body: Buffer.from(bytes),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const body = Buffer.from(await response.arrayBuffer());
      const [isOk, text] = [response.ok, body.toString('latin1')];
      return isOk
        ? { isOk, status: 'OK', text: '', body }
        : { isOk, status: `HTTP ${response.status}`, text, body: NOTHING };
    } catch (error) {
      return { isOk: false, status: 'connection', text: String(error), body: NOTHING };
    }
  }

  close(): void {
    this.#client.close();
  }
}
