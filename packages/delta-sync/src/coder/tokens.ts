// Signed differences <-> tokens of one byte, and bits below them that are as good as random.
//
// A token says whether a difference is 0, else its sign, its bit length, and the two bits behind the first. What is left
// of a long difference goes into the delta as it is.

/** Bits below a token of a given bit length. */
const TOKEN_BITS = 3;

/** Number of tokens: differences of up to 32 bits. */
export const TOKENS = 247;

/** Behind the tokens of differences: the new element is 0, whatever the old one was. */
export const ZERO_TOKEN = TOKENS;

/** Bit length, from 0 to 32, of the difference that a token stands for. */
export const LENGTH_OF_TOKEN = new Uint8Array(256);
/** Its first bits: a positive difference shifted right by what is left. */
export const TOP_OF_TOKEN = new Uint8Array(256);
/** 1: negative. */
export const SIGN_OF_TOKEN = new Uint8Array(256);
/** Bits left below the first. */
export const REST_OF_TOKEN = new Uint8Array(256);

for (let length = 1; length <= 32; length++) {
  const tops = length < TOKEN_BITS ? 1 << (length - 1) : 4;
  for (let sign = 0; sign < 2; sign++) {
    for (let top = 0; top < tops; top++) {
      const token = firstToken(length) + sign * tops + top;
      LENGTH_OF_TOKEN[token] = length;
      SIGN_OF_TOKEN[token] = sign;
      TOP_OF_TOKEN[token] = tops + top;
      REST_OF_TOKEN[token] = Math.max(0, length - TOKEN_BITS);
    }
  }
}

function firstToken(length: number): number {
  return length === 1 ? 1 : length === 2 ? 3 : 7 + (length - TOKEN_BITS) * 8;
}

/**
 * @param difference in [-2^31, 2^31)
 * @param flip 1 turns the sign over, which pays where its meaning depends on the old value's sign
 */
export function tokenOf(difference: number, flip: number): number {
  if (difference === 0) return 0;
  const size = magnitude(difference);
  const sign = (difference < 0 ? 1 : 0) ^ flip;
  const length = 32 - Math.clz32(size);
  if (length === 1) return 1 + sign;
  if (length === 2) return 3 + sign * 2 + (size & 1);
  return 7 + (length - TOKEN_BITS) * 8 + sign * 4 + ((size >>> (length - TOKEN_BITS)) & 3);
}

/** Absolute value as an unsigned 32-bit number, of -2^31 too. */
export function magnitude(difference: number): number {
  return (difference < 0 ? -difference : difference) >>> 0;
}
