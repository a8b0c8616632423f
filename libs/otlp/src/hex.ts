const HEX_CODES = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0));

/** `bytes[at, at + size)` as lower-case hex digits; in one piece, since a text that grows digit by digit is slow to read. */
export function hexOf(bytes: Uint8Array, at: number, size: number): string {
  const codes = new Array<number>(2 * size);
  for (let index = 0; index < size; index += 1) {
    const byte = bytes[at + index]!;
    codes[2 * index] = HEX_CODES[byte >>> 4]!;
    codes[2 * index + 1] = HEX_CODES[byte & 0xf]!;
  }
  return String.fromCharCode(...codes);
}
