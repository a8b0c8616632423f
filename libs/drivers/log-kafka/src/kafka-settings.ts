import { RejectedError } from '@flyball/core';
import { readFileSync } from 'node:fs';
import { type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';

/** How long one request to a broker may take, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTION_TIMEOUT_MS = 3_000;
const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Settings of a `kafka://` URL: `kafka://HOST:PORT[,HOST:PORT…][?tls=true&sasl=scram-sha-512&user=NAME]`. Secrets come from the
 * environment and never stand in a URL: `FLYBALL_KAFKA_PASSWORD`, or the file that `FLYBALL_KAFKA_PASSWORD_FILE` names; with
 * TLS the authority of `FLYBALL_KAFKA_CA_FILE`, if not a well-known one.
 *
 * @throws {RejectedError} `LOG_URL_INVALID`: correct the URL; exit with 78.
 */
export function kafkaSettings(url: string, env: Env): KafkaConfig {
  const match = /^kafka:\/\/([^/?@]+)\/?(?:\?(.*))?$/.exec(url);
  if (match === null) throw invalid('it must be kafka://HOST:PORT, and hold no user or password');
  const brokers = match[1]!.split(',');
  if (!brokers.every((broker) => /^.+:\d{1,5}$/.test(broker))) throw invalid('every broker must be HOST:PORT');
  const options = new URLSearchParams(match[2] ?? '');
  for (const name of options.keys()) {
    if (!['tls', 'sasl', 'user'].includes(name)) throw invalid(`unknown option ${name}`);
  }
  return {
    clientId: 'flyball',
    brokers,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Whoever asks decides whether to ask again: a retry inside kafkajs would hide what is known of an append.
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
    ...tlsOf(options, env),
    ...saslOf(options, env),
  };
}

function tlsOf(options: URLSearchParams, env: Env): Pick<KafkaConfig, 'ssl'> {
  if (options.get('tls') !== 'true') return {};
  const caFile = env['FLYBALL_KAFKA_CA_FILE'];
  return { ssl: caFile === undefined ? true : { ca: [readFileSync(caFile, 'utf8')] } };
}

function saslOf(options: URLSearchParams, env: Env): { sasl?: SASLOptions } {
  const mechanism = SASL_MECHANISMS.find((each) => each === options.get('sasl'));
  if (mechanism === undefined) {
    if (options.has('sasl')) throw invalid(`sasl must be one of ${SASL_MECHANISMS.join(', ')}`);
    return {};
  }
  const passwordFile = env['FLYBALL_KAFKA_PASSWORD_FILE'];
  const password = env['FLYBALL_KAFKA_PASSWORD'] ?? (passwordFile && readFileSync(passwordFile, 'utf8').trim());
  if (password === undefined) throw invalid('sasl needs FLYBALL_KAFKA_PASSWORD or FLYBALL_KAFKA_PASSWORD_FILE');
  return { sasl: { mechanism, username: options.get('user') ?? '', password } as SASLOptions };
}

function invalid(why: string): RejectedError {
  return new RejectedError('LOG_URL_INVALID', `the URL of the log cannot be used: ${why}`, {
    hint: 'For example kafka://kafka-1:9092,kafka-2:9092?tls=true&sasl=scram-sha-512&user=flyball.',
  });
}
