// Whole numbers that go with a tensor (steps of a grid, factors of a matrix) <-> tokens and bits, as differences from 0.
import { LENGTH_OF_TOKEN, magnitude, REST_OF_TOKEN, SIGN_OF_TOKEN, TOP_OF_TOKEN, tokenOf } from '../coder/tokens.ts';
import type { ValueReaders, ValueWriters } from './differences.ts';
import { type Levels, ScaleModel } from './scale-model.ts';

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

export function encodeIntegers(
  { tokens, raw }: ValueWriters,
  { rows, columns }: Shape,
  levels: Levels,
  values: Int32Array,
): void {
  const model = new ScaleModel(levels, false);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const value = values[at] as number;
      const token = tokenOf(value, 0);
      tokens.put(model.context(row, column, 0), token);
      const rest = REST_OF_TOKEN[token] as number;
      if (rest > 0) raw.put(magnitude(value) & (2 ** rest - 1), rest);
      model.learn(LENGTH_OF_TOKEN[token] as number, 0);
    }
  }
}

/** Calls `take` with each value, row by row, so that no more of them are held than the caller keeps. */
export function decodeIntegers(
  { tokens, raw }: ValueReaders,
  { rows, columns }: Shape,
  levels: Levels,
  take: (value: number, at: number) => void,
): void {
  const model = new ScaleModel(levels, false);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const token = tokens.next(model.context(row, column, 0));
      let size = TOP_OF_TOKEN[token] as number;
      const rest = REST_OF_TOKEN[token] as number;
      if (rest > 0) size = (size << rest) | raw.take(rest);
      take(SIGN_OF_TOKEN[token] === 1 ? -size | 0 : size, at);
      model.learn(LENGTH_OF_TOKEN[token] as number, 0);
    }
  }
}
