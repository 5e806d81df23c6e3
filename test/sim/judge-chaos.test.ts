// The judge of `npm run chaos` sees what is lost, doubled, wrong and unfinished.
import { expect, test } from 'vitest';
import { judge } from '../chaos/judge.ts';

const WHOLE = {
  told: 'alive\nframe 1000 20.0 split\nsafe e0-0#0\nframe 1500 30.0 failed\nsafe e0-1#0\nframe 2500 9.0 split\nsafe e0-1#1\nend 0 true\n',
  sink: 'e0-0#0 final\ne0-1#0 provisional\ne0-1#1 final\n',
  exitCode: 0,
};
const faults = [{ kind: 'reset', atMs: 1400, endMs: 2300 }];
const judged = (change: Partial<typeof WHOLE>): readonly string[] =>
  judge({ edges: [{ ...WHOLE, ...change }], faults, calmFromMs: 900, calmMs: 200 }).violations;

test('a run that kept its promises', () => {
  const report = judge({ edges: [WHOLE], faults, calmFromMs: 900, calmMs: 200 });
  expect(report).toMatchObject({
    violations: [],
    parts: 2,
    frames: { cloud: 2, edge: 0, unanswered: 1 },
    calmP99Ms: 20,
  });
  expect(report.recoveryMs).toEqual({ median: 200, p99: 200 });
});

test('the time to recover is taken where no other fault is under way', () => {
  const overlapping = [...faults, { kind: 'latency', atMs: 2000, endMs: 2400 }];
  const report = judge({ edges: [WHOLE], faults: overlapping, calmFromMs: 900, calmMs: 200 });
  expect(report.recoveryMs).toEqual({ median: 100, p99: 100 });
});

test.each([
  ['a lost record', { sink: 'e0-0#0 final\ne0-1#0 provisional\n' }, /e0-1#1 was safe and is lost/],
  ['a doubled record', { sink: `${WHOLE.sink}e0-0#0 final\n` }, /the sink has e0-0#0 twice/],
  ['a second final record', { sink: `${WHOLE.sink}e0-0#1 final\n` }, /e0-0 has 2 final records/],
  [
    'a part without a final record',
    { sink: WHOLE.sink.replace('#1 final', '#1 provisional') },
    /e0-1 has 0 final records/,
  ],
  ['a wrong answer', { told: `${WHOLE.told}wrong e0-0\n` }, /e0-0 got the answer of another/],
  ['an edge that did not end', { told: WHOLE.told.replace('end 0 true\n', '') }, /edge 0 did not finish/],
  ['an edge that failed', { exitCode: 1 }, /edge 0 ended with 1/],
])('%s', (_, change, expected) => {
  expect(judged(change).join('\n')).toMatch(expected);
});
