/** Who calls whom. */
export interface Call {
  readonly caller: string;
  readonly callee: string;
}

/** Where a service stands: layer from the left, row from the top; rows are centred, so they may be halves. */
export interface Spot {
  readonly layer: number;
  readonly row: number;
}

/** A layered picture of a graph: callers left of whom they call, as far as there are no circles. */
export interface Layout {
  readonly spots: ReadonlyMap<string, Spot>;
  readonly layers: number;
  /** Most services of one layer. */
  readonly rows: number;
}

const SWEEPS = 4;
/** Taller pictures are scrolled: in them layers begin at the top, where one looks first. */
const ROWS_CENTRED_MAX = 8;

/**
 * Lays a graph out. The same services and calls give the same picture, in whatever order they come. Services that nobody
 * calls and that call nobody stand in a layer of their own at the right.
 */
export function layoutOf(services: readonly string[], calls: readonly Call[]): Layout {
  const names = [...services].sort();
  const known = new Set(names);
  const edges = calls
    .filter(({ caller, callee }) => caller !== callee && known.has(caller) && known.has(callee))
    .sort((a, b) => (a.caller + a.callee < b.caller + b.callee ? -1 : 1));
  const layerOf = layersOf(names, edges);
  const layers: string[][] = [];
  for (const name of names) (layers[layerOf.get(name)!] ??= []).push(name);
  const filled = [...layers].map((layer) => layer ?? []).filter((layer) => layer.length > 0);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) order(filled, edges, sweep % 2 === 0);
  const rows = Math.max(0, ...filled.map(({ length }) => length));
  const spots = new Map<string, Spot>();
  for (const [layer, members] of filled.entries()) {
    const first = rows > ROWS_CENTRED_MAX ? 0 : (rows - members.length) / 2;
    for (const [index, name] of members.entries()) spots.set(name, { layer, row: first + index });
  }
  return { spots, layers: filled.length, rows };
}

/** The longest way from a service that nobody calls; calls that close a circle do not count. */
function layersOf(names: readonly string[], edges: readonly Call[]): Map<string, number> {
  const callees = Map.groupBy(edges, ({ caller }) => caller);
  const called = new Set(edges.map(({ callee }) => callee));
  // Who is called by nobody comes first: so circles are opened where one would look for their beginning.
  const connected = names.filter((name) => called.has(name) || callees.has(name));
  const starts = [...connected.filter((name) => !called.has(name)), ...connected];
  const calleesOf = (name: string) => (callees.get(name) ?? []).map(({ callee }) => callee);
  const { sequence, closing } = callersFirst(starts, calleesOf);
  const layers = new Map(connected.map((name) => [name, 0]));
  for (const caller of sequence) {
    for (const callee of calleesOf(caller)) {
      if (closing.has(keyOf(caller, callee))) continue;
      layers.set(callee, Math.max(layers.get(callee)!, layers.get(caller)! + 1));
    }
  }
  const last = Math.max(-1, ...layers.values());
  for (const name of names) if (!layers.has(name)) layers.set(name, last + 1);
  return layers;
}

/** Services in an order in which every caller comes before whom it calls, but for the calls that close a circle. */
function callersFirst(
  starts: readonly string[],
  calleesOf: (name: string) => readonly string[],
): { readonly sequence: readonly string[]; readonly closing: ReadonlySet<string> } {
  const finished: string[] = [];
  const seen = new Set<string>();
  const path = new Set<string>();
  const closing = new Set<string>();
  const visit = (name: string) => {
    seen.add(name);
    path.add(name);
    for (const callee of calleesOf(name)) {
      if (path.has(callee)) closing.add(keyOf(name, callee));
      else if (!seen.has(callee)) visit(callee);
    }
    path.delete(name);
    finished.push(name);
  };
  for (const name of starts) if (!seen.has(name)) visit(name);
  return { sequence: finished.reverse(), closing };
}

function keyOf(caller: string, callee: string): string {
  return JSON.stringify([caller, callee]);
}

/** Sorts each layer by where its neighbours of the layer before stand: fewer lines cross. */
function order(layers: string[][], edges: readonly Call[], isForward: boolean): void {
  const sequence = isForward ? layers.keys() : [...layers.keys()].reverse();
  const placeOf = new Map<string, number>();
  for (const index of sequence) {
    const layer = layers[index]!;
    const wish = new Map(
      layer.map((name, place) => {
        const neighbours = edges
          .flatMap(({ caller, callee }) => (callee === name ? [caller] : caller === name ? [callee] : []))
          .flatMap((neighbour) => placeOf.get(neighbour) ?? []);
        const sum = neighbours.reduce((total, at) => total + at, 0);
        return [name, neighbours.length === 0 ? place / layer.length : sum / neighbours.length];
      }),
    );
    layer.sort((a, b) => wish.get(a)! - wish.get(b)!);
    for (const [place, name] of layer.entries()) placeOf.set(name, (place + 0.5) / layer.length);
  }
}
