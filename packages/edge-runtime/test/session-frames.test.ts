// Frames through a session on a link that works: results, credits, limits, deadlines, cancel, spans.
import { type CodedTensor, decodeActivation, type Payload, type SplitManifest } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import type { FrameSpans } from '../src/session/outcome.ts';
import { settle } from './support/fake-clock.ts';
import { inputsOf, ScriptedModel, SPLIT, splitConfig, stage, Watched } from './support/fixtures.ts';
import { ScriptedCloud } from './support/scripted-cloud.ts';

const sumOf = (spans: FrameSpans): number =>
  spans.queueMs + spans.headMs + spans.encodeMs + spans.networkMs + spans.cloudMs + spans.decodeMs + spans.localMs;

function splitCloud(): ScriptedCloud {
  const cloud = new ScriptedCloud();
  cloud.inputs = [{ name: 'mid', dtype: 'uint8', shape: ['n'] }];
  return cloud;
}

describe('placements', () => {
  it('sends the inputs when there is no head', async () => {
    const { cloud, infer } = await stage();
    const frame = infer([1, 2]);
    await settle();
    expect(cloud.last.of('hello')[0]?.token).toBe('t-1');
    expect(cloud.last.of('open')[0]).toMatchObject({ model: 'm', pair: null, resume: null });
    expect(cloud.frames.get(0)?.tensors[0]).toMatchObject({ name: 'x', dtype: 'uint8', shape: [2] });
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('cloud 2,3');
  });

  it('codes inputs without loss where it is told to, and what crosses as the split says', async () => {
    const long = Array.from({ length: 500 }, (_, at) => at % 7);
    const alone = await stage(() => ({}), { inputCodec: 'lossless' });
    alone.infer(long);
    await settle();
    const coded: SplitManifest['codec'] = {
      kind: 'coded',
      tensors: [{ name: 'mid', codec: { kind: 'lossless' } }],
      calibration: null,
    };
    const split = await stage(
      (clock) => ({ ...splitConfig({})(clock), split: { ...SPLIT, codec: coded } }),
      {},
      splitCloud(),
    );
    split.infer(long);
    await split.clock.advance(100);
    for (const [{ cloud }, add] of [
      [alone, 0],
      [split, 10],
    ] as const) {
      const payload = cloud.frames.get(0)?.tensors[0];
      expect(payload?.codec).toEqual({ kind: 'lossless', version: 1 });
      expect(payload?.bytes.byteLength).toBeLessThan(400);
      const coding = payload as CodedTensor;
      expect([...decodeActivation(coding, new Map(), 500).data]).toEqual(long.map((value) => value + add));
    }
    await expect(stage(() => ({}), { inputCodec: 'uint8' as never })).rejects.toThrow(/inputCodec' must be 'raw' or/);
  });

  it('sends what the head made, and delivers what the head and the inputs already hold', async () => {
    const cloud = splitCloud();
    const { clock, infer } = await stage(
      (clock) => ({
        split: { ...SPLIT, modelOutputs: ['mid', 'y', 'x'] },
        head: new ScriptedModel('x', 'mid', 10, clock, 10),
      }),
      {},
      cloud,
    );
    const frame = infer([1, 2]);
    await clock.advance(10);
    expect(cloud.last.of('open')[0]?.pair).toBe(SPLIT.pair);
    cloud.last.answer(0);
    await settle();
    expect(frame.text).toBe('split 12,13');
    expect(frame.outcome?.kind === 'result' && [...frame.outcome.outputs.keys()]).toEqual(['mid', 'y', 'x']);
  });

  it('runs on the device alone without a cloud', async () => {
    const { clock, session, infer } = await stage((clock) => ({ ...splitConfig({ tail: true })(clock), cloud: null }));
    const frames = [infer([1]), infer([2])];
    await clock.advance(100);
    expect(frames.map(({ text }) => text)).toEqual(['edge 12', 'edge 13']);
    expect(session.snapshot.status).toEqual({ kind: 'local' });
    expect(await session.waitForCloud(10)).toMatchObject({ connected: false });
  });

  it('sends an encoded image as it is', async () => {
    const cloud = new ScriptedCloud();
    cloud.inputs = [{ name: 'x', dtype: 'float32', shape: [1, 3, 'h', 'w'] }];
    const { session } = await stage(undefined, {}, cloud);
    const pixels = { layout: 'nchw', channels: 'rgb', scale: [1, 1, 1], offset: [0, 0, 0] } as const;
    const image = {
      format: 'png',
      bytes: Uint8Array.of(9, 8, 7),
      pixels,
      dtype: 'float32',
      shape: [1, 3, 4, 5],
    } as const;
    void session.infer(new Map([['x', image]]));
    await settle();
    expect(cloud.frames.get(0)?.tensors[0]).toMatchObject({
      shape: [1, 3, 4, 5],
      codec: { kind: 'image', format: 'png', pixels },
    });
    expect([...cloud.frames.get(0)!.tensors[0]!.bytes]).toEqual([9, 8, 7]);
    await expect(session.infer(new Map([['x', { ...image, shape: [1, 1, 4, 5] }]]))).rejects.toMatchObject({
      code: 'TENSOR_MISMATCH',
    });
    session.close();
  });
});

describe('credits and limits', () => {
  it('keeps as many frames in flight as there are credits, in order, and matches answers by id', async () => {
    const { cloud, infer, session } = await stage();
    const frames = [1, 2, 3, 4, 5].map((value) => infer([value]));
    await settle();
    expect(cloud.last.frames).toEqual([0, 1]);
    expect(session.snapshot).toMatchObject({ unfinishedFrames: 5, inFlightFrames: 2 });
    cloud.last.answer(1);
    await settle();
    expect(cloud.last.frames).toEqual([0, 1, 2]);
    cloud.last.answer(2);
    cloud.last.answer(0);
    await settle();
    cloud.last.answer(4);
    cloud.last.answer(3);
    await settle();
    expect(frames.map(({ text }) => text)).toEqual(['cloud 2', 'cloud 3', 'cloud 4', 'cloud 5', 'cloud 6']);
  });

  it('takes more credits, and none twice for a repeated answer', async () => {
    const { cloud, infer } = await stage();
    for (let index = 0; index < 8; index++) infer([index]);
    await settle();
    cloud.last.answer(0);
    cloud.last.answer(0);
    cloud.last.answer(0);
    await settle();
    expect(cloud.last.frames).toEqual([0, 1, 2]);
    cloud.last.send({ type: 'credit', session: 1, credits: 2 });
    await settle();
    expect(cloud.last.frames).toEqual([0, 1, 2, 3, 4]);
    cloud.last.answer(1, 0);
    await settle();
    expect(cloud.last.frames).toHaveLength(5);
  });

  it('keeps its own bound when the cloud grants credits without end', async () => {
    const cloud = new ScriptedCloud();
    cloud.credits = 4_000_000_000;
    const { infer } = await stage(undefined, { maxInFlightFrames: 3 }, cloud);
    for (let index = 0; index < 10; index++) infer([index]);
    await settle();
    expect(cloud.last.frames).toHaveLength(3);
  });

  it('ends a frame beyond the queue with OVERLOADED at once', async () => {
    const { cloud, infer } = await stage(undefined, { maxQueuedFrames: 2 });
    const frames = [1, 2, 3, 4, 5].map((value) => infer([value]));
    await settle();
    expect(cloud.last.frames).toEqual([0, 1]);
    expect(frames.map(({ text }) => text)).toEqual(['pending', 'pending', 'pending', 'pending', 'OVERLOADED']);
  });

  it('runs no more heads ahead than it may, also when frames expire meanwhile', async () => {
    let head: ScriptedModel | null = null;
    const { clock, infer } = await stage(
      (clock) => {
        head = new ScriptedModel('x', 'mid', 10, clock, 1000);
        return { split: SPLIT, head };
      },
      { maxPreparedFrames: 2, deadlineMs: 100 },
      splitCloud(),
    );
    for (let index = 0; index < 20; index++) {
      infer([index]);
      await clock.advance(40);
    }
    expect(head!.mostRunning).toBe(2);
  });

  it('has the next frame wait at the head when one leaves it', async () => {
    const heads: ScriptedModel[] = [];
    const { clock, cloud, infer } = await stage(
      (clock) => {
        const head = new ScriptedModel('x', 'mid', 10, clock, 20);
        heads.push(head);
        return { split: SPLIT, head };
      },
      { maxPreparedFrames: 2 },
      splitCloud(),
    );
    for (let index = 0; index < 6; index++) infer([index]);
    for (let done = 0; done < 4; done += 2) {
      await settle();
      expect(cloud.last.frames).toHaveLength(done);
      expect(heads[0]?.running).toBe(2);
      await clock.advance(20);
    }
  });

  it('refuses what the cloud would not take, before it is sent', async () => {
    const cloud = new ScriptedCloud();
    cloud.maxMessageBytes = 300;
    const { infer } = await stage(undefined, {}, cloud);
    const frames = [infer(Array.from({ length: 500 }, () => 1)), infer([1])];
    await settle();
    expect(frames[0]?.text).toBe('MESSAGE_TOO_LARGE');
    expect(cloud.last.frames).toEqual([1]);
  });
});

describe('wrong calls', () => {
  it('throw before anything is sent', async () => {
    const { session, cloud } = await stage();
    const x = { dtype: 'uint8', shape: [1], data: new Uint8Array(1) } as const;
    const mismatch = { code: 'TENSOR_MISMATCH' };
    await expect(session.infer(new Map())).rejects.toMatchObject(mismatch);
    await expect(session.infer(new Map([['z', x]]))).rejects.toMatchObject(mismatch);
    await expect(
      session.infer(
        new Map([
          ['x', x],
          ['z', x],
        ]),
      ),
    ).rejects.toMatchObject(mismatch);
    await expect(session.infer(new Map([['x', { ...x, dtype: 'int8' as const }]]))).rejects.toMatchObject(mismatch);
    await expect(session.infer(new Map([['x', { ...x, shape: [1, 1] }]]))).rejects.toMatchObject(mismatch);
    await expect(session.infer(new Map([['x', { ...x, shape: [2] }]]))).rejects.toMatchObject(mismatch);
    await expect(session.infer(inputsOf(1), { deadlineMs: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(session.infer(inputsOf(1), { deadlineMs: Number.NaN })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    void session.infer(inputsOf(1), { frame: 7 });
    await expect(session.infer(inputsOf(1), { frame: 7 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(session.infer(inputsOf(1), { frame: 8.5 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await settle();
    expect(cloud.last.frames).toEqual([7]);
  });

  it('name the tensor that is missing, from what the head declares', async () => {
    const { session } = await stage(splitConfig());
    await expect(session.infer(new Map())).rejects.toThrow("'x'");
    const image = { format: 'png', bytes: new Uint8Array(1), pixels: {} as never, dtype: 'uint8', shape: [1] } as const;
    await expect(session.infer(new Map([['x', image]]))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('deadline and cancel', () => {
  it('ends a frame at its deadline wherever it is, and tells the cloud', async () => {
    const { clock, cloud, infer } = await stage(undefined, { deadlineMs: 100 });
    const frames = [1, 2, 3].map((value) => infer([value]));
    await clock.advance(99);
    expect(frames.map(({ text }) => text)).toEqual(['pending', 'pending', 'pending']);
    await clock.advance(1);
    expect(frames.map(({ text }) => text)).toEqual(Array(3).fill('DEADLINE_EXCEEDED'));
    expect(cloud.last.of('cancel').map(({ frame }) => frame)).toEqual([0, 1]);
    // The late answer changes nothing but gives its credit back.
    cloud.last.answer(0);
    const next = infer([7]);
    await settle();
    expect(cloud.last.frames).toContain(3);
    cloud.last.answer(3);
    await settle();
    expect(next.text).toBe('cloud 8');
  });

  it('sends the time that is left', async () => {
    const { clock, cloud, infer } = await stage(splitConfig({ headMs: 30 }), { deadlineMs: 100 }, splitCloud());
    infer([1]);
    await clock.advance(30);
    expect(cloud.frames.get(0)?.deadlineMs).toBe(70);
  });

  it('ends a cancelled frame at once and tells the cloud', async () => {
    const { cloud, infer } = await stage();
    const abort = new AbortController();
    const [sent, queued, other] = [
      infer([1], { signal: abort.signal }),
      infer([2]),
      infer([3], { signal: abort.signal }),
    ];
    await settle();
    abort.abort();
    await settle();
    expect([sent.text, queued.text, other.text]).toEqual(['CANCELLED', 'pending', 'CANCELLED']);
    expect(cloud.last.of('cancel').map(({ frame }) => frame)).toEqual([0]);
    const late = infer([4], { signal: abort.signal });
    await settle();
    expect(late.text).toBe('CANCELLED');
    cloud.last.fault('CANCELLED', 0);
    infer([5]);
    await settle();
    expect(cloud.last.frames).toEqual([0, 1, 4]);
  });

  it('passes a fault of one frame on and goes on with the others', async () => {
    const { cloud, infer } = await stage();
    const frames = [infer([1]), infer([2])];
    await settle();
    cloud.last.fault('WORKER_LOST', 0);
    cloud.last.answer(1);
    await settle();
    expect(frames.map(({ text }) => text)).toEqual(['WORKER_LOST', 'cloud 3']);
  });

  it('refuses an answer that is not what the cloud announced', async () => {
    const { cloud, infer } = await stage();
    const frame = infer([1]);
    await settle();
    const spans = { queueMs: 0, decodeMs: 0, computeMs: 0, totalMs: 0, batchRows: 1 };
    cloud.last.send({ type: 'result', session: 1, frame: 0, credits: 1, spans, tensors: [] });
    await settle();
    expect(frame.text).toBe('MESSAGE_MALFORMED');
  });

  describe('holds an answer against the split on this device, whatever the cloud says of it', () => {
    const fixed: SplitManifest = {
      ...SPLIT,
      tensors: SPLIT.tensors.map((tensor) => ({ ...tensor, shape: [1, 3] })),
    };
    const y = (shape: number[], name = 'y'): Payload => ({
      name,
      dtype: 'uint8',
      shape,
      codec: { kind: 'raw' },
      bytes: new Uint8Array(shape.reduce((product, size) => product * size, 1)),
    });

    async function answeredBy(tensors: readonly Payload[], split: SplitManifest, shape: number[]): Promise<string> {
      const cloud = splitCloud();
      cloud.outputs = [];
      const { clock, session } = await stage(
        (its) => {
          const head = Object.assign(new ScriptedModel('x', 'mid', 10, its, 10), { inputs: [split.tensors[0]!] });
          return { split, head, local: { tail: new ScriptedModel('mid', 'y', 1, its, 20) } };
        },
        {},
        cloud,
      );
      const x = { dtype: 'uint8' as const, shape, data: Uint8Array.of(1, 2, 3) };
      const frame = new Watched(session.infer(new Map([['x', x]])));
      await clock.advance(15);
      const spans = { queueMs: 0, decodeMs: 0, computeMs: 0, totalMs: 0, batchRows: 1 };
      cloud.last.send({ type: 'result', session: 1, frame: 0, credits: 1, spans, tensors });
      await clock.advance(50);
      return frame.text;
    }

    it.each([
      ['nothing', []],
      ['fewer rows', [y([0, 3])]],
      ['fewer values', [y([1, 2])]],
      ['another rank', [y([3])]],
      ['another dtype', [{ ...y([1, 3]), dtype: 'int8' as const }]],
    ])('%s: the device finishes the frame', async (_, tensors) => {
      expect(await answeredBy(tensors, fixed, [1, 3])).toBe('edge (MESSAGE_MALFORMED) 12,13,14');
    });

    it('takes what it gives besides for nothing', async () => {
      expect(await answeredBy([y([1, 3]), y([1, 3], 'x'), y([9], 'mid')], fixed, [1, 3])).toBe('split 0,0,0');
    });

    it('takes any size where an input may have any: what an export states of its outputs may be that of one run', async () => {
      const traced = {
        ...SPLIT,
        tensors: SPLIT.tensors.map((tensor) => (tensor.name === 'y' ? { ...tensor, shape: [1] } : tensor)),
      };
      expect(await answeredBy([y([3])], traced, [3])).toBe('split 0,0,0');
      expect(await answeredBy([y([1, 3])], traced, [3])).toBe('edge (MESSAGE_MALFORMED) 12,13,14');
    });
  });

  it('ends everything with CLOSED when it is closed, and again at each later call', async () => {
    const { clock, cloud, infer, session } = await stage();
    const frames = [1, 2, 3, 4].map((value) => infer([value]));
    await settle();
    session.close();
    session.close();
    frames.push(infer([5]));
    await settle();
    expect(frames.map(({ text }) => text)).toEqual(Array(5).fill('CLOSED'));
    expect(cloud.last.of('close')).toHaveLength(1);
    expect(cloud.last.closes).toEqual([1000]);
    expect(clock.pending).toBe(0);
  });
});

describe('spans', () => {
  it('add up to the wall time, with the cloud by its own account', async () => {
    const cloud = splitCloud();
    cloud.credits = 1;
    const { clock, infer } = await stage(splitConfig({ headMs: 30 }), {}, cloud);
    const frames = [infer([1]), infer([2])];
    await clock.advance(50);
    cloud.last.answer(0);
    await clock.advance(25);
    cloud.last.answer(1);
    await settle();
    const [first, second] = frames.map(({ outcome }) => outcome!.spans);
    expect(first).toMatchObject({ queueMs: 0, headMs: 30, networkMs: 15, cloudMs: 5, totalMs: 50 });
    expect(second).toMatchObject({ queueMs: 20, headMs: 30, networkMs: 20, cloudMs: 5, totalMs: 75 });
    for (const spans of [first!, second!]) expect(sumOf(spans)).toBeCloseTo(spans.totalMs, 9);
    expect(frames[0]!.outcome!.bytesUp).toBeGreaterThan(16);
    expect(frames[0]!.outcome!.bytesDown).toBeGreaterThan(16);
  });

  it('never let a cloud account for more than the round trip', async () => {
    const { clock, cloud, infer } = await stage();
    const frame: Watched = infer([1]);
    await clock.advance(2);
    cloud.last.answer(0);
    await settle();
    expect(frame.outcome?.spans).toMatchObject({ cloudMs: 2, networkMs: 0, totalMs: 2, cloud: { totalMs: 5 } });
  });
});
