import { decodeExportResponse } from '@flyball/otlp';
import { chaosRequest, type RequestPlan } from './chaos-request.ts';
import { type ChaosStage, SENDER_ENVIRONMENT } from './chaos-stage.ts';
import { OtlpClient } from './otlp-client.ts';
import type { RunRecords } from './scenario.ts';

/** How a request of a sender beside the honest one was answered. */
export interface Answered {
  /** `OK`, `gRPC INVALID_ARGUMENT`, `HTTP 400`, `connection`. */
  readonly status: string;
  /** Why it, or a part of it, was refused; '' where there is nothing to say. */
  readonly words: string;
  readonly rejected: number;
}

/** A sender beside the honest one, without a ledger: what became of its spans is told by the records. */
export class Stranger {
  readonly #stage: ChaosStage;
  readonly #client: OtlpClient;
  #count = 0;

  constructor(stage: ChaosStage) {
    this.#stage = stage;
    this.#client = new OtlpClient(stage.flyball.addresses);
  }

  /** Sends a request of well-formed spans, in turn over gRPC and HTTP. */
  send(plan: Omit<RequestPlan, 'id' | 'environment'>): Promise<Answered> {
    return this.bytes(chaosRequest({ id: '', environment: SENDER_ENVIRONMENT, ...plan }, this.#stage.dice));
  }

  /** Sends bytes as they are, in turn over gRPC and HTTP. */
  async bytes(bytes: Uint8Array): Promise<Answered> {
    this.#count += 1;
    const answer = await (this.#count % 2 === 0 ? this.#client.overHttp(bytes) : this.#client.overGrpc(bytes));
    const { status, text, body } = answer;
    const { rejected, message } = decodeExportResponse(body);
    return { status, words: text || message, rejected };
  }

  /** Sends a body over HTTP with headers of its own. */
  async post(bytes: Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answered> {
    const { status, text } = await this.#client.overHttp(bytes, headers);
    return { status, words: text, rejected: 0 };
  }

  close(): void {
    this.#client.close();
  }
}

/** What became of all spans of a service of the sender's environment. */
export function fateOf(service: string, { emitted }: RunRecords) {
  const own = emitted.windows.filter(
    ({ subject }) => subject.environment === SENDER_ENVIRONMENT && subject.service === service,
  );
  const sum = (pick: 'spans' | 'lateSpans' | 'earlySpans') => own.reduce((total, window) => total + window[pick], 0);
  return { spans: sum('spans'), late: sum('lateSpans'), early: sum('earlySpans') };
}
