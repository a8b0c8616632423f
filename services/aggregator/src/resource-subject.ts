import { DEFAULT_ENVIRONMENT, type Subject, UNKNOWN_SERVICE } from '@flyball/contracts';
import type { ScannedResource } from '@flyball/otlp';

/** The subject that a resource speaks for. */
export function subjectOfResource(
  tenant: string,
  { service, environment }: Pick<ScannedResource, 'service' | 'environment'>,
): Subject {
  return { tenant, environment: environment || DEFAULT_ENVIRONMENT, service: service || UNKNOWN_SERVICE };
}
