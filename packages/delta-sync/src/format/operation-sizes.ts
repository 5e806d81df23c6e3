// An operation -> how much it makes, and what it reads of the base.

import type { Turn } from '../codec/turn.ts';
import { bytesOfElements, ELEMENT_KINDS, type ElementKind } from './element-kinds.ts';
import type { BaseRange, Operation, TurnedPartOperation } from './operations.ts';
import type { FormatVersion } from './patch-index.ts';

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** A tensor that was turned as a matrix: its first axis, and the others together. */
export function matrixOfTurn({ dims, axes }: Turn): { readonly rows: number; readonly columns: number } {
  const rows = dims[axes[0] as number] as number;
  return { rows, columns: elementsOf(dims) / rows };
}

/** Bytes that an operation makes. */
export function outputBytesOf(operation: Operation): number {
  switch (operation.op) {
    case 'planes':
      return operation.elements * operation.elementBytes;
    case 'differences':
    case 'snap':
    case 'lowRank':
    case 'derived':
      return bytesOfElements(ELEMENT_KINDS[operation.kind] as ElementKind, operation.rows * operation.columns);
    case 'turned':
    case 'turnedPart':
      return bytesOfElements(ELEMENT_KINDS[operation.kind] as ElementKind, elementsOf(operation.dims));
    case 'copy':
    case 'scratch':
    case 'text':
    case 'bsdiff':
    case 'add':
    case 'cumulative':
      return operation.bytes;
  }
}

/** Where the bytes of a part of a tensor lie in the base: pieces of one length, each as far behind the one before. */
export interface Pieces {
  readonly offset: number;
  readonly count: number;
  readonly bytes: number;
  readonly pitch: number;
}

export function piecesOfTurn({ kind, dims, axes, base, whole }: Omit<TurnedPartOperation, 'op' | 'levels'>): Pieces {
  const cut = axes[0] as number;
  const each = bytesOfElements(ELEMENT_KINDS[kind] as ElementKind, elementsOf(dims.slice(cut + 1)));
  return {
    offset: base,
    count: elementsOf(dims.slice(0, cut)),
    bytes: each * (dims[cut] as number),
    pitch: each * whole,
  };
}

/** Bytes of the base that an operation reads. */
export function baseBytesOf(operation: Operation): number {
  return operation.op === 'turnedPart' ? outputBytesOf(operation) : (baseRangeOf(operation)?.bytes ?? 0);
}

/** The range of the base that an operation reads; null when it reads none, or pieces. */
export function baseRangeOf(operation: Operation): BaseRange | null {
  switch (operation.op) {
    case 'copy':
    case 'add':
      return { offset: operation.offset, bytes: operation.bytes };
    case 'differences':
    case 'snap':
    case 'lowRank':
    case 'turned':
      return { offset: operation.base, bytes: outputBytesOf(operation) };
    case 'derived': {
      const elements = operation.rows * operation.columns;
      const bytes = bytesOfElements(ELEMENT_KINDS[operation.from] as ElementKind, elements);
      return { offset: operation.base, bytes };
    }
    case 'bsdiff':
      return operation.from;
    case 'scratch':
    case 'text':
    case 'cumulative':
    case 'planes':
    case 'turnedPart':
      return null;
  }
}

/** The least range that holds all of them; null for none. */
export function hullOf(ranges: readonly BaseRange[]): BaseRange | null {
  let first = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const { offset, bytes } of ranges) {
    first = Math.min(first, offset);
    end = Math.max(end, offset + bytes);
  }
  return ranges.length === 0 ? null : { offset: first, bytes: end - first };
}

/** The least version of the format that has all of them. */
export function formatVersionOf(operations: readonly Operation[]): FormatVersion {
  if (operations.some(({ op }) => op === 'turnedPart')) return 4;
  if (operations.some(({ op }) => op === 'cumulative' || op === 'turned')) return 3;
  return operations.some(({ op }) => op === 'add' || op === 'derived') ? 2 : 1;
}
