// Sessions whose link fails in every way: reconnect, resume, faults, tokens, go-away, half-open links, the device's turn.
import { KerfError } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { EdgeSession } from '../src/session/edge-session.ts';
import { resolveEdgeSessionOptions } from '../src/session/options.ts';
import type { SessionStatus } from '../src/session/status.ts';
import { FakeClock, settle } from './support/fake-clock.ts';
import { bytesTensor, inputsOf, ScriptedModel, SPLIT, splitConfig, stage, Watched } from './support/fixtures.ts';
import { ScriptedCloud } from './support/scripted-cloud.ts';

const kinds = (statuses: readonly { kind: string }[]): string[] => statuses.map(({ kind }) => kind);

function splitCloud(): ScriptedCloud {
  const cloud = new ScriptedCloud();
  cloud.inputs = [{ name: 'mid', dtype: 'uint8', shape: ['n'] }];
  return cloud;
}

describe('reconnect', () => {
  it('resumes: known frames are waited for, others sent again with the same id and the time left', async () => {
    const { clock, cloud, infer, statuses } = await stage(undefined, { deadlineMs: 1000 });
    const frames = [1, 2, 3].map((value) => infer([value]));
    await settle();
    cloud.known = [1];
    cloud.last.link.sever();
    await clock.advance(100);
    expect(cloud.connections).toHaveLength(2);
    expect(cloud.last.of('open')[0]?.resume).toEqual({ key: 'key-1', outstanding: [0, 1] });
    // Two credits, one of them held by the known frame.
    expect(cloud.last.frames).toEqual([0]);
    expect(cloud.frames.get(0)?.deadlineMs).toBe(900);
    cloud.last.answer(1);
    cloud.last.answer(0);
    await settle();
    cloud.last.answer(2);
    await settle();
    expect(frames.map(({ text }) => text)).toEqual(['cloud 2', 'cloud 3', 'cloud 4']);
    expect(kinds(statuses)).toEqual(['connected', 'reconnecting', 'connecting', 'connected']);
    expect(statuses.at(-1)).toMatchObject({ resumed: true });
  });

  it('backs off exponentially with full jitter, up to the maximum', async () => {
    const cloud = new ScriptedCloud();
    cloud.refusals = Array.from({ length: 12 }, () => new KerfError('LINK_LOST', 'refused'));
    const { clock, statuses } = await stage(undefined, { backoffBaseMs: 100, backoffMaxMs: 1000 }, cloud);
    await clock.advance(60_000);
    const delays = statuses.flatMap((status) => (status.kind === 'reconnecting' ? [status.delayMs] : []));
    expect(delays).toEqual([50, 100, 200, 400, ...Array(8).fill(500)]);
    expect(statuses.at(-1)?.kind).toBe('connected');
  });

  describe('after a long outage', () => {
    const OUTAGE_MS = 10 * 60_000;
    const delaysOf = (statuses: readonly SessionStatus[]): number[] =>
      statuses.flatMap((status) => (status.kind === 'reconnecting' ? [status.delayMs] : []));
    const slowest = { random: () => 0.999 };

    it('is back within 2 s where nobody answered meanwhile, and asks at most once a second on average', async () => {
      const { clock, cloud, statuses } = await stage();
      cloud.isGone = new KerfError('LINK_LOST', 'nobody answers', { details: { unheard: true } });
      cloud.last.link.sever();
      await clock.advance(OUTAGE_MS);
      const delays = delaysOf(statuses);
      expect(Math.max(...delays)).toBeLessThanOrEqual(2000);
      expect(delays.length).toBeLessThan(OUTAGE_MS / 1000 + 10);
      cloud.isGone = null;
      await clock.advance(2000);
      expect(statuses.at(-1)?.kind).toBe('connected');
    });

    it('is back within 2 s where every attempt took too long', async () => {
      const cloud = new ScriptedCloud();
      const { clock, statuses } = await stage(undefined, slowest, cloud);
      cloud.isGone = 'hang';
      cloud.last.link.sever();
      await clock.advance(OUTAGE_MS);
      const delays = delaysOf(statuses);
      expect(delays.length).toBeGreaterThan(10);
      expect(Math.max(...delays)).toBeLessThanOrEqual(2000);
    });

    it.each([0, 1000, 4000, 9500, 30_000, 65_000])(
      'is back within 6 s where attempts made meanwhile stay silent for ever, %i ms into it',
      async (outageMs) => {
        const cloud = new ScriptedCloud();
        const { clock, statuses } = await stage(undefined, slowest, cloud);
        cloud.isGone = 'hang';
        cloud.last.link.sever();
        await clock.advance(outageMs + 200);
        cloud.isGone = null;
        await clock.advance(6000);
        expect(statuses.at(-1)?.kind).toBe('connected');
        expect(cloud.connections).toHaveLength(2);
      },
    );

    it('is back within 6 s where the cloud was reached meanwhile and never greeted, and leaves nothing open', async () => {
      const cloud = new ScriptedCloud();
      const { clock, statuses } = await stage(undefined, slowest, cloud);
      cloud.mute = true;
      cloud.last.link.sever();
      await clock.advance(31_000);
      const open = cloud.connections.filter(({ closes }) => closes.length === 0);
      expect(open.length).toBeLessThanOrEqual(3);
      expect(cloud.connections.length).toBeLessThan(14);
      cloud.mute = false;
      await clock.advance(6000);
      expect(statuses.at(-1)?.kind).toBe('connected');
      expect(cloud.connections.filter(({ closes }) => closes.length === 0)).toEqual([cloud.last]);
    });

    it('asks one that answers and refuses less and less often, in proportion to how long it has done so', async () => {
      const { clock, cloud, statuses } = await stage(undefined, slowest);
      cloud.isGone = new KerfError('LINK_LOST', 'HTTP 503');
      cloud.last.link.sever();
      await clock.advance(10_000);
      expect(Math.max(...delaysOf(statuses))).toBeLessThanOrEqual(2000);
      await clock.advance(OUTAGE_MS);
      const delays = delaysOf(statuses);
      expect(delays.at(-1)).toBeGreaterThan(29_000);
      expect(delays.length).toBeLessThan(60);
    });

    it('is back soon each time where a network cuts each connection after a few seconds', async () => {
      const { clock, cloud, infer, statuses } = await stage(undefined, slowest);
      for (let cut = 0; cut < 60; cut++) {
        infer([cut]);
        await settle();
        cloud.last.answer(cut);
        await clock.advance(5000);
        cloud.last.link.sever();
        await clock.advance(400);
      }
      expect(Math.max(...delaysOf(statuses))).toBeLessThan(400);
    });

    it('spreads a fleet anew when the cloud is there and has no place: from the first pause on', async () => {
      const { clock, cloud, statuses } = await stage(undefined, slowest);
      cloud.isGone = new KerfError('LINK_LOST', 'nobody answers', { details: { unheard: true } });
      cloud.last.link.sever();
      await clock.advance(OUTAGE_MS);
      const before = delaysOf(statuses).length;
      cloud.isGone = new KerfError('LINK_LOST', 'reset');
      await clock.advance(8000);
      const delays = delaysOf(statuses).slice(before);
      expect(delays.slice(0, 4).map(Math.round)).toEqual([200, 400, 799, 1598]);
    });
  });

  it('waits at least as long as the cloud asks', async () => {
    const { clock, cloud, statuses } = await stage();
    cloud.last.fault('OVERLOADED', null, 5000);
    await settle();
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', delayMs: 5100, code: 'OVERLOADED' });
    await clock.advance(5099);
    expect(cloud.connections).toHaveLength(1);
    await clock.advance(1);
    expect(cloud.connections).toHaveLength(2);
  });

  it('gives up an attempt that takes too long, whichever step hangs', async () => {
    const cloud = new ScriptedCloud();
    cloud.isGone = 'hang';
    const { clock, statuses } = await stage(undefined, { connectTimeoutMs: 500, openTimeoutMs: 800 }, cloud);
    await clock.advance(500);
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', code: 'HANDSHAKE_TIMEOUT' });
    cloud.isGone = null;
    cloud.mute = true;
    await clock.advance(150);
    expect(cloud.connections).toHaveLength(1);
    await clock.advance(1_000);
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', code: 'HANDSHAKE_TIMEOUT' });
    for (const { closes } of cloud.connections) expect(closes).toHaveLength(1);
  });

  it('allows more time after an attempt that took too long: a network of seconds is slow, not dead', async () => {
    const cloud = new ScriptedCloud();
    const { clock, statuses } = await stage(
      (its) => ({
        cloud: {
          model: 'm',
          token: null,
          connect: async (signal) => {
            await new Promise<void>((resolve) => its.after(900, resolve));
            return cloud.connect(signal);
          },
        },
      }),
      { connectTimeoutMs: 500 },
      cloud,
    );
    await clock.advance(500);
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', code: 'HANDSHAKE_TIMEOUT' });
    await clock.advance(2_000);
    expect(statuses.at(-1)).toMatchObject({ kind: 'connected' });
  });

  it('takes the first of several attempts that is greeted, so that one on a slow network is not spoiled by later ones', async () => {
    const cloud = new ScriptedCloud();
    let begun = 0;
    const { clock, statuses } = await stage(
      (its) => ({
        cloud: {
          model: 'm',
          token: null,
          connect: async (signal) => {
            begun++;
            await new Promise<void>((resolve) => its.after(8500, resolve));
            return cloud.connect(signal);
          },
        },
      }),
      {},
      cloud,
    );
    await clock.advance(8600);
    expect(statuses.at(-1)).toMatchObject({ kind: 'connected' });
    expect(begun).toBeGreaterThan(1);
    await clock.advance(20_000);
    // Those that came later were closed before they said anything.
    expect(cloud.connections.filter(({ received }) => received.length > 0)).toHaveLength(1);
  });

  it('waits longer with the next attempt where round trips were long before', async () => {
    const cloud = new ScriptedCloud();
    cloud.answersPings = false;
    const { clock } = await stage(undefined, {}, cloud);
    await clock.advance(1000);
    cloud.last.send({ type: 'pong', nonce: cloud.last.of('ping')[0]?.nonce ?? 0 });
    await settle();
    cloud.mute = true;
    cloud.last.link.sever();
    await clock.advance(5000);
    expect(cloud.connections).toHaveLength(2);
    await clock.advance(200);
    expect(cloud.connections).toHaveLength(3);
  });

  it('hears at once what the cloud says itself, whatever else is under way', async () => {
    const cloud = new ScriptedCloud();
    cloud.refusals = ['hang'];
    cloud.greetings = ['FORBIDDEN'];
    const { clock, statuses } = await stage(undefined, { random: () => 0.999 }, cloud);
    await clock.advance(2500);
    expect(statuses[0]).toMatchObject({ kind: 'faulted', code: 'FORBIDDEN' });
  });

  it('goes on with the others where one attempt is refused', async () => {
    const cloud = new ScriptedCloud();
    cloud.refusals = ['hang', new KerfError('LINK_LOST', 'HTTP 503')];
    const { clock, statuses } = await stage(undefined, { random: () => 0.999 }, cloud);
    await clock.advance(6000);
    expect(statuses.map(({ kind }) => kind)).toEqual(['connected']);
  });

  it('gives up waiting for a token', async () => {
    const cloud = new ScriptedCloud();
    const { clock, statuses } = await stage(
      () => ({ cloud: { model: 'm', connect: cloud.connect, token: () => new Promise<string>(() => {}) } }),
      { connectTimeoutMs: 500 },
      cloud,
    );
    await clock.advance(500);
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', code: 'HANDSHAKE_TIMEOUT' });
  });

  it('ends a frame that breaks every link', async () => {
    const { clock, cloud, infer } = await stage(undefined, { maxSends: 3, deadlineMs: 100_000, backoffBaseMs: 10 });
    const frame = infer([1]);
    for (let round = 0; round < 6; round++) {
      await clock.advance(1000);
      if (frame.outcome === null) cloud.last.link.sever();
    }
    expect(frame.text).toBe('LINK_LOST');
    expect(cloud.connections.filter(({ frames }) => frames.length > 0)).toHaveLength(3);
  });

  it('ends the link when the cloud breaks the protocol, and connects again', async () => {
    const { clock, cloud, statuses } = await stage();
    cloud.last.send({ type: 'open', session: 1, model: 'x', pair: null, resume: null, losslessVersion: null });
    await settle();
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', code: 'MESSAGE_UNEXPECTED' });
    await clock.advance(200);
    cloud.last.link.cloud.send(new Uint8Array(40));
    await settle();
    expect(statuses.at(-1)).toMatchObject({ kind: 'reconnecting', code: 'MESSAGE_MALFORMED' });
  });
});

describe('half-open links', () => {
  it('are found by the pings that nobody answers', async () => {
    const { clock, cloud, infer, statuses, session } = await stage(undefined, {
      pingIntervalMs: 1000,
      peerTimeoutMs: 3000,
      deadlineMs: 10_000,
    });
    await clock.advance(2500);
    expect(session.snapshot.roundTripMs).toBe(0);
    cloud.last.link.silence();
    const frame = infer([1]);
    await clock.advance(2400);
    expect(cloud.connections).toHaveLength(1);
    await clock.advance(1200);
    expect(statuses).toContainEqual(expect.objectContaining({ kind: 'reconnecting', code: 'LINK_LOST' }));
    expect(cloud.connections).toHaveLength(2);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2');
  });

  it('are not seen where the peer lives, with or without pongs', async () => {
    const { clock, cloud } = await stage(undefined, { pingIntervalMs: 1000, peerTimeoutMs: 2000 });
    cloud.answersPings = false;
    for (let second = 0; second < 10; second++) {
      cloud.last.send({ type: 'ping', nonce: second });
      await clock.advance(1000);
    }
    expect(cloud.connections).toHaveLength(1);
    expect(cloud.last.of('pong').map(({ nonce }) => nonce)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('a connection that owes a sign', () => {
  const patient = { deadlineMs: 60_000, random: () => 0.5 };

  it('is left for another one that is through, long before it counts as lost; frames are resumed there', async () => {
    const { clock, cloud, infer, statuses } = await stage(undefined, patient);
    cloud.last.link.silence();
    const frame = infer([1]);
    await clock.advance(7000);
    expect(cloud.connections).toHaveLength(2);
    expect(cloud.last.of('open')[0]?.resume).toEqual({ key: 'key-1', outstanding: [0] });
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2');
    expect(kinds(statuses)).toEqual(['connected', 'reconnecting', 'connected']);
    await clock.advance(60_000);
    expect(cloud.connections).toHaveLength(2);
  });

  it('is left as well where nobody waits', async () => {
    const { clock, cloud, statuses } = await stage(undefined, patient);
    cloud.last.link.silence();
    await clock.advance(11_000);
    expect(cloud.connections).toHaveLength(2);
    expect(statuses.at(-1)).toMatchObject({ kind: 'connected', resumed: true });
  });

  it('goes on when it is heard first: the other attempt ends, and nothing is told', async () => {
    const { clock, cloud, infer, statuses } = await stage(undefined, patient);
    const frame = infer([1]);
    cloud.answersPings = false;
    cloud.mute = true;
    await clock.advance(7000);
    expect(cloud.connections).toHaveLength(2);
    cloud.connections[0]?.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2');
    expect(cloud.connections.map(({ closes }) => closes.length)).toEqual([0, 1]);
    expect(kinds(statuses)).toEqual(['connected']);
  });

  it('is kept where the cloud cannot be reached otherwise, until it counts as lost; then that attempt goes on', async () => {
    const { clock, cloud, infer, statuses } = await stage(undefined, patient);
    cloud.isGone = new KerfError('LINK_LOST', 'refused');
    cloud.last.link.silence();
    infer([1]);
    await clock.advance(12_000);
    cloud.isGone = 'hang';
    await clock.advance(6000);
    expect(kinds(statuses)).toEqual(['connected']);
    await clock.advance(4000);
    expect(kinds(statuses)).toEqual(['connected', 'reconnecting']);
    cloud.isGone = null;
    await clock.advance(5000);
    expect(cloud.connections).toHaveLength(2);
    expect(statuses.at(-1)).toMatchObject({ kind: 'connected', resumed: true });
  });

  it('is not in doubt while bytes of a long message come, nor given up', async () => {
    const { clock, cloud, infer } = await stage(undefined, { ...patient, deadlineMs: 120_000 });
    const { edge } = cloud.last.link as unknown as { edge: { receivedBytes: number } };
    cloud.answersPings = false;
    const frame = infer([1]);
    for (let second = 0; second < 60; second++) {
      edge.receivedBytes += 1000;
      await clock.advance(1000);
    }
    expect(cloud.connections).toHaveLength(1);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2');
  });

  it('is in no doubt where nobody sees bytes come, as in a browser', async () => {
    const { clock, cloud, infer } = await stage(undefined, patient);
    Object.defineProperty(cloud.last.link.edge, 'receivedBytes', { value: undefined });
    cloud.last.link.silence();
    infer([1]);
    await clock.advance(19_000);
    expect(cloud.connections).toHaveLength(1);
  });
});

describe('faults that last', () => {
  it.each(['UNAUTHENTICATED', 'FORBIDDEN', 'VERSION_UNSUPPORTED'] as const)(
    '%s is told, ends frames at once, and is back soon after somebody cured it',
    async (code) => {
      const cloud = new ScriptedCloud();
      cloud.greetings = Array.from({ length: 10_000 }, () => code);
      const options = { faultRetryMs: 60_000, random: () => 0.999 };
      const { clock, infer, session, statuses } = await stage(undefined, options, cloud);
      expect(session.snapshot.status).toMatchObject({ kind: 'faulted', code });
      expect(await session.waitForCloud(10)).toMatchObject({ connected: false, code });
      await clock.advance(20_000);
      const frame = infer([1]);
      await settle();
      expect(frame.text).toBe(code);
      cloud.greetings = [];
      await clock.advance(5000);
      expect(statuses.at(-1)?.kind).toBe('connected');
      expect(await session.waitForCloud(10)).toEqual({ connected: true });
    },
  );

  it('are asked about ever more rarely, up to faultRetryMs', async () => {
    const cloud = new ScriptedCloud();
    cloud.greetings = Array.from({ length: 10_000 }, () => 'FORBIDDEN' as const);
    const { clock, statuses } = await stage(undefined, { faultRetryMs: 60_000, random: () => 0.999 }, cloud);
    await clock.advance(60 * 60_000);
    const delays = statuses.flatMap((status) => (status.kind === 'faulted' ? [status.retryInMs] : []));
    expect(delays[0]).toBeLessThanOrEqual(200);
    expect(delays.at(-1)).toBeGreaterThan(59_000);
    expect(delays.length).toBeLessThan(100);
  });

  it.each(['MODEL_NOT_FOUND', 'PAIR_MISMATCH'] as const)('%s of the session is one too', async (code) => {
    const cloud = new ScriptedCloud();
    cloud.openings = [code];
    const { session } = await stage(undefined, {}, cloud);
    expect(session.snapshot.status).toMatchObject({ kind: 'faulted', code });
  });

  it('TLS_UNTRUSTED of the connection is one too', async () => {
    const cloud = new ScriptedCloud();
    cloud.refusals = [new KerfError('TLS_UNTRUSTED', 'who are you')];
    const { session } = await stage(undefined, {}, cloud);
    expect(session.snapshot.status).toMatchObject({ kind: 'faulted', code: 'TLS_UNTRUSTED' });
  });

  it('a cloud that opens another tail is refused as PAIR_MISMATCH', async () => {
    const { session } = await stage(splitConfig());
    expect(session.snapshot.status).toMatchObject({ kind: 'faulted', code: 'PAIR_MISMATCH' });
  });

  it('an expired token is asked for once more, then it lasts', async () => {
    const cloud = new ScriptedCloud();
    cloud.greetings = ['TOKEN_EXPIRED'];
    let asked = 0;
    const token = (): string => `t-${++asked}`;
    const { clock, statuses } = await stage(
      () => ({ cloud: { model: 'm', connect: cloud.connect, token } }),
      {},
      cloud,
    );
    await clock.advance(200);
    expect(cloud.last.of('hello')[0]?.token).toBe('t-2');
    expect(statuses.at(-1)?.kind).toBe('connected');
    // The next expiry may ask again, but two in a row last.
    cloud.greetings = ['TOKEN_EXPIRED'];
    cloud.last.fault('TOKEN_EXPIRED');
    await clock.advance(500);
    expect(asked).toBe(3);
    expect(statuses.at(-1)).toMatchObject({ kind: 'faulted', code: 'TOKEN_EXPIRED' });
  });

  it('an expired token that is a fixed string lasts at once', async () => {
    const cloud = new ScriptedCloud();
    cloud.greetings = ['TOKEN_EXPIRED'];
    const { session } = await stage(undefined, {}, cloud);
    expect(session.snapshot.status).toMatchObject({ kind: 'faulted', code: 'TOKEN_EXPIRED' });
  });
});

describe('go-away', () => {
  it('sends nothing more, takes the answers under way, then moves without losing a frame', async () => {
    const { clock, cloud, infer, statuses } = await stage();
    const frames = [infer([1]), infer([2])];
    await settle();
    const [old] = cloud.connections;
    old!.send({ type: 'goaway', graceMs: 5000, reason: 'update' });
    await settle();
    frames.push(infer([3]));
    await settle();
    expect(old!.frames).toEqual([0, 1]);
    old!.answer(0);
    old!.answer(1);
    await clock.advance(200);
    expect(cloud.connections).toHaveLength(2);
    expect(cloud.last.frames).toEqual([2]);
    cloud.last.answer(2);
    await settle();
    expect(frames.map(({ text }) => text)).toEqual(['cloud 2', 'cloud 3', 'cloud 4']);
    expect(kinds(statuses)).toContain('draining');
    expect(old!.closes).toEqual([1000]);
  });

  it('sends a frame that was refused on the way out over the next connection', async () => {
    const { clock, cloud, infer } = await stage();
    const frame = infer([1]);
    await settle();
    cloud.last.send({ type: 'goaway', graceMs: 1000, reason: 'update' });
    cloud.last.fault('DRAINING', 0);
    await clock.advance(200);
    expect(cloud.connections).toHaveLength(2);
    expect(cloud.connections[0]?.of('close')).toEqual([]);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2');
  });

  it('resumes what the cloud has not answered within its grace', async () => {
    const { clock, cloud, infer } = await stage();
    const frame = infer([1]);
    await settle();
    cloud.last.send({ type: 'goaway', graceMs: 1000, reason: 'update' });
    await clock.advance(1200);
    expect(cloud.connections).toHaveLength(2);
    expect(cloud.last.of('open')[0]?.resume?.outstanding).toEqual([0]);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2');
  });
});

describe('a cloud that is away', () => {
  const away = (): ScriptedCloud => {
    const cloud = splitCloud();
    cloud.refusals = Array.from({ length: 100 }, () => new KerfError('LINK_LOST', 'refused'));
    return cloud;
  };

  it('ends frames with LINK_LOST at their deadline when the device has not the rest', async () => {
    const { clock, infer } = await stage(splitConfig(), { deadlineMs: 500 }, away());
    const frame = infer([1]);
    await clock.advance(499);
    expect(frame.text).toBe('pending');
    await clock.advance(1);
    expect(frame.text).toBe('LINK_LOST');
  });

  it('leaves frames to the device after the grace: first the ones that wait, then each at once', async () => {
    const { clock, infer } = await stage(splitConfig({ whole: true }), { awayGraceMs: 200 }, away());
    const early = infer([1]);
    await clock.advance(199);
    expect(early.text).toBe('pending');
    await clock.advance(40);
    expect(early.text).toBe('edge (LINK_LOST) 12');
    const later = infer([2]);
    await clock.advance(31);
    expect(later.text).toBe('edge (LINK_LOST) 13');
  });

  it('runs only the tail when the head has run already', async () => {
    const cloud = splitCloud();
    const made: { head?: ScriptedModel; tail?: ScriptedModel } = {};
    const { clock, infer } = await stage(
      (clock) => {
        made.head = new ScriptedModel('x', 'mid', 10, clock, 10);
        made.tail = new ScriptedModel('mid', 'y', 1, clock, 20);
        return { split: SPLIT, head: made.head, local: { tail: made.tail } };
      },
      { awayGraceMs: 100 },
      cloud,
    );
    const frame = infer([1]);
    await clock.advance(10);
    expect(cloud.last.frames).toEqual([0]);
    cloud.refusals = [
      new KerfError('LINK_LOST', 'refused'),
      new KerfError('LINK_LOST', 'refused'),
      new KerfError('LINK_LOST', 'refused'),
    ];
    cloud.last.link.sever();
    await clock.advance(130);
    expect(frame.text).toBe('edge (LINK_LOST) 12');
    expect([made.head!.runs.length, made.tail!.runs.length]).toEqual([1, 1]);
    expect(frame.outcome?.spans).toMatchObject({ headMs: 10, networkMs: 100, localMs: 20, totalMs: 130 });
  });

  it('gives the device its turn in time when an answer does not come', async () => {
    const cloud = splitCloud();
    const { clock, infer } = await stage(splitConfig({ tail: true }), { deadlineMs: 400, localReserveMs: 100 }, cloud);
    const frame = infer([1]);
    await clock.advance(299);
    expect(frame.text).toBe('pending');
    await clock.advance(21);
    expect(frame.text).toBe('edge (DEADLINE_EXCEEDED) 12');
    expect(cloud.last.of('cancel').map(({ frame }) => frame)).toEqual([0]);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('edge (DEADLINE_EXCEEDED) 12');
  });

  it('takes the cloud’s answer when it comes before the device is done', async () => {
    const cloud = splitCloud();
    const { clock, infer } = await stage(
      splitConfig({ tail: true, tailMs: 50 }),
      { deadlineMs: 400, localReserveMs: 100 },
      cloud,
    );
    const frame = infer([1]);
    await clock.advance(310);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('split 12');
    await clock.advance(100);
    expect(frame.text).toBe('split 12');
  });

  it('leaves an image that only the cloud can read to the cloud', async () => {
    const cloud = new ScriptedCloud();
    cloud.refusals = [new KerfError('LINK_LOST', 'refused')];
    const { clock, session } = await stage(
      (clock) => ({ local: { whole: new ScriptedModel('x', 'y', 11, clock, 10) } }),
      { awayGraceMs: 0, backoffBaseMs: 1000 },
      cloud,
    );
    const pixels = { layout: 'nhwc', channels: 'gray', scale: [1], offset: [0] } as const;
    const image = { format: 'png', bytes: Uint8Array.of(1), pixels, dtype: 'uint8', shape: [3] } as const;
    const toTensor = () => bytesTensor(1, 2, 3);
    const [alone, local] = [image, { ...image, toTensor }].map((x) => new Watched(session.infer(new Map([['x', x]]))));
    await clock.advance(100);
    expect([alone!.text, local!.text]).toEqual(['pending', 'edge (LINK_LOST) 12,13,14']);
    session.close();
  });

  it('ends at the deadline although the device is not done', async () => {
    const { clock, infer } = await stage(
      splitConfig({ whole: true, tailMs: 5000 }),
      { deadlineMs: 300, awayGraceMs: 0 },
      away(),
    );
    const frame = infer([1]);
    await clock.advance(300);
    expect(frame.text).toBe('DEADLINE_EXCEEDED');
  });

  it('is in time where its processor is busy and a run takes longer than those before', async () => {
    const tails: ScriptedModel[] = [];
    const cloud = splitCloud();
    cloud.credits = 64;
    const { clock, infer } = await stage(
      (its) => {
        tails.push(new ScriptedModel('mid', 'y', 1, its, 20));
        return { ...splitConfig()(its), local: { tail: tails[0]! } };
      },
      { deadlineMs: 1000 },
      cloud,
    );
    for (const tookMs of [20, 20, 20, 60]) {
      tails[0]!.tookMs = tookMs;
      const frame = infer([1]);
      await clock.advance(1000);
      expect(frame.text).toBe('edge (DEADLINE_EXCEEDED) 12');
    }
  });

  it('lets the device finish what the cloud refuses for its own reasons', async () => {
    const cloud = splitCloud();
    const { clock, infer } = await stage(splitConfig({ tail: true }), {}, cloud);
    const frames = [infer([1]), infer([2])];
    await clock.advance(20);
    cloud.last.fault('OVERLOADED', 0);
    cloud.last.fault('TENSOR_MISMATCH', 1);
    await clock.advance(20);
    expect(frames.map(({ text }) => text)).toEqual(['edge (OVERLOADED) 12', 'TENSOR_MISMATCH']);
  });

  it('runs the whole model when the head fails', async () => {
    const cloud = splitCloud();
    const { clock, infer } = await stage(
      (clock) => {
        const head = new ScriptedModel('x', 'mid', 10, clock, 10);
        head.failure = new KerfError('BACKEND_FAILED', 'no');
        return { split: SPLIT, head, local: { whole: new ScriptedModel('x', 'y', 11, clock, 10) } };
      },
      {},
      cloud,
    );
    const frame = infer([1]);
    await clock.advance(20);
    expect(frame.text).toBe('edge (BACKEND_FAILED) 12');
  });

  it('goes back to the cloud when it is there again', async () => {
    const cloud = away();
    const { clock, infer } = await stage(splitConfig({ whole: true }), { awayGraceMs: 0, backoffMaxMs: 1000 }, cloud);
    infer([1]);
    await clock.advance(2000);
    cloud.refusals = [];
    await clock.advance(2000);
    const frame = infer([5]);
    await clock.advance(10);
    cloud.last.answer(1);
    await settle();
    expect(frame.text).toBe('split 16');
  });

  it('bounds what waits for a device that hangs', async () => {
    const { clock, infer } = await stage(
      splitConfig({ whole: true, tailMs: 10_000_000 }),
      { awayGraceMs: 0, deadlineMs: 50, maxQueuedFrames: 4 },
      away(),
    );
    const frames = [];
    for (let index = 0; index < 40; index++) {
      frames.push(infer([index]));
      await clock.advance(20);
    }
    await clock.advance(100);
    const ends = frames.map(({ text }) => text);
    expect(new Set(ends)).toEqual(new Set(['DEADLINE_EXCEEDED', 'OVERLOADED']));
  });
});

describe('opening', () => {
  const clock = new FakeClock();
  const model = new ScriptedModel('x', 'y', 1, clock, 1);
  const open = (config: object): Promise<EdgeSession> =>
    EdgeSession.open({ split: null, head: null, local: null, cloud: null, ...config });

  it('refuses parts that do not fit', async () => {
    const invalid = { code: 'INVALID_ARGUMENT' };
    await expect(open({})).rejects.toMatchObject(invalid);
    await expect(open({ head: model, local: { whole: model } })).rejects.toMatchObject(invalid);
    await expect(open({ split: SPLIT, local: { whole: model } })).rejects.toMatchObject(invalid);
    await expect(open({ local: { tail: model, whole: model } })).rejects.toMatchObject(invalid);
    await expect(open({ split: SPLIT, head: model, local: { whole: model } })).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
    });
  });

  it('refuses options that it does not know or cannot use, by name', () => {
    const cases: [object, string][] = [
      [{ deadline: 5 }, 'deadline'],
      [{ deadlineMs: 0 }, 'deadlineMs'],
      [{ deadlineMs: Number.NaN }, 'deadlineMs'],
      [{ deadlineMs: '5' }, 'deadlineMs'],
      [{ deadlineMs: null }, 'deadlineMs'],
      [{ maxQueuedFrames: 1.5 }, 'maxQueuedFrames'],
      [{ backoffBaseMs: 500, backoffMaxMs: 100 }, 'backoffMaxMs'],
      [{ pingIntervalMs: 500, peerTimeoutMs: 100 }, 'peerTimeoutMs'],
      [{ agent: 5 }, 'agent'],
    ];
    for (const [options, name] of cases) expect(() => resolveEdgeSessionOptions(options)).toThrow(`'${name}'`);
    expect(resolveEdgeSessionOptions({ deadlineMs: 7, localReserveMs: null }).deadlineMs).toBe(7);
  });

  it('answers every frame exactly once under accidents of every kind', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      let state = seed;
      const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
      const cloud = splitCloud();
      cloud.credits = 3;
      const hasTail = seed % 2 === 0;
      const { clock, infer, session } = await stage(
        splitConfig({ tail: hasTail }),
        { deadlineMs: 800, awayGraceMs: 100, maxQueuedFrames: 8, backoffBaseMs: 50 },
        cloud,
      );
      const frames = [];
      for (let step = 0; step < 60; step++) {
        frames.push(infer([step]));
        const accident = random();
        const connection = cloud.connections.at(-1);
        if (accident < 0.1) connection?.link.sever();
        else if (accident < 0.15) connection?.send({ type: 'goaway', graceMs: 100, reason: 'x' });
        else if (accident < 0.2) cloud.refusals = [new KerfError('LINK_LOST', 'no'), 'hang'];
        else if (accident < 0.25) connection?.fault('OVERLOADED', connection.frames.at(-1) ?? null);
        else for (const frame of connection?.frames.slice(-3) ?? []) if (random() < 0.6) connection?.answer(frame);
        await clock.advance(random() * 60);
      }
      await clock.advance(2000);
      expect(frames.every(({ outcome }) => outcome !== null)).toBe(true);
      for (const [index, { outcome }] of frames.entries()) {
        if (outcome?.kind === 'result') expect(outcome.outputs.get('y')?.data[0], `seed ${seed}`).toBe(index + 11);
        expect(outcome!.spans.totalMs).toBeLessThan(800.001);
      }
      expect(session.snapshot.unfinishedFrames).toBe(0);
      session.close();
      await expect(session.infer(inputsOf(1))).resolves.toMatchObject({ code: 'CLOSED' });
    }
  });
});

describe('a cloud that holds another whole model under the name', () => {
  const [OWN, OTHER] = ['1'.repeat(64), '2'.repeat(64)];
  const saying = (identity: string | null): ScriptedCloud => Object.assign(new ScriptedCloud(), { identity });

  it('is refused: its answers are nobody else’s, and the device goes on where it can', async () => {
    const cloud = saying(OTHER);
    const config = (clock: FakeClock) => ({
      identity: OWN,
      local: { whole: new ScriptedModel('x', 'y', 11, clock, 30) },
    });
    const { clock, statuses, infer } = await stage(config, { faultRetryMs: 5000 }, cloud);
    expect(statuses.at(-1)).toMatchObject({ kind: 'faulted', code: 'PAIR_MISMATCH' });
    const frame = infer([1]);
    await clock.advance(300);
    expect(frame.text).toBe('edge (PAIR_MISMATCH) 12');
    expect(cloud.frames.size).toBe(0);
    cloud.identity = OWN;
    await clock.advance(5000);
    expect(statuses.at(-1)?.kind).toBe('connected');
  });

  it('is refused when it comes back with another one, and gets nothing of what was under way', async () => {
    const cloud = saying(OWN);
    const { clock, statuses, infer } = await stage(() => ({ identity: OWN }), { deadlineMs: 1000 }, cloud);
    const frame = infer([1]);
    await settle();
    cloud.identity = OTHER;
    cloud.last.fault('WORKER_LOST');
    await clock.advance(200);
    expect(cloud.connections).toHaveLength(2);
    expect(cloud.last.frames).toEqual([]);
    expect(statuses.at(-1)).toMatchObject({ kind: 'faulted', code: 'PAIR_MISMATCH' });
    expect(frame.text).toBe('PAIR_MISMATCH');
  });

  it.each([
    ['the device has none of its own', null, OTHER],
    ['the cloud, of an earlier version, does not say which', OWN, null],
  ])('is taken where %s', async (_, own, theirs) => {
    const { statuses } = await stage(() => ({ identity: own }), {}, saying(theirs));
    expect(kinds(statuses)).toEqual(['connected']);
  });
});
