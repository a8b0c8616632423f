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
