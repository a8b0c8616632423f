import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { publicLookup } from './public-address.ts';

const ANSWER_BYTES_MAX = 64 * 1024;

/** Where a request goes, and what it may. */
export interface Destination {
  readonly url: URL;
  /** Whether addresses of private networks are meant. */
  readonly allowPrivate: boolean;
}

/** What is sent. */
export interface Outgoing {
  readonly body: string;
  /** Beside `content-length`. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What was answered. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** As the receiver asks for it before the next attempt, seconds or a date; '' when it does not. */
  readonly retryAfter: string;
}

/**
 * Sends one `POST`. The name is resolved once, and only addresses that were checked are connected to; redirects are not followed; an
 * answer has 64 KB at most. A request that was cut off may have been taken: whoever repeats it must mean that.
 *
 * @throws the error of `node:http`; `WEBHOOK_BLOCKED` as its code when the address is not public: nothing was sent.
 */
export function post(
  { url, allowPrivate }: Destination,
  { body, headers }: Outgoing,
  signal: AbortSignal,
): Promise<Reply> {
  const options = {
    ...{ method: 'POST', signal, agent: false },
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    ...(!allowPrivate && { lookup: publicLookup }),
  };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, body: Buffer.concat(chunks).toString(), retryAfter: answered['retry-after'] ?? '' });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
