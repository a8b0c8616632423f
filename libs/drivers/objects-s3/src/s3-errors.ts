import { UnavailableError } from '@flyball/core';

const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket, or correct its name in the URL of the object store.',
  AuthorizationHeaderMalformed: 'Name the region of the bucket in the URL: ?region=eu-central-1.',
  ...refused('AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'CredentialsProviderError'),
  ...refused('XAdminUserNotFound', 'InvalidToken', 'Forbidden'),
};

function refused(...names: string[]): Record<string, string> {
  const hint = 'Correct the credentials of the object store, and what they permit on the bucket.';
  return Object.fromEntries(names.map((name) => [name, hint]));
}

/** Name of an error of the SDK, such as `NoSuchKey`: what the store said, or how the connection failed. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/**
 * An error of the SDK as ours. The cause is copied by name, text and status only: what else the SDK keeps, such as
 * the request and its signature, does not belong in a log.
 */
export function objectsUnavailable(error: unknown, at: { name: string; bucket: string }): UnavailableError {
  const { name = 'Error', message = '', code, $metadata } = error as Partial<SdkError>;
  const cause = Object.assign(new Error(message), { name });
  const hint = HINTS[name];
  const detail = { ...at, code: code ?? name, status: $metadata?.httpStatusCode ?? 0 };
  return new UnavailableError('OBJECTS_UNAVAILABLE', 'the object store failed', {
    ...(hint !== undefined && { hint }),
    cause,
    detail,
  });
}

interface SdkError extends Error {
  /** Of the connection: `ECONNREFUSED`. */
  readonly code: string;
  readonly $metadata: { readonly httpStatusCode?: number };
}
