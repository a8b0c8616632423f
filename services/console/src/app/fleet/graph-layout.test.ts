import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layoutOf } from './graph-layout.ts';

// Goal: a picture in which callers stand left of whom they call, nobody lies on somebody else, and nothing jumps when the same
// graph comes in another order. Method: the demo's graph by hand, and any graph at all.

const call = (text: string) => {
  const [caller = '', callee = ''] = text.split('>');
  return { caller, callee };
};

test('the shop is drawn as people would', () => {
  const services = ['cart', 'checkout', 'inventory', 'payment', 'search', 'web'];
  const calls = ['web>search', 'web>cart', 'web>checkout', 'checkout>payment', 'checkout>inventory', 'cart>inventory'];
  const { spots, layers, rows } = layoutOf(services, calls.map(call));
  expect([layers, rows]).toEqual([3, 3]);
  const layerOf = (name: string) => spots.get(name)?.layer;
  expect(services.map(layerOf)).toEqual([1, 1, 2, 2, 1, 0]);
});

test('who calls nobody and is called by nobody stands apart, at the right', () => {
  const { spots, layers } = layoutOf(['a', 'b', 'alone'], [call('a>b')]);
  expect([spots.get('alone')?.layer, layers]).toEqual([2, 3]);
});

const graph = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 })), { maxLength: 40 });

test('any graph, with circles too: every service has a spot of its own, and order says nothing', () => {
  fc.assert(
    fc.property(graph, fc.integer(), (pairs, seed) => {
      const services = Array.from({ length: 13 }, (_, index) => `s${index}`);
      const calls = pairs.map(([a, b]) => ({ caller: `s${a}`, callee: `s${b}` }));
      const { spots } = layoutOf(services, calls);
      expect(spots.size).toBe(services.length);
      expect(new Set([...spots.values()].map(({ layer, row }) => `${layer} ${row}`)).size).toBe(services.length);
      const turn = <T>(items: readonly T[]) =>
        items.map((_, index) => items[(((index + seed) % items.length) + items.length) % items.length]!);
      expect(layoutOf(turn(services), turn(calls)).spots).toEqual(spots);
    }),
  );
});

test('without circles no caller stands right of whom it calls', () => {
  fc.assert(
    fc.property(graph, (pairs) => {
      const calls = pairs.filter(([a, b]) => a < b).map(([a, b]) => ({ caller: `s${a}`, callee: `s${b}` }));
      const services = Array.from({ length: 13 }, (_, index) => `s${index}`);
      const { spots } = layoutOf(services, calls);
      for (const { caller, callee } of calls) expect(spots.get(caller)!.layer).toBeLessThan(spots.get(callee)!.layer);
    }),
  );
});

test('where everybody calls everybody below, each has a layer of its own', () => {
  const services = Array.from({ length: 60 }, (_, index) => `s${String(index).padStart(2, '0')}`);
  const calls = services.flatMap((caller, at) => services.slice(0, at).map((callee) => ({ caller, callee })));
  expect(layoutOf(services, calls).layers).toBe(60);
});
