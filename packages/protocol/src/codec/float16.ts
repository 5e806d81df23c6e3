// float32 <-> the bits of float16 (IEEE 754 binary16), one value or many.

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);
/** Sign apart, the first bits of a float16 that is infinity or NaN. */
const HALF_INFINITY = 0x7c00;

/** Nearest float16, ties to even. */
export function float16Bits(value: number): number {
  FLOAT[0] = value;
  return float16OfBits(BITS[0] as number);
}

/** The same from the bits of a float32. */
function float16OfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | HALF_INFINITY | (fraction === 0 ? 0 : 0x200);
  const scaled = exponent - 127 + 15;
  if (scaled >= 0x1f) return sign | HALF_INFINITY;
  if (scaled <= 0) {
    if (scaled < -10) return sign;
    return sign | roundedShift(fraction | 0x800000, 14 - scaled);
  }
  // A carry out of the fraction moves into the exponent, up to infinity, as it should.
  return sign + ((scaled << 10) | 0) + roundedShift(fraction, 13);
}

function roundedShift(value: number, bits: number): number {
  const half = 1 << (bits - 1);
  const rest = value & ((1 << bits) - 1);
  const down = value >>> bits;
  return rest > half || (rest === half && (down & 1) === 1) ? down + 1 : down;
}

/** The value of float16 bits. */
export function float16Value(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Nearest float16 of every value; null when one is too large for it and would become infinity. */
export function halvesOf(values: Float32Array): Uint16Array | null {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let at = 0; at < bits.length; at++) {
    const half = float16OfBits(bits[at] as number);
    if ((half & HALF_INFINITY) === HALF_INFINITY) return null;
    halves[at] = half;
  }
  return halves;
}

let everyValue: Float32Array | null = null;

/** The values of float16 bits, by a table of all 65,536 that is made at the first use. */
export function valuesOfHalves(halves: Uint16Array): Float32Array {
  everyValue ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16Value(bits));
  const table = everyValue;
  const values = new Float32Array(halves.length);
  for (let at = 0; at < halves.length; at++) values[at] = table[halves[at] as number] as number;
  return values;
}
