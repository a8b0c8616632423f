import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { RejectedError } from '@flyball/core';
import { type ObjectsOptions, refuseObjectName } from '@flyball/runtime';
import { readFileSync } from 'node:fs';
import { S3Objects } from './s3-objects.ts';

const PAGE_SIZE_MAX = 1_000;

/** What code may choose; an operator has the URL. */
export interface S3Options extends ObjectsOptions {
  /** Names per page of a listing, 1 to 1,000. */
  readonly pageSize?: number;
  /** Until a connection is there, and until a request is answered. Default 3 s and 20 s. */
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** How often a request is sent at most, but for `create`. Default 3. */
  readonly attemptsMax?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens an object store by its URL: `s3://BUCKET/PREFIX?region=eu-central-1`, and for a store that is not Amazon's
 * `&endpoint=https://store.example:9000`. Nothing is sent yet.
 *
 * Credentials are never in the URL: `FLYBALL_S3_ACCESS_KEY_ID` and `FLYBALL_S3_SECRET_ACCESS_KEY`, or the file that
 * `FLYBALL_S3_SECRET_ACCESS_KEY_FILE` names; else whatever the AWS SDK finds (`AWS_ACCESS_KEY_ID` …, a profile, a role).
 *
 * @throws {RejectedError} `CONFIG_INVALID`, `OBJECT_NAME` (the prefix): exit with 78.
 */
export function openS3Objects(url: string, env: Environment, options: S3Options = {}): S3Objects {
  const { bucket, prefix, endpoint, region } = parseUrl(url);
  const { pageSize = PAGE_SIZE_MAX, connectTimeoutMs = 3_000, requestTimeoutMs = 20_000, attemptsMax = 3 } = options;
  const credentials = credentialsOf(env);
  const config: S3ClientConfig = {
    region: region ?? env['AWS_REGION'] ?? 'us-east-1',
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    // Stores beside Amazon's seldom have a host name per bucket.
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_SUPPORTED',
    // By default a request that times out is only a warning.
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      socketTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  };
  const client = new S3Client({ ...config, maxAttempts: attemptsMax });
  const once = new S3Client({ ...config, maxAttempts: 1 });
  return new S3Objects(client, once, { bucket, prefix, pageSize });
}

interface S3Url {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

function parseUrl(text: string): S3Url {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 's3:' || url.hostname === '') throw invalid('the URL of the object store is not s3://BUCKET');
  if (url.username !== '' || url.password !== '') throw invalid('credentials do not belong in a URL');
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'endpoint' && key !== 'region');
  if (unknown !== undefined) throw invalid(`the URL of the object store has an unknown parameter ${unknown}`);
  const path = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  if (path !== '') refuseObjectName(path);
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^@]+$/.test(endpoint)) throw invalid('the endpoint is no http(s) URL');
  const prefix = path === '' ? '' : `${path}/`;
  return { bucket: url.hostname, prefix, endpoint, region: url.searchParams.get('region') ?? undefined };
}

function credentialsOf(env: Environment): { accessKeyId: string; secretAccessKey: string } | undefined {
  const accessKeyId = env['FLYBALL_S3_ACCESS_KEY_ID'] ?? env['AWS_ACCESS_KEY_ID'];
  const given = env['FLYBALL_S3_SECRET_ACCESS_KEY'] ?? env['AWS_SECRET_ACCESS_KEY'];
  const secretAccessKey = readSecret(env['FLYBALL_S3_SECRET_ACCESS_KEY_FILE']) ?? given;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (!accessKeyId || !secretAccessKey) throw invalid('an access key id needs a secret access key, and the reverse');
  return { accessKeyId, secretAccessKey, ...sessionOf(env) };
}

/** Temporary credentials of AWS are void without their token. */
function sessionOf(env: Environment): { sessionToken?: string } {
  const sessionToken = env['AWS_SESSION_TOKEN'];
  return sessionToken === undefined || env['FLYBALL_S3_ACCESS_KEY_ID'] !== undefined ? {} : { sessionToken };
}

function readSecret(path: string | undefined): string | undefined {
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw invalid('the file of the secret access key cannot be read', cause);
  }
}

function invalid(message: string, cause?: unknown): RejectedError {
  const hint = 'Write s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION, and the credentials in the environment.';
  return new RejectedError('CONFIG_INVALID', message, { hint, cause });
}
