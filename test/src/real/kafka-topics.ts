import type { Admin } from 'kafkajs';
import { expect } from 'vitest';
import { stockKafka } from '../cluster/stock-kafka.ts';

/** Topics that tests make and forget. */
const TOPICS = ['facts', 'more'];

/** Does something as an administrator. */
export async function withAdmin<T>(url: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = stockKafka(url).admin();
  await admin.connect();
  return work(admin).finally(() => admin.disconnect());
}

/** Deletes the topics of a test. They go in the background: gone is what no broker names any more. */
export function forgetTopics(url: string): Promise<void> {
  return withAdmin(url, async (admin) => {
    const there = async () => (await admin.listTopics()).filter((topic) => TOPICS.includes(topic));
    await admin.deleteTopics({ topics: await there() });
    await expect.poll(there, { timeout: 10_000 }).toEqual([]);
  });
}
