// The life of a rollout as a pure function: the ways through it, and what holds on every way.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stageOf } from '../src/rollout/assign.ts';
import {
  ENDED,
  inFlight,
  initialState,
  mayOffer,
  type RolloutEvent,
  type RolloutState,
  step,
} from '../src/rollout/machine.ts';
import { type RolloutRequest, type RolloutSpec, rolloutSpec } from '../src/rollout/spec.ts';
import { isWindowOpen } from '../src/rollout/window.ts';

const share = (value: number): { kind: 'share'; share: number } => ({ kind: 'share', share: value });
const rest = { kind: 'rest' } as const;
const stages = [{ members: share(0.1), soakMs: 1000 }, { members: rest }];

function run(spec: RolloutSpec, events: readonly (readonly [number, RolloutEvent])[]): RolloutState {
  return events.reduce((state, [nowMs, event]) => step(spec, state, event, nowMs), initialState(spec));
}

const tick = (...totals: number[]): RolloutEvent => ({ type: 'tick', totals });
const approve: RolloutEvent = { type: 'approve', by: 'ann' };
const of = (type: 'offered' | 'succeeded' | 'failed' | 'relapsed', stage: number): RolloutEvent => ({ type, stage });
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('a rollout', () => {
  const spec = rolloutSpec({ stages });

  test('waits for approval, then for its time', () => {
    expect(run(spec, [[0, tick(1, 1)]]).status).toBe('awaiting-approval');
    const later = rolloutSpec({ stages, startAt: 500 });
    expect(
      run(later, [
        [0, approve],
        [499, tick(1, 1)],
      ]).status,
    ).toBe('scheduled');
    expect(
      run(later, [
        [0, approve],
        [500, tick(1, 1)],
      ]),
    ).toMatchObject({ status: 'running', approvedBy: 'ann' });
    expect(run(rolloutSpec({ stages, needsApproval: false }), [[0, tick(1, 1)]]).status).toBe('running');
  });

  test('opens a stage when the one before has succeeded and soaked', () => {
    const started: [number, RolloutEvent][] = [
      [0, approve],
      [0, tick(2, 8)],
    ];
    const done = [...started, ...[0, 0].map((at): [number, RolloutEvent] => [at, of('offered', 0)])];
    const one = [...done, [5, of('succeeded', 0)]] as [number, RolloutEvent][];
    expect(run(spec, [...one, [5000, tick(2, 8)]])).toMatchObject({ stage: 0, reachedAt: null });
    const both = [...one, [10, of('succeeded', 0)], [10, tick(2, 8)]] as [number, RolloutEvent][];
    expect(run(spec, [...both, [1009, tick(2, 8)]])).toMatchObject({ stage: 0, reachedAt: 10 });
    expect(run(spec, [...both, [1010, tick(2, 8)]])).toMatchObject({ stage: 1, status: 'running' });
    // A device that joins the stage meanwhile has to succeed as well.
    expect(run(spec, [...both, [1010, tick(3, 8)]])).toMatchObject({ stage: 0, reachedAt: null });
  });

  test('passes stages without devices, and ends', () => {
    const state = run(spec, [
      [0, approve],
      [0, tick(0, 0)],
      [1000, tick(0, 0)],
    ]);
    expect(state.status).toBe('finished');
    expect(mayOffer(spec, state, 1, 0)).toBe(true);
  });

  test('holds after a stage that wants it, and goes on when told', () => {
    const holding = rolloutSpec({ stages: [{ members: share(0.1), pauseAfter: true }, { members: rest }] });
    const held = run(holding, [
      [0, approve],
      [0, tick(0, 5)],
    ]);
    expect(held).toMatchObject({ status: 'paused', stage: 0, reason: 'after stage 1' });
    expect(held.cause).toEqual({ kind: 'after-stage', stage: 1 });
    const resumed = step(holding, held, { type: 'resume' }, 1);
    expect(resumed).toMatchObject({ status: 'running', stage: 1, reason: null });
    expect(resumed).not.toHaveProperty('cause');
  });

  test('a pause by hand skips nothing', () => {
    const holding = rolloutSpec({
      stages: [{ members: share(0.1), soakMs: 100, pauseAfter: true }, { members: rest }],
    });
    const soaking = run(holding, [
      [0, approve],
      [0, tick(0, 5)],
      [1, { type: 'pause', reason: 'lunch' }],
    ]);
    expect(step(holding, soaking, { type: 'resume' }, 2)).toMatchObject({ status: 'running', stage: 0 });
  });

  test('offers nothing beyond its open stages, what may be in flight, and its window', () => {
    const narrow = rolloutSpec({ stages, maxInFlight: 2 });
    const open = run(narrow, [
      [0, approve],
      [0, tick(10, 90)],
    ]);
    expect(mayOffer(narrow, open, 0, 0)).toBe(true);
    expect(mayOffer(narrow, open, 1, 0)).toBe(false);
    const full = [of('offered', 0), of('offered', 0)].reduce((state, event) => step(narrow, state, event, 0), open);
    expect(mayOffer(narrow, full, 0, 0)).toBe(false);
    expect(mayOffer(narrow, step(narrow, full, of('failed', 0), 0), 0, 0)).toBe(true);
  });
});

describe('errors', () => {
  const failing = (request: Partial<RolloutRequest>, failures: number, successes: number): RolloutState => {
    const spec = rolloutSpec({ stages, ...request });
    const events = [
      approve,
      tick(1000, 0),
      ...times(failures + successes, () => of('offered', 0)),
      ...times(successes, () => of('succeeded', 0)),
      ...times(failures, () => of('failed', 0)),
    ];
    return run(
      spec,
      events.map((event) => [0, event]),
    );
  };

  test('stop it by share, when enough devices have ended', () => {
    expect(failing({ errors: { share: 0.1, minimumEnded: 10 } }, 1, 9).status).toBe('running');
    expect(failing({ errors: { share: 0.1, minimumEnded: 10 } }, 2, 8)).toMatchObject({
      status: 'stopped',
      reason: '2 of 10 devices of stage 1 failed, more than 10 %',
      cause: { kind: 'failed-share', failed: 2, ended: 10, stage: 1, allowedShare: 0.1 },
    });
    expect(failing({ errors: { share: 0.1, minimumEnded: 20 } }, 9, 8).status).toBe('running');
  });

  test('stop it by count', () => {
    expect(failing({ errors: { count: 3, share: null } }, 3, 0).status).toBe('running');
    expect(failing({ errors: { count: 3, share: null } }, 4, 0)).toMatchObject({
      status: 'stopped',
      reason: '4 devices failed, more than 3',
      cause: { kind: 'failed-count', failed: 4, allowed: 3 },
    });
  });

  test('are why it goes back, unless a person says why', () => {
    const spec = rolloutSpec({ stages });
    const stopped = failing({ errors: { count: 0, share: null } }, 1, 2);
    const { cause, reason } = stopped;
    const goesBack = step(spec, stopped, { type: 'roll-back', devices: 2, reason: reason as string }, 0);
    expect(goesBack).toMatchObject({ status: 'rolling-back', reason, cause });
    const one = step(spec, goesBack, { type: 'went-back' }, 0);
    expect(step(spec, one, { type: 'went-back' }, 0)).toMatchObject({ status: 'rolled-back', reason, cause });
    const byHand = step(spec, stopped, { type: 'roll-back', devices: 2, reason: 'escapes on line 4' }, 0);
    expect(byHand).toMatchObject({ status: 'rolling-back', reason: 'escapes on line 4' });
    expect(byHand).not.toHaveProperty('cause');
  });

  test('count those that fail after they had succeeded', () => {
    const spec = rolloutSpec({ stages, errors: { count: 0 } });
    const state = run(spec, [
      [0, approve],
      [0, tick(5, 5)],
      [0, of('offered', 0)],
      [0, of('succeeded', 0)],
      [0, of('relapsed', 0)],
    ]);
    expect(state).toMatchObject({ status: 'stopped', stages: [{ offered: 1, succeeded: 0, failed: 1 }, {}] });
  });
});

describe('an operator', () => {
  const spec = rolloutSpec({ stages });
  const running = run(spec, [
    [0, approve],
    [0, tick(10, 10)],
  ]);

  test('pauses, resumes, stops, aborts and rolls back, where that makes sense', () => {
    const paused = step(spec, running, { type: 'pause', reason: 'why' }, 0);
    expect(paused).toMatchObject({ status: 'paused', reason: 'why' });
    expect(step(spec, paused, { type: 'resume' }, 0)).toMatchObject({ status: 'running', reason: null });
    expect(() => step(spec, paused, { type: 'pause', reason: '' }, 0)).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    );
    const stopped = step(spec, running, { type: 'stop', reason: 'smoke' }, 0);
    const back = step(spec, stopped, { type: 'roll-back', devices: 2, reason: 'smoke' }, 0);
    expect(back).toMatchObject({ status: 'rolling-back', goingBack: 2 });
    const one = step(spec, back, { type: 'went-back' }, 0);
    expect(step(spec, one, { type: 'went-back' }, 0)).toMatchObject({ status: 'rolled-back', goingBack: 0 });
    expect(() => step(spec, running, approve, 0)).toThrow(/running cannot be asked to approve/);
  });
});

const event: fc.Arbitrary<RolloutEvent> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<RolloutEvent>(approve, { type: 'reject', reason: 'r' }, { type: 'resume' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<RolloutEvent>(
      { type: 'pause', reason: 'r' },
      { type: 'stop', reason: 'r' },
      { type: 'abort', reason: 'r' },
      { type: 'roll-back', devices: 3, reason: 'r' },
      { type: 'went-back' },
    ),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('succeeded', 'failed'), fc.nat(1))
      .map(([type, stage]) => of(type as 'failed', stage)),
  },
  { weight: 8, arbitrary: fc.nat(1).map((stage) => of('offered', stage)) },
  { weight: 6, arbitrary: fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => tick(a, b)) },
);

test('on every way: counts add up, stages only open, ends are final, nothing is offered where it must not be', () => {
  const spec = rolloutSpec({ stages, maxInFlight: 5, errors: { count: 4, share: 0.5, minimumEnded: 3 } });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(500), event), { maxLength: 120 }), (events) => {
      let state = initialState(spec);
      let nowMs = 0;
      for (const [passedMs, next] of events) {
        nowMs += passedMs;
        // The rim offers only what may be offered, and reports only of what is in flight.
        if (next.type === 'offered' && !mayOffer(spec, state, next.stage, nowMs)) continue;
        if (next.type === 'succeeded' || next.type === 'failed') {
          const { offered, succeeded, failed } = state.stages[next.stage]!;
          if (offered - succeeded - failed === 0) continue;
        }
        const before = state;
        try {
          state = step(spec, state, next, nowMs);
        } catch {
          expect(['approve', 'reject', 'pause', 'resume', 'stop', 'abort', 'roll-back']).toContain(next.type);
          continue;
        }
        expect(state.stage).toBeGreaterThanOrEqual(before.stage);
        expect(inFlight(state)).toBeLessThanOrEqual(spec.maxInFlight);
        for (const { offered, succeeded, failed } of state.stages) {
          expect(Math.min(offered, succeeded, failed)).toBeGreaterThanOrEqual(0);
          expect(succeeded + failed).toBeLessThanOrEqual(offered);
        }
        if (ENDED.includes(before.status) && next.type !== 'roll-back') expect(state.status).toBe(before.status);
        const failed = state.stages.reduce((sum, stage) => sum + stage.failed, 0);
        // Each stop leaves at most what was in flight, and an operator must resume to get further.
        if (failed > 4 && next.type === 'failed') expect(state.status).not.toBe('running');
        if (!['running', 'finished'].includes(state.status)) expect(mayOffer(spec, state, 0, nowMs)).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});

describe('stages', () => {
  const device = (id: string, groups: string[] = [], labels = {}): { id: string; groups: string[]; labels: {} } => ({
    id,
    groups,
    labels,
  });

  test('share devices out evenly, the same way each time, another way for another rollout', () => {
    const spec = rolloutSpec({ stages: [{ members: share(0.1) }, { members: share(0.3) }, { members: rest }] });
    const counts = [0, 0, 0];
    let sameInOther = 0;
    for (let at = 0; at < 10_000; at++) {
      const stage = stageOf('r1', spec, device(`d${at}`))!;
      expect(stageOf('r1', spec, device(`d${at}`))).toBe(stage);
      counts[stage]! += 1;
      if (stage === 0 && stageOf('r2', spec, device(`d${at}`)) === 0) sameInOther += 1;
    }
    expect(counts[0]).toBeGreaterThan(850);
    expect(counts[0]).toBeLessThan(1150);
    expect(counts[1]).toBeGreaterThan(2700);
    expect(counts[1]).toBeLessThan(3300);
    expect(sameInOther).toBeLessThan(200);
  });

  test('take listed devices and groups first, and leave out what is not targeted', () => {
    const spec = rolloutSpec({
      target: { groups: ['plant-1', 'plant-2'], labels: { kind: 'camera' } },
      stages: [
        { members: { kind: 'devices', devices: ['lab-1'] } },
        { members: { kind: 'groups', groups: ['canary'] } },
        { members: share(1) },
      ],
    });
    const camera = { kind: 'camera' };
    expect(stageOf('r', spec, device('lab-1', ['plant-1'], camera))).toBe(0);
    expect(stageOf('r', spec, device('x', ['plant-2', 'canary'], camera))).toBe(1);
    expect(stageOf('r', spec, device('x', ['plant-2'], camera))).toBe(2);
    expect(stageOf('r', spec, device('x', ['plant-3'], camera))).toBeNull();
    expect(stageOf('r', spec, device('x', ['plant-1'], {}))).toBeNull();
  });

  test.each<[string, RolloutRequest, RegExp]>([
    ['none', { stages: [] }, /1 to 16/],
    ['too much', { stages: [{ members: share(0.6) }, { members: share(0.6) }] }, /more than 1/],
    ['a rest that is not last', { stages: [{ members: rest }, { members: share(0.5) }] }, /last/],
    ['a rest of nothing', { stages: [{ members: share(1) }, { members: rest }] }, /nothing is left/],
  ])('are refused when %s', (_name, request, message) => {
    expect(() => rolloutSpec(request)).toThrow(message);
  });
});

describe('a window', () => {
  const window = { timeZone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], fromMinute: 22 * 60, toMinute: 5 * 60 };
  test.each([
    // Berlin is one hour ahead of UTC in November, two in July. 2026-11-23 is a Monday.
    ['2026-11-23T20:59:00Z', false],
    ['2026-11-23T21:00:00Z', true],
    ['2026-11-24T03:59:00Z', true],
    ['2026-11-24T04:00:00Z', false],
    ['2026-07-20T20:00:00Z', true],
    ['2026-11-28T03:00:00Z', true],
    ['2026-11-28T21:30:00Z', false],
    ['2026-11-23T03:00:00Z', false],
  ])('at %s: %s', (at, open) => {
    expect(isWindowOpen(window, Date.parse(at))).toBe(open);
  });

  test('that makes no sense is refused', () => {
    expect(() => rolloutSpec({ stages, window: { ...window, timeZone: 'Mars/Base' } })).toThrow(/no time zone/);
    expect(() => rolloutSpec({ stages, window: { ...window, days: [] } })).toThrow(/never open/);
  });
});
