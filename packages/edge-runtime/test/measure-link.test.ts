// Links that are simulated to the millisecond: what measureLink says of them, in what time, and how it ends when they fail.
import { KerfError, seededRandom } from '@kerf/protocol';
import { type LinkProfile, parseLinkProfile } from '@kerf/splitter';
import { describe, expect, it } from 'vitest';
import { type MeasureLinkOptions, measureLink } from '../src/index.ts';
import { FakeClock } from './support/fake-clock.ts';
import { type LinkFault, SimulatedLink, type SimulatedLinkOptions } from './support/simulated-link.ts';

interface Measured {
  readonly profile: LinkProfile | null;
  readonly error: unknown;
  readonly elapsedMs: number;
  readonly link: SimulatedLink;
}

const MEGABIT = 1e6;

async function measure(
  shape: Omit<SimulatedLinkOptions, 'clock'>,
  options: Partial<MeasureLinkOptions> = {},
): Promise<Measured> {
  const clock = new FakeClock();
  const link = new SimulatedLink({ clock, ...shape });
  const startMs = clock.nowMs();
  const outcome: { profile: LinkProfile | null; error: unknown; endMs: number | null } = {
    profile: null,
    error: null,
    endMs: null,
  };
  const end = (found: Partial<typeof outcome>) => Object.assign(outcome, found, { endMs: clock.nowMs() });
  measureLink({ connect: async () => link, token: null, clock, wallNowMs: () => 0, ...options }).then(
    (profile) => end({ profile }),
    (error: unknown) => end({ error }),
  );
  for (let turn = 0; outcome.endMs === null && turn < 1000; turn++) await clock.advance(1000);
  expect(clock.pending, 'timers that are left').toBe(0);
  return { ...outcome, link, elapsedMs: (outcome.endMs ?? Number.POSITIVE_INFINITY) - startMs };
}

async function profileOf(...given: Parameters<typeof measure>): Promise<LinkProfile & Omit<Measured, 'profile'>> {
  const { profile, ...rest } = await measure(...given);
  if (profile === null) throw rest.error;
  return { ...profile, ...rest };
}

async function failureOf(...given: Parameters<typeof measure>): Promise<{ code: string; elapsedMs: number }> {
  const { error, elapsedMs } = await measure(...given);
  if (!KerfError.is(error)) throw new Error('it did not fail', { cause: error });
  return { code: error.code, elapsedMs };
}

/** How far `value` is from `truth`, as a share of it. */
const off = (value: number, truth: number): number => Math.abs(value / truth - 1);

const even = (megabits: number, roundTripMs: number): Omit<SimulatedLinkOptions, 'clock'> => ({
  upBitsPerSecond: megabits * MEGABIT,
  downBitsPerSecond: megabits * MEGABIT,
  roundTripMs,
});

describe('measureLink', () => {
  it.each([
    [0.05, 100],
    [0.1, 150],
    [0.5, 1],
    [0.5, 150],
    [2, 40],
    [20, 10],
    [20, 150],
    [100, 300],
    [200, 5],
    [500, 1],
    [500, 150],
    [2000, 1],
  ])('finds %d Mbit/s and %d ms within two percent, in time', async (megabits, roundTripMs) => {
    const found = await profileOf(even(megabits, roundTripMs));
    expect(off(found.uplinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.02);
    expect(off(found.downlinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.02);
    // An empty probe and its answer have bytes too.
    const envelopeMs = (2 * 96 * 8) / (megabits * 1000);
    expect(found.roundTripMs).toBeGreaterThanOrEqual(roundTripMs);
    expect(found.roundTripMs).toBeLessThan(roundTripMs + envelopeMs + 0.1);
    expect(found.jitterMs).toBeLessThan(0.01);
    expect(found.elapsedMs).toBeLessThanOrEqual(15_000);
    expect(found.link.bytes).toBeLessThan(100_000_000);
    expect(found.link.closeCode).toBe(1000);
  });

  it('tells up from down', async () => {
    const found = await profileOf({ upBitsPerSecond: 1e6, downBitsPerSecond: 300e6, roundTripMs: 30 });
    expect(off(found.uplinkBitsPerSecond, 1e6)).toBeLessThan(0.02);
    expect(off(found.downlinkBitsPerSecond, 300e6)).toBeLessThan(0.02);
  });

  it('makes a profile that is read back as it is', async () => {
    const { format, uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs, date } = await profileOf(
      even(20, 10),
    );
    const profile = { format, uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs, date };
    expect(parseLinkProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
    expect(date).toBe('1970-01-01T00:00:00.000Z');
  });

  it.each([
    [20, 10, 5],
    [50, 40, 30],
    [5, 80, 60],
  ])('sees jitter and sees past it: %d Mbit/s, %d ms, up to %d ms more each way', async (megabits, rtt, jitterMs) => {
    const found = await profileOf({ ...even(megabits, rtt), jitterMs, random: seededRandom(7) });
    expect(off(found.uplinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.15);
    expect(off(found.downlinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.15);
    // The sum of two even draws: its median is one jitter above the least, its largest two.
    expect(Math.abs(found.roundTripMs - rtt - jitterMs)).toBeLessThan(0.4 * jitterMs + 1);
    expect(found.jitterMs).toBeGreaterThan(0.4 * jitterMs);
    expect(found.jitterMs).toBeLessThan(1.2 * jitterMs);
  });

  it.each([
    [20, 150],
    [100, 40],
    [500, 80],
  ])('is not fooled by the slow start of TCP: %d Mbit/s, %d ms', async (megabits, roundTripMs) => {
    const found = await profileOf({ ...even(megabits, roundTripMs), slowStart: true });
    expect(off(found.uplinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.05);
    expect(off(found.downlinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.05);
  });

  it.each([
    [0.02, 600, 15_000],
    [0.5, 800, 15_000],
    [2, 1000, 15_000],
    [2, 2000, 60_000],
    [0.1, 50, 4000],
    [20, 10, 1000],
  ])('keeps to its time on a slow link: %d Mbit/s, %d ms, in %d ms', async (megabits, roundTripMs, budgetMs) => {
    const found = await profileOf(even(megabits, roundTripMs), { budgetMs });
    expect(off(found.uplinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.15);
    expect(off(found.downlinkBitsPerSecond, megabits * MEGABIT)).toBeLessThan(0.15);
    expect(found.elapsedMs).toBeLessThanOrEqual(budgetMs);
  });

  it.each([100_000, 1_000_000, 10_000_000])('keeps to %d bytes', async (maxBytes) => {
    const found = await profileOf(even(100, 20), { maxBytes });
    expect(found.link.bytes).toBeLessThanOrEqual(maxBytes);
    expect(off(found.uplinkBitsPerSecond, 100 * MEGABIT)).toBeLessThan(0.05);
    expect(off(found.downlinkBitsPerSecond, 100 * MEGABIT)).toBeLessThan(0.05);
  });

  it('keeps to the message size of the cloud', async () => {
    const found = await profileOf({ ...even(100, 20), maxMessageBytes: 20_000 });
    expect(off(found.uplinkBitsPerSecond, 100 * MEGABIT)).toBeLessThan(0.05);
  });
});

describe('a link that fails', () => {
  const slow = even(2, 40);

  it.each<[LinkFault, number, string]>([
    ['silence', 0, 'LINK_LOST'],
    ['silence', 10, 'LINK_LOST'],
    ['silence', 30, 'LINK_LOST'],
    ['reset', 10, 'LINK_LOST'],
    ['goaway', 25, 'DRAINING'],
    ['OVERLOADED', 30, 'OVERLOADED'],
    ['TOKEN_EXPIRED', 3, 'TOKEN_EXPIRED'],
    ['wrong nonce', 4, 'MESSAGE_UNEXPECTED'],
    ['stray result', 4, 'MESSAGE_UNEXPECTED'],
  ])('with %s after %d probes ends in time', async (kind, after, code) => {
    const failure = await failureOf({ ...slow, fault: { after, kind } });
    expect(failure.code).toBe(code);
    expect(failure.elapsedMs).toBeLessThanOrEqual(15_000);
  });

  it('for large packets alone says so', async () => {
    const { error } = await measure({ ...slow, largestBytes: 1000 });
    expect(error).toMatchObject({ code: 'LINK_LOST', message: expect.stringContaining('MTU') as string });
    const silent = await measure({ ...slow, fault: { after: 40, kind: 'silence' } });
    expect(silent.error).toMatchObject({ message: expect.stringContaining('the link is down, or slower') as string });
  });

  it('and was once heard of is given up before the time is', async () => {
    const failure = await failureOf({ ...slow, fault: { after: 10, kind: 'silence' } }, { budgetMs: 600_000 });
    expect(failure.elapsedMs).toBeLessThan(10_000);
  });

  it('by not greeting, or never connecting, ends within ten seconds', async () => {
    const silent = { start() {}, send() {}, close() {}, bufferedBytes: 0 };
    const mute = await failureOf(slow, { connect: () => Promise.resolve(silent) });
    expect(mute).toEqual({ code: 'HANDSHAKE_TIMEOUT', elapsedMs: 10_000 });
    const nowhere = await failureOf(slow, { connect: () => new Promise(() => {}), budgetMs: 2000 });
    expect(nowhere).toEqual({ code: 'HANDSHAKE_TIMEOUT', elapsedMs: 2000 });
  });

  it('while it connects says why', async () => {
    const untrusted = new KerfError('TLS_UNTRUSTED', 'not trusted');
    expect(await failureOf(slow, { connect: () => Promise.reject(untrusted) })).toMatchObject({
      code: 'TLS_UNTRUSTED',
    });
    const token = (): never => {
      throw new Error('no token today');
    };
    expect(await failureOf(slow, { token })).toMatchObject({ code: 'LINK_LOST' });
  });

  it('can be cancelled, before and while it is measured', async () => {
    const controller = new AbortController();
    const random = (): number => {
      controller.abort();
      return 0;
    };
    expect(await failureOf({ ...slow, random }, { signal: controller.signal })).toMatchObject({ code: 'CANCELLED' });
    expect(await failureOf(slow, { signal: AbortSignal.abort() })).toEqual({ code: 'CANCELLED', elapsedMs: 0 });
  });

  it('whose round trip leaves no time to tell its throughput says so', async () => {
    const failure = await failureOf(even(2, 2000));
    expect(failure.code).toBe('INVALID_ARGUMENT');
    expect(failure.elapsedMs).toBeLessThanOrEqual(15_000);
  });

  it.each<Partial<MeasureLinkOptions>>([
    { budgetMs: 999 },
    { budgetMs: 600_001 },
    { budgetMs: Number.NaN },
    { maxBytes: 99_999 },
  ])('is not even tried with %o', async (options) => {
    expect((await failureOf(slow, options)).code).toBe('INVALID_ARGUMENT');
  });
});
