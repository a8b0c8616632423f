import { randomBytes } from 'node:crypto';

/** Telemetry that wants to be more than text: markup, terminal codes, letters that run backwards. */
export const STRANGE = {
  environment: 'strange',
  markup: '<script>window.isOwned=1</script>',
  image: '<img src=x onerror="window.isOwned=1">',
  terminal: 'red \u001b[31mname\u001b[0m',
  backwards: 'invoice \u202egnp.exe',
} as const;

/** Sends spans of services with strange names, over OTLP/HTTP. */
export async function sendStrangeNames(url: string): Promise<void> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = {
    name: STRANGE.image,
    kind: 2,
    startTimeUnixNano: String(nowNs - 20_000_000n),
    endTimeUnixNano: String(nowNs),
    status: {},
  };
  const resourceSpans = [STRANGE.markup, STRANGE.terminal, STRANGE.backwards].map((service) => ({
    resource: {
      attributes: [
        attribute('service.name', service),
        attribute('deployment.environment.name', STRANGE.environment),
        attribute('service.version', STRANGE.terminal),
      ],
    },
    scopeSpans: [
      {
        spans: Array.from({ length: 10 }, () => ({
          ...span,
          traceId: randomBytes(16).toString('hex'),
          spanId: randomBytes(8).toString('hex'),
        })),
      },
    ],
  }));
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ resourceSpans }),
  });
  if (!response.ok) throw new Error(`strange names were refused: ${response.status}`);
}
