/** Digits that are told of an expected value: more would say more than is known. */
const DIGITS = 6;
/** Decimals that a number can be written with at most. */
const DECIMALS_MAX = 100;

/** A number in plain decimals, never with an exponent, at most so many significant digits. */
export function plainNumber(value: number): string {
  const rounded = Number(value.toPrecision(DIGITS));
  if (rounded === 0) return '0';
  const text = String(rounded);
  if (!text.includes('e')) return text;
  if (Math.abs(rounded) >= 1) return BigInt(rounded).toString();
  const decimals = Math.min(DECIMALS_MAX, DIGITS - 1 - Math.floor(Math.log10(Math.abs(rounded))));
  const plain = rounded.toFixed(decimals).replace(/\.?0+$/, '');
  return plain === '-0' ? '0' : plain;
}
