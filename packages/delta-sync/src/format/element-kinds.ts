// How numbers lie in a tensor: bits, and where a float keeps its exponent.

export interface ElementKind {
  readonly name: string;
  readonly bits: 4 | 8 | 16 | 32;
  /** 0: an integer. */
  readonly mantissaBits: number;
  readonly exponentMask: number;
}

const kind = (name: string, bits: ElementKind['bits'], mantissaBits = 0, exponentMask = 0): ElementKind => ({
  name,
  bits,
  mantissaBits,
  exponentMask,
});

/** By number in a delta; numbers are never reused. Signed and unsigned integers are the same: differences wrap around. */
export const ELEMENT_KINDS = [
  kind('float32', 32, 23, 255),
  kind('float16', 16, 10, 31),
  kind('bfloat16', 16, 7, 255),
  kind('int32', 32),
  kind('int16', 16),
  kind('int8', 8),
  kind('int4', 4),
] as const satisfies readonly ElementKind[];

export type ElementName = (typeof ELEMENT_KINDS)[number]['name'];

export const FLOAT32 = 0;

export function kindOf(name: string): number {
  return ELEMENT_KINDS.findIndex((entry) => entry.name === name);
}

/** Bytes of so many elements; two of 4 bits share one. */
export function bytesOfElements(kind: ElementKind, count: number): number {
  return Math.ceil((count * kind.bits) / 8);
}
