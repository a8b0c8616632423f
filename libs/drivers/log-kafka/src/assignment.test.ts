import type { Partition } from '@flyball/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assign, type Member } from './assignment.ts';

// Goal: no lane is without a reader, work is shared evenly, and a process that comes or goes moves as little as it must.
// Method: properties over random groups, their members coming and going.

const TOPICS = new Map([
  ['flyball.partials', 8],
  ['otlp_spans', 5],
]);
const placeOf = ({ topic, partition }: Partition) => `${topic}/${partition}`;
const everything = [...TOPICS].flatMap(([topic, count]) => Array.from({ length: count }, (_, n) => `${topic}/${n}`));
const group = (ids: readonly string[], holds: ReadonlyMap<string, readonly Partition[]> = new Map()): Member[] =>
  ids.map((id) => ({ id, topics: [...TOPICS.keys()], holds: holds.get(id) ?? [] }));
const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 7 });

test('every partition has one reader, and nobody has two more than another of a topic', () => {
  fc.assert(
    fc.property(ids, ids, (before, now) => {
      const held = assign(group(before), TOPICS);
      const shares = assign(group(now, held), TOPICS);
      expect([...shares.values()].flat().map(placeOf).sort()).toEqual(everything.toSorted());
      for (const topic of TOPICS.keys()) {
        const counts = [...shares.values()].map((share) => share.filter((each) => each.topic === topic).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('who stays keeps what it has, as far as evenness allows; without a change nothing moves', () => {
  fc.assert(
    fc.property(ids, (before) => {
      const held = assign(group(before), TOPICS);
      expect(assign(group(before, held), TOPICS)).toEqual(held);
      if (before.length < 2) return;
      const rest = before.slice(1);
      const after = assign(group(rest, held), TOPICS);
      for (const id of rest) {
        const places = new Set(after.get(id)!.map(placeOf));
        for (const partition of held.get(id)!) expect(places.has(placeOf(partition))).toBe(true);
      }
    }),
  );
});

test('a member is given only what it wants to read', () => {
  const members: Member[] = [
    { id: 'a', topics: ['otlp_spans'], holds: [] },
    { id: 'b', topics: ['flyball.partials', 'otlp_spans'], holds: [] },
  ];
  const shares = assign(members, TOPICS);
  expect(shares.get('a')!.every(({ topic }) => topic === 'otlp_spans')).toBe(true);
  expect([...shares.values()].flat()).toHaveLength(13);
});
