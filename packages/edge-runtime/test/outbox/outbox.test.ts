// What an outbox promises while nothing crashes: order, bounds, sinks that block, provisional records, full disks.
import { memoryDisk, Outbox, type OutboxConfig, type OutboxEvent, type OutboxOptions } from '@kerf/edge-runtime';
import { KerfError, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { type DiskFate, type DiskOperation, SimulatedDisk } from '../../../../test/sim/simulated-disk.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { NO_PICTURES } from '../support/no-pictures.ts';
import { PictureSink, recordOf, TestSink, verdictRecord } from './support/records.ts';

interface Stage {
  readonly outbox: Outbox;
  readonly clock: FakeClock;
  readonly events: OutboxEvent[];
}

async function open(config: Partial<OutboxConfig> = {}, options: Partial<OutboxOptions> = {}): Promise<Stage> {
  const clock = new FakeClock();
  const events: OutboxEvent[] = [];
  const outbox = await Outbox.open({
    disk: memoryDisk(),
    sinks: [],
    onEvent: (event) => events.push(event),
    ...config,
    options: { clock, random: seededRandom(1), reserveBytes: 0, ...options },
  });
  return { outbox, clock, events };
}

const picture = (...bytes: number[]) => ({ kind: 'encoded', format: 'png', bytes: Uint8Array.from(bytes) }) as const;
const partial = (id: string, given = {}) => recordOf(id, { verdict: 'REVIEW', isPartial: true, ...given });

test('records reach every sink in the order they were put', async () => {
  const sinks = [new TestSink('a'), new TestSink('b')];
  const { outbox } = await open({ sinks });
  await Promise.all(['1', '2', '3'].map((id) => outbox.put(recordOf(id))));
  await outbox.put(recordOf('4'));
  await settle();
  for (const { committed } of sinks) expect(committed).toEqual(['1#0', '2#0', '3#0', '4#0']);
  expect(outbox.snapshot).toMatchObject({ records: 0, bytes: 0, isHeld: false });
});

test('a sink that is too far behind misses pictures, the oldest first, and each one is told', async () => {
  const images = new PictureSink();
  const { outbox, clock, events } = await open({ sinks: [images] }, { maxHeldPictureBytes: 250 });
  images.mode = 'refuse';
  const put = (id: string, bytes: number) => {
    const delivered = {
      original: picture(...new Uint8Array(bytes)),
      pictures: NO_PICTURES,
    };
    return outbox.put(recordOf(id, { verdict: 'NG', imageSha256: id }), { picture: delivered });
  };
  for (const [id, bytes] of Object.entries({ '1': 100, '2': 100, '3': 100, '4': 300, '5': 40 })) await put(id, bytes);
  await outbox.put(recordOf('6'));
  await outbox.put(recordOf('1', { imageSha256: '1', revision: 1 }));
  images.mode = 'take';
  await clock.advance(40_000);
  expect(images.sizes).toEqual({
    '1#0': null,
    '2#0': null,
    '3#0': null,
    '4#0': null,
    '5#0': 40,
    '6#0': 'none',
    '1#1': 'none',
  });
  const missed = events.flatMap((event) =>
    event.kind === 'picture-missed' ? [`${event.sink} ${event.resultId}`] : [],
  );
  expect(missed).toEqual(['images 1', 'images 2', 'images 3', 'images 4']);
  expect(outbox.snapshot).toMatchObject({ missedPictures: 4 });
});

test('no picture is held for a sink that never reads one, nor once those that do have it', async () => {
  const webhook = Object.assign(new TestSink('webhook'), { usesPictures: false });
  const images = new PictureSink();
  const { outbox, clock } = await open({ sinks: [webhook] });
  webhook.mode = 'refuse';
  const put = (id: string) =>
    outbox.put(recordOf(id, { verdict: 'NG', imageSha256: id }), {
      picture: { original: picture(...new Uint8Array(100)), pictures: NO_PICTURES },
    });
  await put('1');
  expect(outbox.snapshot).toMatchObject({ records: 1, heldPictureBytes: 0 });
  await outbox.setSinks([webhook, images]);
  images.mode = 'refuse';
  for (const id of ['2', '3']) await put(id);
  expect(outbox.snapshot).toMatchObject({ heldPictureBytes: 200 });
  images.mode = 'take';
  await clock.advance(1000);
  expect(images.sizes).toEqual({ '2#0': 100, '3#0': 100 });
  expect(outbox.snapshot).toMatchObject({ records: 3, heldPictureBytes: 0, missedPictures: 0 });
});

test('small pictures are held for as long as they fit together, however many they are', async () => {
  const images = new PictureSink();
  const { outbox, clock } = await open({ sinks: [images] });
  images.mode = 'refuse';
  for (let id = 0; id < 100; id++) {
    const delivered = { original: picture(id), pictures: NO_PICTURES };
    await outbox.put(recordOf(String(id), { verdict: 'NG', imageSha256: 'x' }), { picture: delivered });
  }
  images.mode = 'take';
  await clock.advance(40_000);
  expect(Object.values(images.sizes)).toEqual(Array(100).fill(1));
  expect(outbox.snapshot).toMatchObject({ missedPictures: 0 });
});

test('a sink that fails is tried again, with growing pauses, and holds nobody else up', async () => {
  const [good, bad] = [new TestSink('good'), new TestSink('bad')];
  const { outbox, clock, events } = await open({ sinks: [bad, good] }, { backoffBaseMs: 100, backoffMaxMs: 1000 });
  bad.mode = 'refuse';
  await outbox.put(recordOf('1'));
  await outbox.put(recordOf('2'));
  await settle();
  expect(good.committed).toEqual(['1#0', '2#0']);
  expect(outbox.snapshot.sinks).toMatchObject([
    { name: 'bad', delivered: 0, waiting: 2, block: { code: 'LINK_LOST', attempts: 1 } },
    { name: 'good', delivered: 2, waiting: 0, block: null },
  ]);
  await clock.advance(20_000);
  const attempts = bad.calls.length;
  expect(attempts).toBeGreaterThan(15);
  expect(attempts).toBeLessThan(200);
  expect(new Set(bad.calls)).toEqual(new Set(['1#0']));
  bad.mode = 'take';
  await clock.advance(1000);
  expect(bad.committed).toEqual(['1#0', '2#0']);
  expect(events.filter(({ kind }) => kind === 'sink-unblocked')).toEqual([{ kind: 'sink-unblocked', sink: 'bad' }]);
  expect(outbox.snapshot.records).toBe(0);
});

test('a sink that takes too long is told to stop, and the record comes again', async () => {
  const sink = new TestSink();
  sink.mode = 'hang';
  const { outbox, clock } = await open({ sinks: [sink] }, { deliverTimeoutMs: 500, backoffBaseMs: 1, backoffMaxMs: 1 });
  await outbox.put(recordOf('1'));
  await clock.advance(600);
  expect(sink.calls.length).toBeGreaterThan(1);
  sink.mode = 'take';
  await clock.advance(1000);
  expect(sink.committed).toEqual(['1#0']);
});

test('a sink that blocks for an hour costs neither its records nor anybody’s time, and gets all of them in order', async () => {
  const [good, stuck] = [new TestSink('good'), new TestSink('stuck')];
  stuck.mode = 'hang';
  const { outbox, clock } = await open({ sinks: [stuck, good] });
  const ids = Array.from({ length: 720 }, (_, at) => String(at));
  for (const id of ids) {
    let isSafe = false;
    void outbox.put(verdictRecord(id, Number(id) % 9 === 0 ? 'NG' : 'PASS')).then(() => (isSafe = true));
    await clock.advance(5000);
    expect(isSafe, id).toBe(true);
  }
  expect(good.committed).toHaveLength(720);
  // A try is ended after half a minute, and the next one waits for up to as long.
  expect(stuck.calls.length).toBeGreaterThan(50);
  expect(stuck.calls.length).toBeLessThan(120);
  stuck.mode = 'take';
  await clock.advance(120_000);
  expect(stuck.committed).toEqual(ids.map((id) => `${id}#0`));
  expect(outbox.snapshot).toMatchObject({ records: 0, dropped: {}, isHeld: false });
});

test('a record put twice is taken once', async () => {
  const sink = new TestSink();
  const { outbox } = await open({ sinks: [sink] });
  await Promise.all([outbox.put(recordOf('1')), outbox.put(recordOf('1'))]);
  await outbox.put(recordOf('1'));
  await outbox.put(recordOf('1', { revision: 1 }));
  await settle();
  expect(sink.calls).toEqual(['1#0', '1#1']);
});

describe('provisional records', () => {
  test('keep their picture until a final record of the same id', async () => {
    const sink = new TestSink();
    const { outbox } = await open({ sinks: [sink] });
    await outbox.put(partial('1'), { kept: picture(1, 2, 3) });
    await outbox.put(partial('2'), {
      kept: { kind: 'pixels', image: { width: 1, height: 1, data: Uint8Array.of(7, 8, 9) } },
    });
    await settle();
    expect(sink.committed).toEqual(['1#0', '2#0']);
    expect(outbox.unsettled).toMatchObject([{ resultId: '1', revision: 0, verdict: 'REVIEW' }, { resultId: '2' }]);
    expect(await outbox.readUnsettled('1')).toEqual({ record: partial('1'), picture: picture(1, 2, 3) });
    expect((await outbox.readUnsettled('2'))?.picture).toMatchObject({ image: { data: Uint8Array.of(7, 8, 9) } });
    await outbox.put(recordOf('1', { revision: 1, verdict: 'NG' }));
    expect(outbox.unsettled).toMatchObject([{ resultId: '2' }]);
    expect(await outbox.readUnsettled('1')).toBeNull();
    await settle();
    expect(sink.committed).toEqual(['1#0', '2#0', '1#1']);
  });

  test('are not settled by a record with their own key, which no sink would take', async () => {
    const [disk, sink] = [memoryDisk(), new TestSink()];
    const { outbox } = await open({ disk, sinks: [sink] });
    await outbox.put(partial('1'), { kept: picture(1) });
    await outbox.close();
    // The device crashed before `put` resolved, and captures the part once more; this time there is an answer.
    const again = await open({ disk, sinks: [sink] });
    await again.outbox.put(recordOf('1'));
    expect(again.outbox.unsettled).toMatchObject([{ resultId: '1' }]);
    await again.outbox.put(recordOf('1', { revision: 1 }));
    await settle();
    expect(again.outbox.unsettled).toEqual([]);
    expect(sink.committed).toEqual(['1#0', '1#1']);
  });

  test('are there after a restart, and settled ones are not', async () => {
    const disk = memoryDisk();
    const { outbox } = await open({ disk });
    await outbox.put(partial('1'), { kept: picture(1) });
    await outbox.put(partial('2'), { kept: picture(2) });
    await outbox.put(recordOf('1', { revision: 1 }));
    await outbox.close();
    const again = await open({ disk });
    expect(again.outbox.unsettled.map(({ resultId }) => resultId)).toEqual(['2']);
    expect((await again.outbox.readUnsettled('2'))?.picture).toEqual(picture(2));
  });
});

test('a sink that blocks for an hour is asked about once a minute, and then gets all of what was kept, once and in order', async () => {
  const sink = new TestSink();
  sink.mode = 'hang';
  const { outbox, clock, events } = await open({ sinks: [sink] }, { maxRecords: 200 });
  const minutes = 60;
  for (let minute = 0; minute < minutes; minute++) {
    await outbox.put(verdictRecord(String(minute), 'NG'));
    await clock.advance(60_000);
    await settle();
  }
  expect(sink.calls.length).toBeGreaterThan(minutes / 2);
  expect(sink.calls.length).toBeLessThan(3 * minutes);
  expect(outbox.snapshot).toMatchObject({
    records: minutes,
    isHeld: false,
    sinks: [{ delivered: 0, waiting: minutes }],
  });
  sink.mode = 'take';
  for (let turn = 0; turn < 10; turn++) await clock.advance(60_000);
  expect(sink.committed).toEqual(Array.from({ length: minutes }, (_, id) => `${id}#0`));
  expect(events.filter(({ kind }) => kind === 'sink-unblocked')).toHaveLength(1);
  expect(outbox.snapshot).toMatchObject({ records: 0, dropped: {} });
});

describe('when it is full', () => {
  const full = { maxRecords: 4 };

  test('the oldest PASS goes first, then REVIEW, NO_READ and ERROR, never an NG', async () => {
    const sink = new TestSink();
    sink.mode = 'refuse';
    const { outbox, events } = await open({ sinks: [sink] }, full);
    for (const [id, verdict] of [
      ['1', 'NG'],
      ['2', 'REVIEW'],
      ['3', 'PASS'],
      ['4', 'PASS'],
    ] as const)
      await outbox.put(recordOf(id, { verdict, partId: id === '4' ? 'P-4' : null, file: `${id}.png` }));
    for (const id of ['5', '6', '7']) await outbox.put(verdictRecord(id, 'NG'));
    const dropped = events.flatMap((event) => (event.kind === 'dropped' ? [[event.resultId, event.part]] : []));
    expect(dropped).toEqual([
      ['3', '3.png'],
      ['4', 'P-4'],
      ['2', '2.png'],
    ]);
    expect(outbox.snapshot.dropped).toEqual({ PASS: 2, REVIEW: 1 });
  });

  test('of NG alone, put waits and says so, and goes on when a sink has taken one', async () => {
    const sink = new TestSink();
    sink.mode = 'refuse';
    const { outbox, clock, events } = await open({ sinks: [sink] }, full);
    for (const id of ['1', '2', '3', '4']) await outbox.put(verdictRecord(id, 'NG'));
    const waits = [outbox.put(verdictRecord('5', 'NG')), outbox.put(verdictRecord('6', 'PASS'))];
    await settle();
    expect(outbox.snapshot).toMatchObject({ isHeld: true, waiting: 2, records: 4 });
    expect(events.at(-1)).toMatchObject({ kind: 'held', reason: 'full' });
    sink.mode = 'take';
    await clock.advance(60_000);
    await Promise.all(waits);
    await settle();
    expect(sink.committed).toEqual(['1#0', '2#0', '3#0', '4#0', '5#0', '6#0']);
    expect(events.filter(({ kind }) => kind === 'released')).toHaveLength(1);
  });

  test('of provisional NG that every sink has, the oldest pictures go: the verdicts stand, and nobody waits', async () => {
    const sink = new TestSink();
    const { outbox, clock, events } = await open({ sinks: [sink] }, full);
    const ng = (id: string) => partial(id, { verdict: 'NG' });
    for (const id of ['1', '2', '3', '4']) await outbox.put(ng(id), { kept: picture(1) });
    await settle();
    await Promise.all([outbox.put(ng('5'), { kept: picture(5) }), outbox.put(verdictRecord('6', 'PASS'))]);
    // The model is there again: what still has its picture is settled.
    await outbox.put(recordOf('4', { revision: 1 }));
    await settle();
    expect(sink.committed).toEqual(['1#0', '2#0', '3#0', '4#0', '5#0', '6#0', '4#1']);
    expect(outbox.unsettled.map(({ resultId }) => resultId)).toEqual(['5']);
    const stands = events.flatMap((event) => (event.kind === 'stands' ? [event.resultId] : []));
    expect({ stands, ...outbox.snapshot }).toMatchObject({
      stands: ['1', '2', '3'],
      stood: 3,
      dropped: {},
      isHeld: false,
    });
    // A record that some sink lacks keeps its picture: the line waits for the sink.
    sink.mode = 'refuse';
    for (const id of ['7', '8', '9', '10']) await outbox.put(ng(id), { kept: picture(7) });
    const waits = outbox.put(ng('11'), { kept: picture(11) });
    await settle();
    expect(outbox.snapshot).toMatchObject({ stood: 4, isHeld: true });
    sink.mode = 'take';
    await clock.advance(60_000);
    await waits;
    expect(outbox.snapshot).toMatchObject({ stood: 5, isHeld: false });
  });

  test('a sink whose record was given up while it failed takes the next one', async () => {
    const sink = new TestSink();
    sink.mode = 'refuse';
    let failing = false;
    const disk = new SimulatedDisk({ random: seededRandom(1), fate: () => (failing ? 'fail' : 'ok') });
    const { outbox, clock } = await open({ disk, sinks: [sink] }, { maxRecords: 1 });
    await outbox.put(verdictRecord('1', 'PASS'));
    await settle();
    // The first goes, and until the second is safe there is nothing to fail on.
    failing = true;
    const second = outbox.put(verdictRecord('2', 'NG'));
    await clock.advance(5000);
    failing = false;
    sink.mode = 'take';
    await clock.advance(60_000);
    await second;
    await settle();
    expect(sink.committed).toEqual(['2#0']);
    expect(outbox.snapshot.sinks[0]).toMatchObject({ waiting: 0, block: null });
  });

  test('the wait for room can be cancelled, and does not grow without end', async () => {
    const { outbox } = await open(
      { sinks: [Object.assign(new TestSink(), { mode: 'refuse' })] },
      { maxRecords: 1, maxWaiting: 2 },
    );
    await outbox.put(verdictRecord('1', 'NG'));
    const abort = new AbortController();
    const waits = outbox.put(verdictRecord('2', 'NG'), { signal: abort.signal });
    const second = outbox.put(verdictRecord('3', 'NG'));
    await expect(outbox.put(verdictRecord('4', 'NG'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    abort.abort();
    await expect(waits).rejects.toMatchObject({ code: 'CANCELLED' });
    const [, third] = await Promise.allSettled([outbox.close(), second]);
    expect(third).toMatchObject({ reason: { code: 'CLOSED' } });
    await expect(outbox.put(verdictRecord('9', 'NG'))).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('kept pictures count, and go where sinks have the record', async () => {
    const { outbox } = await open({}, { maxBytes: 4096 });
    for (let id = 0; id < 10; id++) await outbox.put(partial(String(id)), { kept: picture(...new Uint8Array(1000)) });
    expect(outbox.snapshot.bytes).toBeLessThanOrEqual(4096);
    expect(outbox.unsettled.map(({ resultId }) => resultId)).toEqual(['8', '9']);
    expect(outbox.snapshot).toMatchObject({ stood: 8, dropped: {} });
  });
});

test('what could never be stored is refused', async () => {
  const { outbox } = await open({}, { maxRecordBytes: 2000, maxBytes: 8192 });
  await expect(outbox.put(recordOf('1', { route: 'x'.repeat(3000) }))).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await expect(outbox.put(partial('1'), { kept: picture(...new Uint8Array(9000)) })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await outbox.put(recordOf('1'));
});

describe('sinks that change', () => {
  test('a name keeps its place, a new one gets what comes from then on, one that is gone holds nothing back', async () => {
    const [a, b] = [new TestSink('a'), new TestSink('b')];
    b.mode = 'refuse';
    const { outbox } = await open({ sinks: [a, b] });
    await outbox.put(recordOf('1'));
    await settle();
    const [next, fresh] = [new TestSink('b'), new TestSink('c')];
    await outbox.setSinks([next, fresh]);
    await outbox.put(recordOf('2'));
    await settle();
    expect([a.committed, next.committed, fresh.committed]).toEqual([['1#0'], ['1#0', '2#0'], ['2#0']]);
    await outbox.setSinks([]);
    await outbox.put(recordOf('3'));
    await settle();
    expect(outbox.snapshot.records).toBe(0);
    await expect(outbox.setSinks([a, new TestSink('a')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a disk that', () => {
  const faulty = (fate: (operation: DiskOperation, name: string) => DiskFate) =>
    new SimulatedDisk({ random: seededRandom(3), fate });

  test('fails is written to again elsewhere, and nothing is lost', async () => {
    const random = seededRandom(5);
    let failing = false;
    const disk = faulty((operation) => (failing && operation !== 'read' && random() < 0.3 ? 'fail' : 'ok'));
    const sink = new TestSink();
    const { outbox, clock, events } = await open({ disk, sinks: [sink] });
    const puts = ['1', '2', '3', '4', '5'].map(async (id) => {
      if (id === '2') failing = true;
      await outbox.put(recordOf(id));
    });
    await clock.advance(60_000);
    await Promise.all(puts);
    await settle();
    expect(sink.committed).toEqual(['1#0', '2#0', '3#0', '4#0', '5#0']);
    expect(events.some((event) => event.kind === 'storage' && event.state.kind === 'failed')).toBe(true);
    failing = false;
    await clock.advance(2000);
    expect(outbox.snapshot.storage).toEqual({ kind: 'ok' });
  });

  test('fails makes no record damaged that waits for it', async () => {
    let failing = false;
    const disk = faulty((operation) => (failing && operation !== 'read' ? 'fail' : 'ok'));
    const { outbox, clock, events } = await open({ disk });
    failing = true;
    const putting = outbox.put(partial('1'), { kept: picture(1) });
    await clock.advance(100);
    expect(await outbox.readUnsettled('1')).toBeNull();
    expect(outbox.snapshot).toMatchObject({ unsettled: 1, damagedRecords: 0 });
    expect(events.map(({ kind }) => kind)).not.toContain('damaged');
    failing = false;
    await clock.advance(5000);
    await putting;
    expect((await outbox.readUnsettled('1'))?.record).toEqual(partial('1'));
  });

  test('is full holds capture, and releases it when there is room', async () => {
    const disk = new SimulatedDisk({ random: seededRandom(3), maxBytes: 20_000 });
    const sink = new TestSink();
    sink.mode = 'refuse';
    const { outbox, clock, events } = await open({ disk, sinks: [sink] }, { segmentBytes: 4096, reserveBytes: 2048 });
    const puts: Promise<void>[] = [];
    for (let id = 0; id < 60; id++) puts.push(outbox.put(verdictRecord(String(id), 'NG')));
    await clock.advance(5000);
    expect(outbox.snapshot).toMatchObject({ isHeld: true, storage: { kind: 'full' } });
    expect(events).toContainEqual(expect.objectContaining({ kind: 'held', reason: 'disk-full' }));
    sink.mode = 'take';
    await clock.advance(120_000);
    await Promise.all(puts);
    await settle();
    expect(sink.committed).toEqual(puts.map((_, id) => `${id}#0`));
    expect(outbox.snapshot).toMatchObject({ isHeld: false, storage: { kind: 'ok' }, dropped: {} });
  });

  test.each([
    ['smaller than the reserve', 600_000, 600_000],
    ['that others have filled meanwhile', 4_000_000, 600_000],
  ])('%s is full and goes on once the sinks have taken what is there', async (_, maxBytes, left) => {
    const disk = new SimulatedDisk({ random: seededRandom(3), maxBytes });
    const sink = new TestSink();
    sink.mode = 'refuse';
    const { outbox, clock } = await open({ disk, sinks: [sink] }, { reserveBytes: 2 ** 20 });
    await outbox.put(verdictRecord('first', 'NG'));
    await settle();
    disk.maxBytes = left;
    const puts: Promise<void>[] = [];
    for (let round = 0; round < 3; round++) {
      sink.mode = 'refuse';
      for (let id = 0; id < 40; id++)
        puts.push(outbox.put(recordOf(`${round}-${id}`, { verdict: 'NG', partId: 'x'.repeat(30_000) })));
      await clock.advance(5000);
      expect(outbox.snapshot).toMatchObject({ isHeld: true, storage: { kind: 'full' } });
      sink.mode = 'take';
      for (let turn = 0; turn < 200 && outbox.snapshot.isHeld; turn++) {
        await clock.advance(1000);
        await settle();
      }
      expect(outbox.snapshot).toMatchObject({ isHeld: false, storage: { kind: 'ok' }, dropped: {} });
    }
    await Promise.all(puts);
    expect(sink.committed).toHaveLength(1 + 3 * 40);
  });

  test('is full makes room in the one file that it has', async () => {
    const disk = new SimulatedDisk({ random: seededRandom(3), maxBytes: 16_384 + 5000 });
    const { outbox, clock } = await open({ disk }, { segmentBytes: 16_384, reserveBytes: 16_384 });
    const kept = picture(...new Uint8Array(2500));
    for (const id of ['1', '2', '3', '4']) {
      let isSafe = false;
      void outbox.put(partial(id), { kept }).then(() => (isSafe = true));
      await clock.advance(30_000);
      await settle();
      expect(isSafe, `record ${id}`).toBe(true);
    }
    expect(outbox.snapshot).toMatchObject({ unsettled: 1, isHeld: false, dropped: {}, stood: 3 });
  });

  test('is full makes room from what may be dropped', async () => {
    const disk = new SimulatedDisk({ random: seededRandom(3), maxBytes: 30_000 });
    const sink = new TestSink();
    sink.mode = 'refuse';
    const { outbox, clock } = await open(
      { disk, sinks: [sink] },
      { segmentBytes: 2048, reserveBytes: 4096, seenWindow: 16 },
    );
    const puts: Promise<void>[] = [];
    for (let id = 0; id < 200; id++) {
      puts.push(outbox.put(verdictRecord(String(id), id % 20 === 0 ? 'NG' : 'PASS')));
      await clock.advance(1500);
      for (let turn = 0; turn < 10; turn++) await settle();
    }
    await Promise.all(puts);
    expect(outbox.snapshot.dropped['PASS']).toBeGreaterThan(100);
    sink.mode = 'take';
    await clock.advance(60_000);
    const NG = [0, 20, 40, 60, 80, 100, 120, 140, 160, 180].map((id) => `${id}#0`);
    expect(sink.committed.filter((text) => NG.includes(text))).toEqual(NG);
  });
});

test('the disk holds no more than twice what is needed, past a few segments, however long it runs', async () => {
  const disk = memoryDisk();
  const sink = new TestSink();
  const { outbox, clock } = await open({ disk, sinks: [sink] }, { segmentBytes: 4096, seenWindow: 8 });
  await outbox.put(partial('kept'), { kept: picture(...new Uint8Array(500)) });
  for (let id = 0; id < 400; id++) {
    await outbox.put(recordOf(String(id)));
    await clock.advance(300);
    const { diskBytes, bytes } = outbox.snapshot;
    expect(diskBytes).toBeLessThan(2 * bytes + 4 * 4096);
  }
  expect((await outbox.readUnsettled('kept'))?.record).toEqual(partial('kept'));
  await outbox.close();
  const again = await open({ disk });
  expect((await again.outbox.readUnsettled('kept'))?.picture).toEqual(picture(...new Uint8Array(500)));
});

test('with an interval, put does not wait for the sync', async () => {
  let syncs = 0;
  const disk = new SimulatedDisk({
    random: seededRandom(3),
    fate: (operation) => {
      if (operation === 'sync') syncs++;
      return 'ok';
    },
  });
  const { outbox, clock } = await open({ disk }, { syncEveryMs: 50 });
  for (let id = 0; id < 20; id++) await outbox.put(recordOf(String(id)));
  expect(syncs).toBe(1);
  await clock.advance(60);
  expect(syncs).toBe(2);
});

test('closing writes down what sinks have, and a restart gives them nothing again', async () => {
  const disk = memoryDisk();
  const [first, second] = [new TestSink(), new TestSink()];
  const { outbox } = await open({ disk, sinks: [first] });
  await outbox.put(recordOf('1'));
  await settle();
  await outbox.close();
  const again = await open({ disk, sinks: [second] });
  await again.outbox.put(recordOf('1'));
  await again.outbox.put(recordOf('2'));
  await settle();
  expect([first.calls, second.calls]).toEqual([['1#0'], ['2#0']]);
});

test('options that do not exist or are out of range are named', async () => {
  await expect(open({}, { maxBites: 1 } as never)).rejects.toThrow(/'maxBites' is not an option/);
  await expect(open({}, { maxRecords: 0 })).rejects.toThrow(/'maxRecords' must be/);
  await expect(open({ sinks: [new TestSink('a'), new TestSink('a')] })).rejects.toThrow(KerfError);
});
