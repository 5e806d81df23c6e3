// The power goes at every single disk operation of a scripted run; what the outbox promised must hold after each.
import { env } from 'node:process';
import { type Disk, Outbox, type OutboxOptions } from '@kerf/edge-runtime';
import { type Random, seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { type Platter, SimulatedDisk } from '../../../../test/sim/simulated-disk.ts';
import { VirtualClock } from '../../../../test/sim/virtual-clock.ts';
import type { ResultRecord, Verdict } from '../../src/station/result-record.ts';
import { recordOf, TestSink, textOf } from './support/records.ts';

/** Each makes another run of about 60 operations; 2000 take some minutes. */
const SEEDS = Number(env['KERF_CUT_SEEDS'] ?? 8);

const VERDICTS: readonly Verdict[] = ['PASS', 'NG', 'REVIEW', 'PASS', 'NG'];

/** What the outside world knows: it outlives the device's power. */
class World {
  /** Records whose `put` resolved, in order. */
  readonly promised: ResultRecord[] = [];
  readonly sinks = [new TestSink('a'), new TestSink('b')];
  readonly dropped: string[] = [];
}

interface Run {
  readonly disk: SimulatedDisk;
  readonly clock: VirtualClock;
  readonly outbox: Outbox | null;
}

const isPartial = (index: number): boolean => index % 4 === 2;
const recordAt = (index: number): ResultRecord =>
  recordOf(`r${index}`, { verdict: VERDICTS[index % VERDICTS.length]!, isPartial: isPartial(index), frame: index });
const finalAt = (index: number): ResultRecord => recordOf(`r${index}`, { verdict: 'NG', revision: 1, frame: index });
const pictureAt = (index: number) =>
  ({ kind: 'encoded', format: 'png', bytes: new Uint8Array(40).fill(index) }) as const;

/** Puts records one after the other and several at once, some provisional and settled later, while a sink fails at times. */
async function work(outbox: Outbox, world: World, clock: VirtualClock, random: Random): Promise<void> {
  const put = async (record: ResultRecord, index: number): Promise<void> => {
    await outbox.put(record, record.isPartial ? { kept: pictureAt(index) } : {});
    world.promised.push(record);
  };
  for (let index = 0; index < 24; index += 3) {
    world.sinks[1]!.mode = random() < 0.3 ? 'refuse' : random() < 0.2 ? 'commit-then-fail' : 'take';
    await put(recordAt(index), index);
    await Promise.all([put(recordAt(index + 1), index + 1), put(recordAt(index + 2), index + 2)]);
    await clock.sleep(random() * 100);
    const partial = index - 1;
    if (partial > 0 && isPartial(partial) && partial % 8 === 2) await put(finalAt(partial), partial);
  }
}

const NOTHING_KEPT = { deliverTimeoutMs: 1000, backoffBaseMs: 10, backoffMaxMs: 50, ackEveryMs: 20, diskRetryMs: 10 };
const SMALL: Partial<OutboxOptions> = { ...NOTHING_KEPT, segmentBytes: 2500, reserveBytes: 600, seenWindow: 64 };

async function start(
  world: World,
  seed: number,
  cutAt: number,
  platter: Platter,
  more: Partial<OutboxOptions>,
): Promise<Run> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const disk: SimulatedDisk = new SimulatedDisk(
    { random, fate: () => (disk.operations === cutAt ? 'cut' : 'ok') },
    platter,
  );
  const options = { clock, random, ...SMALL, ...more };
  const onEvent = (event: { kind: string; resultId?: string }): void => {
    if (event.kind === 'dropped') world.dropped.push(event.resultId ?? '');
  };
  let outbox: Outbox | null = null;
  const opening = Outbox.open({ disk: disk as Disk, sinks: world.sinks, options, onEvent }).then(
    (opened) => {
      outbox = opened;
    },
    () => {},
  );
  await clock.runUntil(clock.nowMs() + 1000, () => disk.isCut);
  if (!disk.isCut) await opening;
  return { disk, clock, outbox };
}

/** One life of the device: until the power goes, or the work is done. */
async function live(
  world: World,
  seed: number,
  cutAt: number,
  platter: Platter,
  more: Partial<OutboxOptions>,
): Promise<Platter> {
  const { disk, clock, outbox } = await start(world, seed, cutAt, platter, more);
  if (outbox !== null) {
    let isDone = false;
    void work(outbox, world, clock, seededRandom(seed + 1)).then(
      () => (isDone = true),
      () => {},
    );
    await clock.runUntil(20_000, () => disk.isCut || isDone);
  }
  return disk.cut();
}

/** The last life: the power stays, sinks take everything. */
async function finish(world: World, seed: number, platter: Platter, more: Partial<OutboxOptions>): Promise<void> {
  for (const sink of world.sinks) sink.mode = 'take';
  const callsBefore = world.sinks.map(({ calls }) => calls.length);
  const { clock, outbox } = await start(world, seed, -1, platter, more);
  const unsettled = new Map(outbox!.unsettled.map(({ resultId, revision }) => [resultId, revision]));
  for (const record of world.promised) {
    // The part is captured once more, or reconciled once more.
    void outbox!.put(record, {});
    if (!record.isPartial) unsettled.delete(record.resultId);
  }
  const mustBeFinal: string[] = [];
  for (const { resultId, isPartial, frame } of world.promised) {
    if (!isPartial || world.promised.some((other) => other.resultId === resultId && !other.isPartial)) continue;
    if (!unsettled.has(resultId)) {
      // Its final record was safe and `put` had not said so yet: then it has to come.
      mustBeFinal.push(textOf(finalAt(frame)));
      continue;
    }
    const kept = await reading(clock, outbox!.readUnsettled(resultId));
    expect(kept?.picture).toEqual(pictureAt(frame));
  }
  await clock.runUntil(clock.nowMs() + 30_000);
  const promised = world.promised.map(textOf);
  for (const [index, sink] of world.sinks.entries()) {
    expect(
      promised.filter((text) => !sink.committed.includes(text)),
      `lost at ${sink.name}`,
    ).toEqual([]);
    expect(
      mustBeFinal.filter((text) => !sink.committed.includes(text)),
      'settled by nothing',
    ).toEqual([]);
    const order = sink.committed.filter((text) => promised.includes(text));
    expect(order, `order at ${sink.name}`).toEqual([...new Set(promised)]);
    const again = sink.calls.slice(callsBefore[index]);
    expect(again.length, `given twice to ${sink.name} in one life`).toBe(new Set(again).size);
  }
  expect(outbox!.snapshot.waiting).toBe(0);
  expect(world.dropped).toEqual([]);
}

async function reading<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  await clock.runUntil(clock.nowMs());
  return promise;
}

test.each([
  ['every record is synced', {}],
  ['synced at intervals, the process killed', { syncEveryMs: 30 }],
] as const)('one cut, at each operation: %s', async (_, more) => {
  const isPowerLoss = !('syncEveryMs' in more);
  let cuts = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (let cutAt = 1; ; cutAt++) {
      const world = new World();
      const { disk, clock, outbox } = await start(world, seed, cutAt, new Map(), more);
      let isDone = false;
      if (outbox !== null)
        void work(outbox, world, clock, seededRandom(seed + 1)).then(
          () => (isDone = true),
          () => {},
        );
      await clock.runUntil(20_000, () => disk.isCut || isDone);
      const wasCut = disk.isCut;
      await finish(world, seed + 100, isPowerLoss ? disk.cut() : disk.kill(), more);
      if (!wasCut) break;
      cuts++;
    }
  }
  expect(cuts).toBeGreaterThan(50 * SEEDS);
});

test('cuts in a row, of which one may come while the log is read', async () => {
  for (let seed = 1; seed <= 40 * SEEDS; seed++) {
    const random = seededRandom(seed);
    const world = new World();
    let platter: Platter = new Map();
    for (let life = 0; life < 4; life++)
      platter = await live(world, seed * 10 + life, 1 + Math.floor(random() * (life === 0 ? 120 : 30)), platter, {});
    await finish(world, seed * 10 + 9, platter, {});
  }
});
