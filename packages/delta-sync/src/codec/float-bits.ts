// Numbers <-> the bits of float32, float16 and bfloat16, rounded to the nearest, to the even one in between; the same everywhere.
const FLOATS = new Float32Array(1);
const BITS = new Uint32Array(FLOATS.buffer);
const NOT_A_NUMBER = 0x7fc0_0000;

/** Of the nearest float32, unsigned; what is no number has one form. */
export function bitsOfFloat(value: number): number {
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  FLOATS[0] = value;
  return BITS[0] as number;
}

export function floatOfBits(bits: number): number {
  BITS[0] = bits;
  return FLOATS[0] as number;
}

/** The upper 16 of a float32's bits, rounded. */
export function bfloatOf(bits: number): number {
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 64;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** A float32's bits as those of a float16. */
export function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fff_ffff;
  if (size > 0x7f80_0000) return sign | 0x7e00;
  // From 65,520 on it rounds to infinity.
  if (size >= 0x477f_f000) return sign | 0x7c00;
  if (size >= 0x3880_0000) {
    const rounded = size + 0xfff + ((size >>> 13) & 1);
    return sign | ((rounded - 0x3800_0000) >>> 13);
  }
  // Below the smallest normal one: whole steps of 2^-24.
  const shift = 126 - (size >>> 23);
  if (shift > 24) return sign;
  const digits = (size & 0x7f_ffff) | 0x80_0000;
  const kept = digits >>> shift;
  const lost = digits & (2 ** shift - 1);
  const half = 2 ** (shift - 1);
  return sign | (kept + (lost > half || (lost === half && (kept & 1) === 1) ? 1 : 0));
}

export function valueOfHalf(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const digits = bits & 1023;
  const size =
    exponent === 31
      ? digits === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? digits * 2 ** -24
        : (1024 + digits) * 2 ** (exponent - 25);
  return (bits & 0x8000) !== 0 ? -size : size;
}
