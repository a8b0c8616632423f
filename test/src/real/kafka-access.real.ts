import { KafkaLog } from '@flyball/log-kafka';
import { utf8 } from '@flyball/core';
import { NativeKafka, skippable } from '@flyball/testing';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { withAdmin } from './kafka-topics.ts';

// Goal: a log behind TLS, passwords and ACLs opens for whom it should, and says why to whom it should not; no secret is told.
// Method: a broker with SCRAM users, an authorizer, and an authority of its own.

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const dir = mkdtempSync(join(tmpdir(), 'flyball-kafka-access-'));
const USER = 'flyball';
const SECRET = 'correct-horse';

/** A throw-away authority, and a certificate of 127.0.0.1 by it, as the broker wants them. */
function makeCertificates(): void {
  mkdirSync(dir, { recursive: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(join(dir, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.crt');
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'server.key', '-out', 'server.pk8');
  const files = ['server.pk8', 'server.crt'].map((name) => readFileSync(join(dir, name), 'utf8'));
  writeFileSync(join(dir, 'server.pem'), files.join(''));
}

async function startBroker(): Promise<NativeKafka | { missing: string }> {
  makeCertificates();
  return NativeKafka.start({
    dir: join(dir, 'kafka'),
    listeners: ['SASL', 'TLS'],
    scram: [`SCRAM-SHA-512=[name=${USER},password=${SECRET}]`],
    extra: [
      'sasl.enabled.mechanisms=SCRAM-SHA-512',
      'listener.name.sasl.scram-sha-512.sasl.jaas.config=' +
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'ssl.keystore.type=PEM',
      `ssl.keystore.location=${join(dir, 'server.pem')}`,
      'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users=User:ANONYMOUS',
    ],
  });
}

const kafka = await startBroker();
if ('missing' in kafka) test.skip(`needs Kafka: ${skippable(kafka.missing)}`);
const withKafka = test.skipIf('missing' in kafka);
const url = 'missing' in kafka ? '' : kafka.url;
const port = Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
const sasl = `kafka://127.0.0.1:${port + 2}?sasl=scram-sha-512&user=${USER}`;
const env = { FLYBALL_KAFKA_PASSWORD: SECRET };
const AT = { topic: 'facts', partition: 0 };
const record = { key: '', headers: {}, value: utf8('a') };

afterAll(async () => {
  if (!('missing' in kafka)) await kafka.stop();
  rmSync(dir, { recursive: true, force: true });
});

const allow = (operation: number, resourceType: number, resourceName: string) =>
  withAdmin(url, (admin) =>
    admin.createAcls({
      acl: [
        {
          principal: `User:${USER}`,
          host: '*',
          permissionType: AclPermissionTypes.ALLOW,
          operation,
          resourceType,
          resourceName,
          resourcePatternType: ResourcePatternTypes.LITERAL,
        },
      ],
    }),
  );

withKafka('a user reads and writes what its ACLs allow, and is refused the rest by name', async () => {
  const owner = await KafkaLog.open({ url });
  await owner.create('facts', 1);
  const { READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS } = AclOperationTypes;
  const log = await KafkaLog.open({ url: sasl, env });
  await expect(log.describe('facts')).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
  for (const operation of [READ, DESCRIBE, DESCRIBE_CONFIGS]) await allow(operation, AclResourceTypes.TOPIC, 'facts');
  await expect.poll(() => log.describe('facts').catch((error: unknown) => error)).toMatchObject({ partitions: 1 });
  await owner.append(AT, [record]);
  expect(await log.read(AT, 0, 100)).toMatchObject([{ value: Buffer.from('a') }]);
  await expect(log.append(AT, [record])).rejects.toMatchObject({ code: 'LOG_FORBIDDEN', kind: 'unavailable' });
  // kafkajs does not say whether a group has no coordinator, or none for us.
  await expect(log.commit('local', AT, 1)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await allow(WRITE, AclResourceTypes.TOPIC, 'facts');
  await expect.poll(() => log.append(AT, [record]).catch((error: unknown) => error)).toMatchObject({ firstOffset: 1 });
  await Promise.all([log.close(), owner.close()]);
});

withKafka('a wrong password, and none, are refused at the start, and nobody repeats them', async () => {
  const wrong = await KafkaLog.open({ url: sasl, env: { FLYBALL_KAFKA_PASSWORD: 'wrong-horse' } }).catch(
    (error: unknown) => error,
  );
  expect(wrong).toMatchObject({ code: 'LOG_FORBIDDEN' });
  expect(JSON.stringify(wrong)).not.toContain('wrong-horse');
  const without = KafkaLog.open({ url: `kafka://127.0.0.1:${port + 2}` });
  await expect(without).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

withKafka('TLS needs an authority that is known', async () => {
  const tls = `kafka://127.0.0.1:${port + 3}?tls=true`;
  await expect(KafkaLog.open({ url: tls, env: {} })).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  const log = await KafkaLog.open({ url: tls, env: { FLYBALL_KAFKA_CA_FILE: join(dir, 'ca.crt') } });
  await log.create('more', 1);
  expect(await log.append({ topic: 'more', partition: 0 }, [record])).toMatchObject({ firstOffset: 0 });
  await log.close();
});
