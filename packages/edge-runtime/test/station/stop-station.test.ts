// A station that ends while its disk is full or a sink blocks: in a bounded time, and nothing that was acknowledged is lost.
import { seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../../../test/sim/simulated-disk.ts';
import { memoryDisk } from '../../src/outbox/memory-disk.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { HELD_LIMIT_MS, stopStation } from '../../src/station/stop-station.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { bench, flow, ListSink } from './support.ts';

/** An outbox that soon has no room, and a station before it whose every part is NG. */
async function held(disk: SimulatedDisk | ReturnType<typeof memoryDisk>, bounds: object) {
  const clock = new FakeClock();
  const sink = Object.assign(new ListSink(), { gate: new Promise<void>(() => {}) });
  const options = { clock, random: () => 0.5, ...bounds };
  const outbox = await Outbox.open({ disk, sinks: [sink], options });
  const made = await bench({ main: 0.9, parts: { store: outbox, isStoreLasting: true, clock } });
  const acknowledged: string[] = [];
  const onResult = ({ resultId }: { resultId: string }): void => void acknowledged.push(resultId);
  // The scripted model has a clock of its own.
  const pass = async (ms: number): Promise<void> => {
    await flow(made.clock, ms);
    await flow(clock, ms);
  };
  for (let part = 0; part < 40 && !outbox.snapshot.isHeld; part++) {
    void made.take(String(part), { onResult });
    await pass(20);
  }
  await pass(200);
  expect(outbox.snapshot.isHeld).toBe(true);
  return { ...made, clock, outbox, acknowledged, pass };
}

describe.each([
  {
    what: 'a full disk',
    disk: () => new SimulatedDisk({ random: seededRandom(1), maxBytes: 24_000 }),
    bounds: { segmentBytes: 4096, reserveBytes: 4096 },
  },
  { what: 'a sink that blocks', disk: () => memoryDisk(), bounds: { maxRecords: 3 } },
])('a station that ends before $what', ({ disk: makeDisk, bounds }) => {
  it('waits ten seconds for room, and keeps every record that it has acknowledged', async () => {
    const disk = makeDisk();
    const { station, outbox, acknowledged, events, pass, clock } = await held(disk, bounds);
    expect(acknowledged.length).toBeGreaterThan(0);
    let isStopped = false;
    const stopping = stopStation(station, outbox, clock).then(() => (isStopped = true));
    await pass(HELD_LIMIT_MS - 500);
    expect(isStopped).toBe(false);
    await pass(500 + 5000);
    await settle();
    expect(isStopped).toBe(true);
    await stopping;
    expect(events.filter((event) => event.kind === 'fault' && event.code === 'CLOSED').length).toBeGreaterThan(0);
    const sink = new ListSink();
    const again = await Outbox.open({ disk, sinks: [sink], options: { clock, random: () => 0.5, ...bounds } });
    await pass(1000);
    expect(sink.records.map(({ resultId }) => resultId)).toEqual(expect.arrayContaining(acknowledged));
    await again.close();
  });
});
