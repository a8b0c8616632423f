import type { WireReader, WireWriter } from '@flyball/core';
import { z } from 'zod';

/** The workload being watched. Key of partials and windows. */
export const Subject = z.object({
  tenant: z.string(),
  /** `deployment.environment.name` as sent, or {@link DEFAULT_ENVIRONMENT}. */
  environment: z.string(),
  /** `service.name` as sent, or {@link UNKNOWN_SERVICE}. */
  service: z.string(),
});
export type Subject = z.infer<typeof Subject>;

/** Environment of telemetry that names none. */
export const DEFAULT_ENVIRONMENT = 'default';
/** Service of telemetry that names none; the name that OpenTelemetry SDKs use. */
export const UNKNOWN_SERVICE = 'unknown_service';
/** Name that stands for everything beyond a limit. Detectors abstain on it. */
export const OVERFLOW = '(overflow)';

/** Tenant and environment: where root cause, blast radius and budgets are decided. */
export type Scope = Pick<Subject, 'tenant' | 'environment'>;

/** Whether it is that of a tenant which stands for all beyond the limit. Telemetry may give a service that name, in any environment. */
export function isOverflow({ environment, service }: Subject): boolean {
  return service === OVERFLOW && environment === OVERFLOW;
}

/** Routing key of a subject. Parts cannot run into each other, whatever their characters. */
export function subjectKey({ tenant, environment, service }: Subject): string {
  return `${scopeKey({ tenant, environment })}/${encodeURIComponent(service)}`;
}

/** Whether two subjects are the same. */
export function isSameSubject(a: Subject, b: Subject): boolean {
  return a.service === b.service && a.environment === b.environment && a.tenant === b.tenant;
}

/** The subject of a key of {@link subjectKey}. */
export function subjectOf(key: string): Subject {
  const [tenant = '', environment = '', service = ''] = key.split('/').map(decodeURIComponent);
  return { tenant, environment, service };
}

/** Routing key of a tenant and environment. */
export function scopeKey({ tenant, environment }: Scope): string {
  return `${encodeURIComponent(tenant)}/${encodeURIComponent(environment)}`;
}

/** Writes the fields of a subject. */
export function writeSubject(writer: WireWriter, { tenant, environment, service }: Subject): void {
  writer.text(1, tenant).text(2, environment).text(3, service);
}

/** Reads a subject that ends at `end`. */
export function decodeSubject(reader: WireReader, end: number): Subject {
  let [tenant, environment, service] = ['', '', ''];
  while (reader.next(end)) {
    if (reader.field === 1) tenant = reader.textField(end);
    else if (reader.field === 2) environment = reader.textField(end);
    else if (reader.field === 3) service = reader.textField(end);
    else reader.skip(end);
  }
  return { tenant, environment, service };
}
