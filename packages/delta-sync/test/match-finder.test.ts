// How far back a match is looked for among places that begin alike, as the nodes of a graph do.
import { expect, test } from 'vitest';
import { MatchFinder } from '../src/codec/match-finder.ts';

/** `node` and a letter so many times, the first of them with a tail that stands at the end again; then so many zeros in front. */
function nodes(count: number, zeros: number): { history: Uint8Array; last: number } {
  const between = Array.from({ length: count }, (_, at) => `node${String.fromCharCode(65 + at)}`).join('');
  const text = Buffer.from(`node-the-one${between}node-the-one`);
  const history = new Uint8Array(zeros + text.length);
  history.set(text, zeros);
  return { history, last: history.length - 12 };
}

function longest(count: number, zeros = 0): number {
  const { history, last } = nodes(count, zeros);
  const finder = new MatchFinder(history);
  const found = finder.find(last, 1000);
  return Math.max(...finder.lengths.subarray(0, found));
}

test('the longest is found behind twenty others that begin alike', () => {
  expect(longest(20)).toBe(12);
});

test('in a long history fewer are tried, which are many there, and wrong', () => {
  expect(longest(10, 1 << 20)).toBe(12);
  expect(longest(20, 1 << 20)).toBeLessThan(12);
});
