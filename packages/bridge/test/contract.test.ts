// What calls take as a name: files of one folder, in any script, and nothing that leaves it.
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { CALLS } from '../src/contract.ts';

test.each([
  ['line-3-2026-11-27T16-00-00-000Z.mcap', true],
  ['一号线-2026-11-27T16-00-00-000Z.mcap', true],
  ['पंक्ति-3.mcap', true],
  ['../other.mcap', false],
  ['a/b.mcap', false],
  ['.hidden.mcap', false],
  ['line.jsonl', false],
])('a session called %s: %s', (session, isTaken) => {
  expect(v.is(CALLS['sessions.replay'].params, { session, judgeBy: 'station' })).toBe(isTaken);
});
