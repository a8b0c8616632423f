import { createHmac } from 'node:crypto';

/**
 * Signature of a request: `v1=` and the HMAC-SHA256, hex, over `<id>.<timestamp>.<body>`.
 *
 * @param timestamp - seconds since 1970, as it is sent.
 */
export function signatureOf(
  secret: string,
  { id, timestamp, body }: { readonly id: string; readonly timestamp: string; readonly body: string },
): string {
  return `v1=${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('hex')}`;
}

/**
 * Headers of a signed request of JSON.
 *
 * @param id - what the receiver may drop repeats by.
 * @param nowMs - wall clock, ms: receivers refuse what is more than five minutes old.
 */
export function signedHeaders(
  secret: string,
  { id, body, nowMs }: { readonly id: string; readonly body: string; readonly nowMs: number },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  return {
    'content-type': 'application/json',
    'flyball-id': id,
    'flyball-timestamp': timestamp,
    'flyball-signature': signatureOf(secret, { id, timestamp, body }),
  };
}
