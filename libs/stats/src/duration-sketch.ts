/** A sketch as it is saved: counts of `(2^(i/64), 2^((i+1)/64)]` µs for i from `offset` on, and of 0 µs. */
export interface SketchData {
  readonly zeroCount: number;
  readonly offset: number;
  /** A count per bucket; `-n` stands for `n` empty ones. */
  readonly counts: readonly number[];
}

/** Buckets per doubling: a value is at most 0.55 % off its bucket's middle. */
const SUB_BUCKETS = 64;
/** Cells of the look-up table per doubling; each holds at most one bucket boundary. */
const CELLS = 4_096;
const MANTISSA_BITS = 20;
const CELL_SHIFT = MANTISSA_BITS - Math.log2(CELLS);

/** Lower boundaries of the sub-buckets of [1, 2). */
const BOUNDARIES = Float64Array.from({ length: SUB_BUCKETS + 1 }, (_, sub) => 2 ** (sub / SUB_BUCKETS));
/** For each cell, the sub-bucket that holds its start. */
const SUB_OF_CELL = Uint8Array.from({ length: CELLS }, (_, cell) => {
  const value = 1 + cell / CELLS;
  let sub = 0;
  while (sub < SUB_BUCKETS - 1 && BOUNDARIES[sub + 1]! < value) sub += 1;
  return sub;
});

/** Most durations that a sketch holds one by one. */
const FEW = 128;
/** From one filled bucket in so many on, runs of empty ones would save nothing. */
const FILLED_FEW = 8;

/** Buckets of all durations of whole µs below 2^53. */
const BUCKETS = 53 * SUB_BUCKETS + 1;

/** Where a few durations are put into buckets to be saved; all 0 in between. */
const spare = new Float64Array(BUCKETS);
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/**
 * Bucket of a duration in whole µs, at least 1: the `i` with `2^(i/64) < us <= 2^((i+1)/64)`, so 1 is in -1.
 *
 * Source: OpenTelemetry metrics data model, "Exponential Histogram", scale 6, mapped by a table over the mantissa.
 */
export function bucketOf(us: number): number {
  float[0] = us;
  const high = words[1]!;
  const exponent = (high >>> MANTISSA_BITS) - 1_023;
  const mantissa = us / 2 ** exponent;
  if (mantissa === 1) return exponent * SUB_BUCKETS - 1;
  let sub = SUB_OF_CELL[(high & 0xfffff) >>> CELL_SHIFT]!;
  if (mantissa > BOUNDARIES[sub + 1]!) sub += 1;
  return exponent * SUB_BUCKETS + sub;
}

/** Middle of a bucket in µs: the harmonic-geometric one, equally far off from both ends relatively. */
function middleOf(bucket: number): number {
  const lower = 2 ** (bucket / SUB_BUCKETS);
  const upper = 2 ** ((bucket + 1) / SUB_BUCKETS);
  return (2 * lower * upper) / (lower + upper);
}

/** How many buckets such counts are of. */
function bucketsIn(counts: readonly number[]): number {
  let buckets = 0;
  for (let index = 0; index < counts.length; index += 1) buckets += Math.max(1, -counts[index]!);
  return buckets;
}

/** Counts as they are saved, of which so many are not 0, the first and the last among them: as they are, or with runs of empty ones. */
function dataOf(counts: Float64Array, first: number, end: number, filled: number): number[] {
  const data: number[] = [];
  if (filled * FILLED_FEW >= end - first) {
    for (let index = first; index < end; index += 1) data.push(counts[index]!);
    return data;
  }
  let next = first;
  for (let index = first; index < end; index += 1) {
    if (counts[index] === 0) continue;
    if (index > next) data.push(next - index);
    data.push(counts[index]!);
    next = index + 1;
  }
  return data;
}

/** How many durations fell into which bucket. Merging adds buckets, so order cannot show. */
export class DurationSketch {
  #zeroCount = 0;
  #count = 0;
  #offset = 0;
  #counts = new Float64Array(0);
  /** Buckets of the first few durations, one entry each: most sketches of a second never need more. */
  #few: number[] = [];

  /** A sketch with the given content. */
  static from(data: SketchData): DurationSketch {
    const sketch = new DurationSketch();
    sketch.merge(data);
    return sketch;
  }

  /** How many durations there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds a duration in whole µs, `times` times. */
  add(us: number, times = 1): void {
    this.#count += times;
    if (us < 1) {
      this.#zeroCount += times;
      return;
    }
    const bucket = bucketOf(us);
    if (times === 1 && this.#counts.length === 0 && this.#few.length < FEW) {
      this.#few.push(bucket);
      return;
    }
    this.#spread();
    this.#reserve(bucket, bucket);
    this.#counts[bucket - this.#offset]! += times;
  }

  /** Adds all of another sketch; with `weight` below 1 a share of it, for forgetting. */
  merge({ zeroCount, offset, counts }: SketchData, weight = 1): void {
    this.#zeroCount += zeroCount * weight;
    this.#count += zeroCount * weight;
    if (counts.length === 0 || (weight === 1 && this.#mergeFew(offset, counts))) return;
    this.#spread();
    this.#reserve(offset, offset + bucketsIn(counts) - 1);
    const own = this.#counts;
    let place = offset - this.#offset;
    for (let index = 0; index < counts.length; index += 1) {
      const count = counts[index]!;
      if (count < 0) {
        place -= count;
        continue;
      }
      own[place]! += count * weight;
      this.#count += count * weight;
      place += 1;
    }
  }

  /**
   * The duration in µs that a share `q` of all does not exceed, at most 1 % off; 0 when there is none.
   *
   * @param q - 0 to 1.
   */
  quantile(q: number): number {
    this.#spread();
    let rest = q * this.#count - this.#zeroCount;
    if (rest <= 0 || this.#count === 0) return 0;
    let last = 0;
    for (let index = 0; index < this.#counts.length; index += 1) {
      if (this.#counts[index]! === 0) continue;
      last = index;
      rest -= this.#counts[index]!;
      if (rest <= 1e-9) break;
    }
    return middleOf(this.#offset + last);
  }

  /** How many durations are in buckets above that of `us`. */
  countAbove(us: number): number {
    this.#spread();
    const bucket = us < 1 ? -Infinity : bucketOf(us);
    let above = 0;
    for (let index = 0; index < this.#counts.length; index += 1) {
      if (this.#offset + index > bucket) above += this.#counts[index]!;
    }
    return above;
  }

  /** The content, without empty buckets at its ends: one and the same for the same durations, however they came together. */
  toData(): SketchData {
    if (this.#few.length > 0) return this.#fewToData();
    let first = 0;
    let end = this.#counts.length;
    while (first < end && this.#counts[first] === 0) first += 1;
    while (end > first && this.#counts[end - 1] === 0) end -= 1;
    if (first === end) return { zeroCount: this.#zeroCount, offset: 0, counts: [] };
    let filled = 0;
    for (let index = first; index < end; index += 1) if (this.#counts[index] !== 0) filled += 1;
    const counts = dataOf(this.#counts, first, end, filled);
    return { zeroCount: this.#zeroCount, offset: this.#offset + first, counts };
  }

  /** Adds another sketch one by one, where both are small enough; else adds nothing. */
  #mergeFew(offset: number, counts: readonly number[]): boolean {
    if (this.#counts.length > 0) return false;
    const before = this.#few.length;
    let bucket = offset;
    for (let index = 0; index < counts.length; index += 1) {
      const count = counts[index]!;
      if (count < 0) {
        bucket -= count;
        continue;
      }
      if (this.#few.length + count > FEW || !Number.isInteger(count)) {
        this.#few.length = before;
        return false;
      }
      for (let time = 0; time < count; time += 1) this.#few.push(bucket);
      bucket += 1;
    }
    this.#count += this.#few.length - before;
    return true;
  }

  #fewToData(): SketchData {
    const few = this.#few;
    let [low, high] = [few[0]!, few[0]!];
    for (let index = 1; index < few.length; index += 1) {
      const bucket = few[index]!;
      if (bucket < low) low = bucket;
      else if (bucket > high) high = bucket;
    }
    let filled = 0;
    for (let index = 0; index < few.length; index += 1) {
      const place = few[index]! - low;
      if (spare[place] === 0) filled += 1;
      spare[place]! += 1;
    }
    const end = high - low + 1;
    const counts = dataOf(spare, 0, end, filled);
    spare.fill(0, 0, end);
    return { zeroCount: this.#zeroCount, offset: low, counts };
  }

  /** Puts the first few durations into buckets like all others. */
  #spread(): void {
    if (this.#few.length === 0) return;
    const few = this.#few;
    this.#few = [];
    for (const bucket of few) {
      this.#reserve(bucket, bucket);
      this.#counts[bucket - this.#offset]! += 1;
    }
  }

  /** Makes room for buckets `[low, high]`, in steps that double, so that a wide range costs few copies. */
  #reserve(low: number, high: number): void {
    const end = this.#offset + this.#counts.length;
    if (this.#counts.length > 0 && low >= this.#offset && high < end) return;
    const isEmpty = this.#counts.length === 0;
    const room = Math.max(SUB_BUCKETS / 4, this.#counts.length >> 1);
    const from = isEmpty || low < this.#offset ? low - room : this.#offset;
    const until = isEmpty || high >= end ? high + room : end;
    const counts = new Float64Array(until - from);
    counts.set(this.#counts, isEmpty ? 0 : this.#offset - from);
    this.#counts = counts;
    this.#offset = from;
  }
}
