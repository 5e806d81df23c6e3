// A station on a test's clock: verdicts in time, in order, once; nothing that goes wrong is PASS.
import { KerfError } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import type { ResultRecord } from '../../src/station/result-record.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { bench, flow, picture, ThinLinkInferer } from './support.ts';

const brief = ({ partId, verdict, isPartial, revision, reason, route }: ResultRecord): string =>
  [partId ?? '-', verdict, route, ...(isPartial ? ['partial'] : []), `r${revision}`, reason?.code ?? '']
    .join(' ')
    .trim();

const sumOf = ({ spans }: ResultRecord): number => spans.reduce((sum, { durationMs }) => sum + durationMs, 0);

describe('a station', () => {
  it('answers PASS, REVIEW and NG by two thresholds, in the order of the frames', async () => {
    const { clock, station, sink, take } = await bench({ main: (call) => [0.1, 0.5, 0.9, 0.31, 0.75][call] ?? 0 });
    for (const part of ['a', 'b', 'c', 'd', 'e']) {
      await take(part);
      await flow(clock, 20);
    }
    expect(sink.records.map(brief)).toEqual([
      'a PASS split r0',
      'b REVIEW split r0',
      'c NG split r0',
      'd REVIEW split r0',
      'e NG split r0',
    ]);
    expect(station.snapshot).toMatchObject({
      frames: 5,
      verdicts: { PASS: 1, REVIEW: 2, NG: 2, NO_READ: 0, ERROR: 0 },
    });
    expect(station.snapshot.stages.decide).toMatchObject({ in: 5, out: 5, waiting: 0 });
  });

  it('puts every moment of a frame into one span', async () => {
    const { clock, sink, station, take } = await bench({ mainMs: 30 });
    for (const part of ['a', 'b', 'c']) {
      await take(part);
      await flow(clock, 40);
    }
    expect(sink.records).toHaveLength(3);
    expect(station.snapshot.spans).toMatchObject({ local: { frames: 3, meanMs: 30 } });
    const mean = Object.values(station.snapshot.spans).reduce((sum, { frames, meanMs }) => sum + frames * meanMs, 0);
    expect(mean).toBeCloseTo(
      sink.records.reduce((sum, { totalMs }) => sum + totalMs, 0),
      6,
    );
    for (const record of sink.records) {
      expect(sumOf(record)).toBeCloseTo(record.totalMs, 6);
      expect(record.totalMs).toBeGreaterThanOrEqual(30);
      let endMs = 0;
      for (const { startMs, durationMs } of record.spans) {
        expect(startMs).toBeCloseTo(endMs, 6);
        endMs = startMs + durationMs;
      }
    }
  });

  it('keeps the order of frames whose answers come in another', async () => {
    const { clock, sink, main, take } = await bench({ mainMs: 90 });
    await take('slow');
    await flow(clock);
    main.tookMs = 10;
    await take('quick');
    await flow(clock, 50);
    expect(sink.records).toEqual([]);
    await flow(clock, 50);
    expect(sink.records.map(({ partId }) => partId)).toEqual(['slow', 'quick']);
    const [, quick] = sink.records;
    expect(quick?.totalMs).toBeLessThan(50);
  });

  it.each([
    [
      'a picture that cannot be decoded',
      { picture: { kind: 'encoded', format: 'png', bytes: new Uint8Array(3) } },
      'NO_READ',
    ],
    ['no picture', { picture: null, fault: { code: 'FILE_NOT_FOUND', message: 'gone' } }, 'NO_READ'],
    ['a frozen camera', { isRepeat: true }, 'NO_READ'],
    ['a recording that repeats', { isRepeat: true, isSimulated: true }, 'PASS'],
    ['a black picture', { picture: flat(0) }, 'NO_READ'],
    ['a white picture', { picture: flat(255) }, 'NO_READ'],
    ['a flat picture', { picture: flat(128) }, 'NO_READ'],
  ] as const)('answers %s', async (_, more, verdict) => {
    const { clock, sink, main, take } = await bench();
    await take('a', more as never);
    await flow(clock, 50);
    expect(sink.records.map((record) => record.verdict)).toEqual([verdict]);
    expect(main.calls).toHaveLength(verdict === 'PASS' ? 1 : 0);
  });

  it('answers NO_READ for a part that it does not know', async () => {
    const { clock, sink, take } = await bench({ reading: { partId: { pattern: 'P-\\d+', required: true } } });
    for (const part of ['P-17', 'X-17', 'P-17x', null]) await take(part);
    await flow(clock, 50);
    expect(sink.records.map(({ verdict }) => verdict)).toEqual(['PASS', 'NO_READ', 'NO_READ', 'NO_READ']);
  });

  it('answers ERROR for outputs that are no answer, and REVIEW for a score that is no number', async () => {
    const { clock, sink, take } = await bench({ main: (call) => (call === 0 ? 'garbage' : Number.NaN) });
    await take('a');
    await take('b');
    await flow(clock, 50);
    expect(sink.records.map(brief)).toEqual(['a ERROR split r0 TENSOR_MISMATCH', 'b REVIEW split r0 BACKEND_FAILED']);
    expect(sink.records.map(({ score }) => score)).toEqual([null, null]);
  });

  it('answers ERROR for a picture that ends the thread that works on pictures, and goes on', async () => {
    const { clock, sink, station, take } = await bench();
    const { pictures } = station.reading;
    const prepare = pictures.prepare.bind(pictures);
    let count = 0;
    pictures.prepare = (...given) =>
      count++ === 1 ? Promise.reject(new KerfError('BACKEND_FAILED', 'the picture stopped it')) : prepare(...given);
    for (const part of ['a', 'b', 'c']) await take(part);
    await flow(clock, 50);
    expect(sink.records.map(({ verdict, reason }) => [verdict, reason?.code ?? null])).toEqual([
      ['PASS', null],
      ['ERROR', 'BACKEND_FAILED'],
      ['PASS', null],
    ]);
  });
});

function flat(value: number) {
  return { kind: 'pixels', image: { width: 8, height: 8, data: new Uint8Array(192).fill(value) } } as const;
}

describe('a deadline', () => {
  it.each([
    ['a small model answers instead', { small: 0.1, deadlineMs: 90 }],
    ['nobody answers instead', { deadlineMs: 60 }],
  ])('is met again by a line that all of it missed while the cloud was away, where %s', async (_, options) => {
    // Three have to be under way at a time; two, each kept until its deadline, never get an answer again.
    const clouds = { main: (call: number) => (call < 30 ? 'hang' : 0.1) as 'hang' | number, mainMs: 40 };
    const { clock, sink, take } = await bench({ ...clouds, ...options });
    for (let fed = 0; fed < 400; fed++) {
      void take(`p${fed}`);
      await flow(clock, 15);
    }
    const late = sink.records.filter(({ partId }) => Number(partId?.slice(1)) >= 300);
    expect(late.length).toBeGreaterThan(80);
    expect(late.filter(({ route, revision }) => route !== 'split' && revision === 0).length).toBeLessThan(5);
  });

  it('ends with the small model, provisionally, and the model is asked again later', async () => {
    const { clock, sink, station, take } = await bench({ main: (call) => (call === 0 ? 'hang' : 0.9), small: 0.1 });
    await take('a');
    await flow(clock, 100);
    expect(sink.records.map(brief)).toEqual(['a PASS small partial r0 DEADLINE_EXCEEDED']);
    expect(sink.records[0]?.totalMs).toBeLessThanOrEqual(100);
    expect(station.snapshot).toMatchObject({ unsettled: 1, provisional: 1, reconciled: 0 });
    await flow(clock, 2000);
    expect(sink.records.map(brief)).toEqual(['a PASS small partial r0 DEADLINE_EXCEEDED', 'a NG split r1']);
    expect(new Set(sink.records.map(({ resultId }) => resultId)).size).toBe(1);
    expect(station.snapshot).toMatchObject({ unsettled: 0, reconciled: 1, verdicts: { PASS: 0, NG: 1 } });
    await flow(clock, 60_000);
    expect(sink.records).toHaveLength(2);
  });

  it('ends with REVIEW where there is no small model', async () => {
    const { clock, sink, take } = await bench({ main: 'LINK_LOST', isReady: () => false });
    await take('a');
    await flow(clock, 50);
    expect(sink.records.map(brief)).toEqual(['a REVIEW none partial r0 LINK_LOST']);
  });

  it('is kept even when a model ignores it', async () => {
    const { clock, sink, main, take } = await bench({ main: 'hang' });
    main.isRude = true;
    await take('a');
    await flow(clock, 100);
    expect(sink.records.map(brief)).toEqual(['a REVIEW none partial r0 DEADLINE_EXCEEDED']);
    expect(sink.records[0]?.totalMs).toBeCloseTo(100, 0);
  });

  it('runs from the door, not from the model', async () => {
    const { clock, sink, take } = await bench({
      mainMs: 60,
      stages: (all) => ({ ...all, infer: { ...all.infer, workers: 1 } }),
    });
    await take('a');
    await take('b');
    await flow(clock, 300);
    expect(sink.records.map(brief)).toEqual(['a PASS split r0', 'b REVIEW none partial r0 DEADLINE_EXCEEDED']);
    expect(sink.records[1]?.totalMs).toBeLessThanOrEqual(100);
  });
});

describe('a provisional verdict', () => {
  it('stands when its time is over, and as a final record', async () => {
    const { clock, sink, take } = await bench({ main: 'LINK_LOST', small: 0.1, isReady: () => false });
    await take('a');
    await flow(clock, 50);
    await flow(clock, 120_000);
    expect(sink.records.map(brief)).toEqual(['a PASS small partial r0 LINK_LOST', 'a PASS small r1 LINK_LOST']);
  });

  it('does not hold up the end while it is judged again, where the next run asks for it', async () => {
    const main = (call: number): 'LINK_LOST' | number => (call === 0 ? 'LINK_LOST' : 0.1);
    const { clock, main: model, sink, station, take } = await bench({ main, parts: { isStoreLasting: true } });
    await take('again');
    await flow(clock, 100);
    model.tookMs = 20_000;
    await flow(clock, 2_000);
    expect(model.calls).toHaveLength(2);
    let isStopped = false;
    void station.stop().then(() => {
      isStopped = true;
    });
    await flow(clock, 100);
    expect(isStopped).toBe(true);
    expect(sink.records.map(brief)).toEqual(['again REVIEW none partial r0 LINK_LOST']);
    expect(station.snapshot.unsettled).toBe(1);
  });

  it('is judged again although the clock of the wall jumped by a year meanwhile, and is no older for it', async () => {
    let jumpMs = 0;
    let isReady = false;
    const clock = { nowMs: () => 0 };
    const made = await bench({
      main: (call) => (call === 0 ? 'LINK_LOST' : 0.9),
      isReady: () => isReady,
      parts: { wallNow: () => 1_700_000_000_000 + clock.nowMs() + jumpMs },
    });
    clock.nowMs = () => made.clock.nowMs();
    await made.take('a');
    await flow(made.clock, 5_000);
    jumpMs = 365 * 86_400_000;
    await flow(made.clock, 10_000);
    expect(made.sink.records.map(brief)).toEqual(['a REVIEW none partial r0 LINK_LOST']);
    isReady = true;
    await flow(made.clock, 40_000);
    expect(made.sink.records.map(brief)).toEqual(['a REVIEW none partial r0 LINK_LOST', 'a NG split r1']);
  });

  it('does not wait for the one before it: a round trip is hidden, and the order is kept', async () => {
    const parts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    const { clock, sink, main, take } = await bench({ main: (call) => (call < 9 ? 'LINK_LOST' : 0.1) });
    for (const part of parts) {
      await take(part);
      await flow(clock, 5);
    }
    main.tookMs = 4_000;
    // Two, then four, then the rest.
    await flow(clock, 14_000);
    const finals = sink.records.filter(({ isPartial }) => !isPartial);
    expect(finals.map(({ partId }) => partId)).toEqual(parts);
    expect(main.calls).toHaveLength(18);
  });

  it.each([
    ['in the gaps where one has room', { periodMs: 2_000, parts: 8, restMs: 0 }],
    ['when the line stands where none has', { periodMs: 1_100, parts: 8, restMs: 10_000 }],
  ])('is judged again %s, and makes no live part late', async (_, { periodMs, parts, restMs }) => {
    let link: ThinLinkInferer | null = null;
    const thin = (clock: FakeClock) => (link = new ThinLinkInferer(clock, 800));
    const { clock, sink, take } = await bench({ inferer: thin, deadlineMs: 1_000 });
    const feed = async (name: string, count: number): Promise<void> => {
      for (let part = 0; part < count; part++) {
        await take(`${name}${part}`);
        await flow(clock, periodMs);
      }
    };
    await feed('before', 2);
    Object.assign(link ?? {}, { isAway: true });
    await feed('away', 5);
    Object.assign(link ?? {}, { isAway: false });
    await feed('live', parts);
    await flow(clock, restMs);
    const live = sink.records.filter(({ partId }) => partId?.startsWith('live'));
    expect(live.map(brief)).toEqual(Array.from({ length: parts }, (__, part) => `live${part} PASS split r0`));
    const again = sink.records.filter(({ revision }) => revision === 1);
    expect(again.map(({ partId }) => partId)).toEqual(['away0', 'away1', 'away2', 'away3', 'away4']);
  });

  it('is left for later when something changes between two frames, so that the line does not wait', async () => {
    const { clock, sink, station, take } = await bench({
      main: (call) => (['LINK_LOST', 'hang'] as const)[call] ?? 0.9,
    });
    await take('a');
    await flow(clock, 2_000);
    let isChanged = false;
    void station.betweenFrames(() => {
      isChanged = true;
    });
    await flow(clock, 10);
    expect(isChanged).toBe(true);
    await flow(clock, 5_000);
    expect(sink.records.map(brief)).toEqual(['a REVIEW none partial r0 LINK_LOST', 'a NG split r1']);
  });

  it('is asked for ever more rarely while the cloud refuses it', async () => {
    const { clock, main, take } = await bench({ main: 'OVERLOADED' });
    await take('a');
    await flow(clock, 50_000);
    expect(main.calls.length).toBeGreaterThan(3);
    expect(main.calls.length).toBeLessThan(8);
  });

  it('stands when the station ends and nothing outlives it', async () => {
    const { clock, sink, station, take } = await bench({ main: 'LINK_LOST', isReady: () => false });
    await take('a');
    await flow(clock, 50);
    await station.stop();
    expect(sink.records.map(brief)).toEqual(['a REVIEW none partial r0 LINK_LOST', 'a REVIEW none r1 LINK_LOST']);
  });
});

describe('a cascade', () => {
  it('lets the small model answer where it is sure', async () => {
    const cascade = { sureBelow: 0.2, sureAbove: 0.8 };
    const { clock, sink, station, small, take } = await bench({ main: 0.9, small: 0.1, cascade });
    await take('sure');
    await flow(clock, 50);
    if (small !== null) small.script = 0.5;
    await take('unsure');
    await flow(clock, 50);
    if (small !== null) small.script = 'BACKEND_FAILED';
    await take('broken');
    await flow(clock, 50);
    expect(sink.records.map(brief)).toEqual(['sure PASS small r0', 'unsure NG split r0', 'broken NG split r0']);
    expect(station.snapshot.models).toMatchObject({ small: 1, escalated: 2, main: 2 });
  });
});

describe('bounds', () => {
  const tight = { capture: { queue: 2, policy: 'latest-wins' as const } };

  it('hold back a source that can wait', async () => {
    const { clock, sink, take, station } = await bench({ mainMs: 20, deadlineMs: 5000 });
    let taken = 0;
    for (let part = 0; part < 60; part++) void take(String(part)).then(() => taken++);
    await flow(clock);
    expect(taken).toBeLessThan(60);
    for (const stage of Object.values(station.snapshot.stages)) expect(stage.waiting).toBeLessThanOrEqual(64);
    await flow(clock, 2000);
    await station.stop();
    expect(taken).toBe(60);
    expect(sink.records.map(({ partId }) => partId)).toEqual(Array.from({ length: 60 }, (_, part) => String(part)));
  });

  it('let the latest win at the door: frames that nobody asked for are counted', async () => {
    const { clock, events, station, sink, take } = await bench({ stages: (all) => ({ ...all, ...tight }) });
    station.pause();
    for (let frame = 0; frame < 10; frame++) await take(null, { sequence: frame, picture: picture(frame) });
    station.resume();
    await flow(clock, 50);
    const dropped = events.flatMap((event) => (event.kind === 'dropped' ? [event.sequence] : []));
    expect(dropped).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(station.snapshot.stages.capture.dropped).toBe(8);
    expect(sink.records).toHaveLength(2);
    expect(sink.records.map(({ frame }) => frame)).toEqual([8, 9]);
  });

  it('give a part with an id its record even then', async () => {
    const { clock, station, sink, take } = await bench({ stages: (all) => ({ ...all, ...tight }) });
    station.pause();
    for (const part of ['a', 'b', 'c']) void take(part);
    await flow(clock, 0);
    expect(sink.records.map(brief)).toEqual(['a REVIEW none partial r0 OVERLOADED']);
    station.resume();
    await flow(clock, 3000);
    expect(sink.records.map(brief)).toEqual([
      'a REVIEW none partial r0 OVERLOADED',
      'b PASS split r0',
      'c PASS split r0',
      'a PASS split r1',
    ]);
  });
});

describe('a pause', () => {
  it('loses nothing that is inside, and gives what waits its whole time', async () => {
    const { clock, sink, station, take } = await bench({ mainMs: 30 });
    await take('inside');
    await flow(clock);
    station.pause();
    await take('waiting');
    await flow(clock, 1000);
    expect(sink.records.map(brief)).toEqual(['inside PASS split r0']);
    expect(station.snapshot).toMatchObject({ state: 'paused', stages: { capture: { waiting: 1 } } });
    station.resume();
    await flow(clock, 50);
    expect(sink.records.map(brief)).toEqual(['inside PASS split r0', 'waiting PASS split r0']);
  });

  it('holds nobody up who ends the station: a source that waits for room gets it, and all have their records', async () => {
    const { clock, sink, source, station, take } = await bench();
    station.pause();
    const handed = (async () => {
      for (let at = 0; at < 20; at++) await take(`P-${at}`);
    })();
    await flow(clock, 100);
    source.stop = () => handed;
    let hasStopped = false;
    const stopped = station.stop().then(() => {
      hasStopped = true;
    });
    await flow(clock, 5000);
    expect(hasStopped).toBe(true);
    await stopped;
    expect(sink.records).toHaveLength(20);
  });
});

describe('other thresholds', () => {
  it('hold from one frame to the next, and the record says which', async () => {
    const { makeJudge } = await import('../../src/station/judge/judge.ts');
    const { clock, sink, station, take } = await bench({ main: 0.5 });
    await take('a');
    await flow(clock, 50);
    const main = await makeJudge({ kind: 'anomaly', score: null, mask: null }, { passBelow: 0.6, ngAbove: 0.7 });
    station.setJudges({ main, small: null });
    await take('b');
    await flow(clock, 50);
    expect(sink.records.map(brief)).toEqual(['a REVIEW split r0', 'b PASS split r0']);
    expect(sink.records[1]?.thresholdsVersion).toBe(main.version);
    expect(sink.records[0]?.thresholdsVersion).not.toBe(main.version);
  });
});

describe('a change between two frames', () => {
  it('comes when what is inside has its record, and before what waits is begun', async () => {
    const { clock, sink, station, main, take } = await bench({ main: 0.1, mainMs: 40 });
    await take('inside');
    await flow(clock, 5);
    const seen: string[] = [];
    const changed = station.betweenFrames(() => {
      seen.push(...sink.records.map(({ partId }) => partId ?? ''));
      main.script = 0.9;
    });
    // Waits longer than its deadline would let it.
    main.tookMs = 80;
    await take('waiting');
    await flow(clock, 20);
    expect(seen).toEqual([]);
    await flow(clock, 50);
    await changed;
    await flow(clock, 200);
    expect(seen).toEqual(['inside']);
    expect(sink.records.map(brief)).toEqual(['inside PASS split r0', 'waiting NG split r0']);
  });

  it('waits for parts that are judged again, and begins no other', async () => {
    let isReady = false;
    const script = (call: number): 'LINK_LOST' | number => (call === 0 ? 'LINK_LOST' : 0.1);
    const { clock, sink, station, take } = await bench({ main: script, mainMs: 80, isReady: () => isReady });
    await take('again');
    await flow(clock, 100);
    isReady = true;
    await flow(clock, 990);
    const order: string[] = [];
    const changed = station.betweenFrames(() => order.push(`changed after ${sink.records.length}`));
    await flow(clock, 2000);
    await changed;
    expect(order).toEqual([sink.records.length === 2 ? 'changed after 2' : 'changed after 1']);
    await flow(clock, 5000);
    expect(sink.records.map(brief)).toEqual(['again REVIEW none partial r0 LINK_LOST', 'again PASS split r1']);
  });

  it('opens no door that somebody has closed, and fails without leaving it closed', async () => {
    const { clock, sink, station, take } = await bench();
    station.pause();
    await station.betweenFrames(() => {});
    await take('waiting');
    await flow(clock, 500);
    expect(sink.records).toEqual([]);
    station.resume();
    const failing = station.betweenFrames(() => {
      throw new Error('no');
    });
    const refused = expect(failing).rejects.toThrow('no');
    await take('after');
    await flow(clock, 50);
    await refused;
    await flow(clock, 50);
    expect(sink.records.map(brief)).toEqual(['waiting PASS split r0', 'after PASS split r0']);
  });
});
