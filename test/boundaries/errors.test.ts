// The table of error codes against docs/errors.md: what is reported is explained, and the other way round.
import { readFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorCode, errorCodeOfWire } from '@kerf/protocol';
import { expect, test } from 'vitest';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section]),
);
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

test('every code has its heading, and every heading its code', () => {
  expect([...sections.keys()].sort()).toEqual([...codes].sort());
  expect(text.match(/^### /gm)).toHaveLength(codes.length);
});

test.each(codes)('%s is described with its number and whether it is retryable', (code) => {
  const { wire, retryable, summary } = ERROR_CODES[code];
  const body = (sections.get(code) ?? '').split('\n').slice(1).join(' ').trim();
  expect(body).toMatch(new RegExp(`^${wire}, ${retryable ? 'retryable' : 'not retryable'}`));
  expect(body.length).toBeGreaterThan(60);
  expect(summary).toMatch(/^[A-Z].*\.$/);
});

test('wire numbers are unique and lead back to their code', () => {
  expect(new Set(codes.map((code) => ERROR_CODES[code].wire)).size).toBe(codes.length);
  for (const code of codes) expect(errorCodeOfWire(ERROR_CODES[code].wire)).toBe(code);
  expect(errorCodeOfWire(1)).toBe('INTERNAL');
});
