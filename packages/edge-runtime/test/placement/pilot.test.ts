// A device, a link and a cloud on a made-up clock -> where frames go, when they leave, when they return, and what is told.
import { describe, expect, it } from 'vitest';
import type { PlacementOptions } from '../../src/placement/options.ts';
import { type Assignment, Pilot } from '../../src/placement/pilot.ts';
import type { Route } from '../../src/placement/routes.ts';

const ROUTES: readonly Route[] = [
  { name: 'cloud', kind: 'cloud', at: 0, crossing: [], uplinkBytes: 100_000, refusal: null },
  { name: 'cut-1', kind: 'split', at: 1, crossing: [], uplinkBytes: 20_000, refusal: null },
  { name: 'edge', kind: 'edge', at: 2, crossing: [], uplinkBytes: 0, refusal: null },
];

/** Times of both segments, of the cloud; what the link does. */
interface Truth {
  segmentMs: [number, number];
  cloudMs: number;
  queueMs: number;
  megabits: number;
  roundTripMs: number;
  isThere: boolean;
  /** Frames are swallowed. */
  isBlackHole: boolean;
  /** Routes whose session is not connected. */
  closed: string[];
}

class Plant {
  readonly pilot: Pilot;
  readonly truth: Truth = {
    segmentMs: [20, 180],
    cloudMs: 10,
    queueMs: 1,
    megabits: 20,
    roundTripMs: 30,
    isThere: true,
    isBlackHole: false,
    closed: [],
  };
  nowMs = 0;
  deadlineMs = 1000;
  /** From the start of a frame to that of the next; null: some time after its end. */
  paceMs: number | null = null;
  private lastStartMs = 0;

  constructor(options: Partial<PlacementOptions> = {}, routes = ROUTES) {
    this.pilot = new Pilot({ routes, segments: 2, options });
  }

  /** One frame from its call to its outcome, a ping beside it. */
  frame(): Assignment {
    const { truth, pilot, deadlineMs } = this;
    this.nowMs = this.paceMs === null ? this.nowMs + 300 : this.lastStartMs + this.paceMs;
    const startMs = this.nowMs;
    this.lastStartMs = startMs;
    if (truth.isThere && !truth.isBlackHole) pilot.onRoundTrip(truth.roundTripMs, startMs);
    const size = truth.isThere && !truth.isBlackHole ? pilot.probeDue(startMs) : null;
    if (size !== null) pilot.onProbe(size, truth.roundTripMs + this.#wireMs(size.upBytes), startMs);
    const assignment = pilot.assign({
      nowMs: startMs,
      deadlineMs,
      isCloudThere: truth.isThere,
      isReady: (name) => truth.isThere && !truth.closed.includes(name),
      isBroken: () => false,
    });
    this.#run(assignment, startMs);
    return assignment;
  }

  frames(count: number): string[] {
    return Array.from({ length: count }, () => this.frame().route);
  }

  #wireMs(bytes: number): number {
    return (bytes * 8) / (this.truth.megabits * 1000);
  }

  #run({ route: name, isTrial, patienceMs }: Assignment, startMs: number): void {
    const { truth, pilot, deadlineMs } = this;
    const route = ROUTES.find((other) => other.name === name) as Route;
    const [headMs, restMs] = [0, route.at].map((from) =>
      truth.segmentMs.slice(from === 0 ? 0 : route.at, from === 0 ? route.at : 2).reduce((sum, ms) => sum + ms, 0),
    ) as [number, number];
    for (let at = 0; at < route.at; at++) pilot.onSegment(at, truth.segmentMs[at] as number, startMs + headMs);
    const spans = {
      queueMs: 0,
      encodeMs: 0,
      wayDown: null,
      networkMs: 0,
      cloudMs: 0,
      decodeMs: 0,
      localMs: 0,
      headMs,
      totalMs: headMs,
    };
    const base = {
      route: name,
      isTrial,
      startMs,
      isDisturbed: false,
      wasLate: false,
      bytesUp: route.uplinkBytes ?? 0,
      bytesDown: 1000,
    };
    if (name === 'edge') {
      const local = { ...spans, headMs: 0, localMs: headMs, cloud: null };
      pilot.onOutcome({ ...base, spans: local, bytesUp: 0, bytesDown: 0, failure: null }, startMs + headMs);
      this.nowMs = startMs + headMs;
      return;
    }
    const totalMs = truth.cloudMs + truth.queueMs;
    const networkMs = this.#wireMs(base.bytesUp) + truth.roundTripMs + this.#wireMs(base.bytesDown);
    const waitMs = Math.min(patienceMs ?? Number.POSITIVE_INFINITY, deadlineMs - headMs - 1.5 * restMs);
    const isLost = !truth.isThere || truth.isBlackHole;
    if (isLost || networkMs + totalMs > waitMs + restMs) {
      const late = { ...spans, networkMs: waitMs, localMs: restMs, totalMs: headMs + waitMs + restMs, cloud: null };
      pilot.onLate(base);
      const failure = truth.isThere ? ('DEADLINE_EXCEEDED' as const) : ('LINK_LOST' as const);
      this.nowMs = startMs + late.totalMs;
      pilot.onOutcome({ ...base, wasLate: true, bytesDown: 0, spans: late, failure }, this.nowMs);
      return;
    }
    const cloud = { queueMs: truth.queueMs, decodeMs: 0, computeMs: truth.cloudMs, totalMs, batchRows: 1 };
    const answered = { ...spans, networkMs, cloudMs: totalMs, totalMs: headMs + networkMs + totalMs, cloud };
    this.nowMs = startMs + answered.totalMs;
    pilot.onOutcome({ ...base, spans: answered, failure: null }, this.nowMs);
  }
}

/** A plant that knows its routes. */
function settled(options: Partial<PlacementOptions> = {}): Plant {
  const plant = new Plant(options);
  plant.frames(60);
  return plant;
}

describe('where frames go', () => {
  it('the device measures first; then the fastest route is found without a profile', () => {
    const plant = new Plant();
    expect(plant.frame().route).toBe('edge');
    plant.frames(60);
    expect(plant.frames(20)).toEqual(Array.from({ length: 20 }, () => 'cut-1'));
    const [first] = plant.pilot.history;
    expect(first).toMatchObject({ from: 'edge', cause: 'gain' });
    expect(first?.why).toMatchObject({
      code: 'gain',
      changes: expect.arrayContaining([{ part: 'device', byMs: expect.any(Number) }]),
    });
    expect(first?.reason).toMatch(/takes \d+ ms, edge \d+ ms: \d+ ms less, beyond the margin of [\d.]+ ms/);
  });

  it('says what frames would wait for each other, where that decides', () => {
    const plant = new Plant();
    plant.truth.roundTripMs = 300;
    expect(new Set(plant.frames(60).slice(-20))).toEqual(new Set(['edge']));
    // The device alone takes 200 ms: it cannot keep up.
    plant.paceMs = 100;
    expect(plant.frames(20).at(-1)).toBe('cut-1');
    const last = plant.pilot.history.at(-1);
    expect(last).toMatchObject({ from: 'edge', to: 'cut-1', cause: 'gain' });
    if (last?.why.code !== 'gain') throw new Error('not for a gain');
    const { ms, fromMs, marginMs, changes } = last.why;
    expect((fromMs ?? 0) - (ms ?? 0)).toBeGreaterThan(marginMs);
    expect(changes[0]).toMatchObject({ part: 'waiting' });
    expect(last.reason).toMatch(/: \d+ ms less.*\(waiting -\d+ ms/);
  });

  it('follows the link: the picture on a fast one, the cut on a slow one, the device on a slower one', () => {
    const plant = settled();
    for (const [megabits, route] of [
      [500, 'cloud'],
      [10, 'cut-1'],
      [0.5, 'edge'],
      [20, 'cut-1'],
    ] as const) {
      plant.truth.megabits = megabits;
      plant.frames(40);
      const last = plant.frames(20).filter((name) => name === route);
      expect(last.length, `${megabits} Mbit/s`).toBeGreaterThanOrEqual(18);
    }
  });

  it('a crowded cloud sends frames to the device, and they come back when it is free', () => {
    const plant = settled();
    plant.truth.queueMs = 400;
    plant.frames(30);
    expect(plant.frames(20).filter((name) => name === 'edge').length).toBeGreaterThanOrEqual(15);
    plant.truth.queueMs = 1;
    plant.frames(200);
    expect(plant.frames(10)).toEqual(Array.from({ length: 10 }, () => 'cut-1'));
  });
});

describe('hysteresis', () => {
  it('a small gain moves nothing, and switches are dwellMs apart', () => {
    const plant = settled({ dwellMs: 5000, minGainShare: 0.3 });
    const before = plant.pilot.history.length;
    // The cloud alone would be faster by a tenth.
    plant.truth.megabits = 80;
    plant.frames(60);
    expect(plant.pilot.history.length).toBe(before);
    const wobbling = settled({ dwellMs: 5000 });
    for (let at = 0; at < 60; at++) {
      wobbling.truth.megabits = at % 4 < 2 ? 500 : 15;
      wobbling.frame();
    }
    const gains = wobbling.pilot.history.filter(({ cause }) => cause === 'gain').map(({ atMs }) => atMs);
    for (let at = 1; at < gains.length; at++) {
      expect((gains[at] ?? 0) - (gains[at - 1] ?? 0)).toBeGreaterThanOrEqual(5000);
    }
  });
});

describe('when the cloud fails', () => {
  it('a lost link: the next frame is on the device, and the return is a trial first', () => {
    const plant = settled();
    plant.truth.isThere = false;
    expect(plant.frame().route).toBe('edge');
    expect(plant.pilot.history.at(-1)).toMatchObject({ cause: 'link-lost', to: 'edge' });
    plant.frames(5);
    plant.truth.isThere = true;
    const back = Array.from({ length: 12 }, () => plant.frame());
    const first = back.findIndex(({ route }) => route !== 'edge');
    expect(back[first]).toMatchObject({ isTrial: true, switched: null });
    expect(back.at(-1)).toMatchObject({ route: 'cut-1', isTrial: false });
  });

  it('a black hole: two late answers, then the device; nothing is tried until the cloud is heard', () => {
    const plant = settled();
    plant.truth.isBlackHole = true;
    const routes = plant.frames(30);
    expect(routes.filter((name) => name !== 'edge').length).toBeLessThanOrEqual(2);
    expect(plant.pilot.history.at(-1)).toMatchObject({ cause: 'deadline', to: 'edge' });
    expect(plant.pilot.history.at(-1)?.why).toMatchObject({ code: 'missed', frames: 2 });
    expect(plant.pilot.history.at(-1)?.reason).toMatch(/2 frames in a row on cut-1 got no answer in time; edge takes/);
    plant.truth.isBlackHole = false;
    plant.frames(30);
    expect(plant.frames(5)).toEqual(Array.from({ length: 5 }, () => 'cut-1'));
  });

  it('two answers that are late now are enough: how those frames end is not waited for', () => {
    const plant = settled();
    const { pilot } = plant;
    const assign = (): Assignment => {
      plant.nowMs += 300;
      const there = { isCloudThere: true, isReady: () => true, isBroken: () => false };
      return pilot.assign({ nowMs: plant.nowMs, deadlineMs: plant.deadlineMs, ...there });
    };
    for (let at = 0; at < 2; at++) {
      const { route, isTrial } = assign();
      expect(route).toBe('cut-1');
      pilot.onLate({ route, isTrial });
    }
    expect(assign()).toMatchObject({ route: 'edge', switched: { cause: 'deadline' } });
  });

  it('after a silence the link is measured anew, and what waited meanwhile says nothing of it', () => {
    const plant = settled();
    const { pilot } = plant;
    plant.truth.isBlackHole = true;
    plant.frames(12);
    expect(pilot.route).toBe('edge');
    expect(pilot.estimates(plant.nowMs).uplinkBitsPerSecond?.value).toBeLessThan(10e6);
    const roundTripMs = pilot.estimates(plant.nowMs).roundTripMs?.value;
    pilot.onRoundTrip(4_000, plant.nowMs);
    expect(pilot.estimates(plant.nowMs)).toMatchObject({ uplinkBitsPerSecond: null });
    expect(pilot.estimates(plant.nowMs).roundTripMs?.value).toBe(roundTripMs);
    const size = pilot.probeDue(plant.nowMs);
    expect(size).not.toBeNull();
    pilot.onProbe(size ?? { upBytes: 0, downBytes: 0 }, 30 + 8, plant.nowMs + 38);
    plant.truth.isBlackHole = false;
    plant.nowMs += 1_000;
    expect(plant.frame()).toMatchObject({ route: 'cut-1', isTrial: true });
    expect(plant.frames(3)).toContain('cut-1');
  });

  it('a cloud that answers pings and no frames is tried ever more seldom', () => {
    const plant = settled();
    const { truth } = plant;
    // Pings and probes pass, frames take for ever.
    truth.cloudMs = 1e6;
    const triedAtMs: number[] = [];
    for (let at = 0; at < 400; at++) if (plant.frame().route !== 'edge') triedAtMs.push(plant.nowMs);
    const gaps = triedAtMs.slice(2).map((ms, at) => ms - (triedAtMs[at + 1] ?? 0));
    expect(triedAtMs.length).toBeLessThan(14);
    expect(Math.max(...gaps)).toBeGreaterThan(8000);
  });

  it('a deadline that frames miss, or would miss, is a reason to leave at any time', () => {
    // Too soon for another switch for a gain.
    const plant = new Plant({ dwellMs: 1e6, hedgeDeviations: 0 });
    plant.frames(3);
    plant.pilot.pin('cut-1');
    plant.frames(20);
    plant.pilot.pin(null);
    plant.deadlineMs = 320;
    plant.truth.megabits = 0.8;
    const switches = Array.from({ length: 12 }, () => plant.frame().switched).filter((one) => one !== null);
    expect(switches[0]).toMatchObject({ cause: 'deadline', to: 'edge' });
    expect(switches[0]?.reason).toMatch(
      /on cut-1,? (got no answer in time|a slow frame takes \d+ ms, the deadline is 320 ms); edge takes/,
    );
  });

  it('of the routes that cannot keep the deadline none is chosen for a gain', () => {
    const plant = new Plant();
    plant.deadlineMs = 60;
    expect(plant.frames(80).filter((name) => name !== 'edge').length).toBeLessThan(8);
  });
});

describe('trials', () => {
  it('cost no more than their share', () => {
    const plant = settled({ trialShare: 0.01 });
    plant.truth.queueMs = 400;
    plant.frames(30);
    let trials = 0;
    let totalMs = 0;
    let trialMs = 0;
    for (let at = 0; at < 600; at++) {
      const before = plant.nowMs + 300;
      const { isTrial } = plant.frame();
      totalMs += plant.nowMs - before;
      if (!isTrial) continue;
      trials++;
      trialMs += plant.nowMs - before;
    }
    expect(trials).toBeGreaterThan(0);
    // Beyond what they would have taken on the route of the others, 200 ms each.
    expect(trialMs - trials * 200).toBeLessThan(0.02 * totalMs);
  });

  it('that cost more than was expected are paid for, and none is waited for beyond what was saved', () => {
    const plant = new Plant();
    // A quick device, a fast link, and a cloud that is slower than anybody expects.
    plant.truth.segmentMs = [5, 25];
    plant.truth.cloudMs = 600;
    plant.truth.roundTripMs = 4;
    plant.truth.megabits = 300;
    plant.deadlineMs = 3_000;
    let totalMs = 0;
    const longestMs = { trial: 0 };
    for (let at = 0; at < 600; at++) {
      const before = plant.nowMs + 300;
      const { route } = plant.frame();
      const tookMs = plant.nowMs - before;
      totalMs += tookMs;
      if (route !== 'edge') longestMs.trial = Math.max(longestMs.trial, tookMs);
    }
    expect(longestMs.trial).toBeGreaterThan(30);
    expect(longestMs.trial).toBeLessThan(400);
    expect(totalMs / (600 * 30)).toBeLessThan(1.06);
  });

  it('find out that the cloud has become faster', () => {
    const plant = settled();
    plant.truth.megabits = 60;
    plant.truth.cloudMs = 45;
    plant.frames(60);
    plant.truth.cloudMs = 1;
    plant.frames(120);
    const estimate = plant.pilot.estimates(plant.nowMs).routes.find(({ name }) => name === 'cloud');
    expect(estimate?.isMeasured).toBe(true);
  });
});

describe('orders and limits', () => {
  it('a pin holds, and a route that is not open is asked for before frames go there', () => {
    const plant = settled();
    plant.truth.closed = ['cloud'];
    plant.pilot.pin('cloud');
    expect(plant.frame()).toMatchObject({ route: 'cut-1', wanted: 'cloud' });
    plant.truth.closed = [];
    expect(plant.frame()).toMatchObject({ route: 'cloud', switched: { cause: 'pinned' } });
    plant.frames(20);
    expect(plant.pilot.route).toBe('cloud');
  });

  it('a route that may not be taken is not, whatever it gains', () => {
    const refusal = { code: 'wish', words: 'a person said so' } as const;
    const routes = ROUTES.map((route) => (route.name === 'edge' ? route : { ...route, refusal }));
    const plant = new Plant({}, routes);
    expect(new Set(plant.frames(60))).toEqual(new Set(['edge']));
    expect(plant.pilot.estimates(plant.nowMs).routes[0]).toMatchObject({ name: 'cloud', refusal });
  });

  it('the history is bounded', () => {
    const plant = new Plant({ maxHistory: 3, dwellMs: 0 });
    for (let at = 0; at < 20; at++) {
      plant.pilot.pin(at % 2 === 0 ? 'edge' : 'cut-1');
      plant.frame();
    }
    expect(plant.pilot.history).toHaveLength(3);
  });
});
