// A PLC's program against the station's door, over real sockets.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { memoryDisk, Outbox, plcShape, recordKey, type TriggerRequest } from '@kerf/edge-runtime';
import { modbusSink, modbusTrigger, PlcDoor } from '@kerf/edge-runtime/node';
import { systemClock } from '@kerf/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { describeSink } from '../../../../test/conformance/sink.ts';
import { deliveryOf, recordOf } from '../../../../test/conformance/sink-records.ts';
import { modbusClient } from '../../src/node/modbus/modbus-client.ts';
import { numberOfKey, REGISTERS } from '../../src/plc/plc-map.ts';
import { freePort } from '../capture/support.ts';
import { PlcSimulator, pause } from './plc-simulator.ts';

const never = new AbortController().signal;
const now = (): string => new Date().toISOString();

function doorAt(port: number, given: Record<string, unknown> = {}, wallClock: () => number = Date.now): PlcDoor {
  const config = plcShape.read({ listen: `127.0.0.1:${port}`, heartbeat: '20 ms', ...given }, 'sink');
  return new PlcDoor({ config, clock: systemClock, wallClock });
}

describeSink('Modbus', { silence: true, onlyFirstRevision: true }, async () => {
  const port = await freePort();
  const plc = new PlcSimulator(port);
  plc.start();
  const names = new Map<number, [string, number]>();
  for (let frame = 0; frame < 20; frame++) {
    for (const revision of [0, 1]) {
      const record = recordOf(frame, { revision });
      names.set(numberOfKey(recordKey(record)), [record.resultId, revision]);
    }
  }
  return {
    // The suite's records have a fixed time: so does the door.
    open: () =>
      modbusSink(
        'plc',
        doorAt(port, {}, () => Date.UTC(2026, 10, 26, 10, 0, 5)),
      ),
    received: async () => plc.results.map(({ key }) => names.get(key)!),
    silence: async () => {
      plc.acknowledges = false;
    },
    dispose: () => plc.stop(),
  };
});

describe('Modbus door', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  const start = async (
    given: Record<string, unknown> = {},
  ): Promise<{ door: PlcDoor; plc: PlcSimulator; port: number }> => {
    const port = await freePort();
    const plc = new PlcSimulator(port);
    ends.push(() => plc.stop());
    return { door: doorAt(port, given), plc, port };
  };
  const triggered = async (
    given: Record<string, unknown> = {},
  ): Promise<{ door: PlcDoor; plc: PlcSimulator; requests: TriggerRequest[] }> => {
    const { door, plc } = await start(given);
    const requests: TriggerRequest[] = [];
    const trigger = modbusTrigger('plc', door);
    await trigger.start((request) => void requests.push(request));
    ends.push(() => trigger.stop());
    return { door, plc, requests };
  };

  test('the handshake: trigger, busy, one output, latched until the acknowledgement, ready again', async () => {
    const { door, plc, requests } = await triggered();
    await plc.until(({ ready }) => ready);
    await plc.setPart('BOLT-17');
    await plc.set('trigger', true);
    const busy = await plc.inputs();
    expect(busy).toMatchObject({ ready: false, busy: true, done: false });
    expect(requests.map(({ partId }) => partId)).toEqual(['BOLT-17']);
    requests[0]?.onResult?.(recordOf(1, { partId: 'BOLT-17', verdict: 'NG', score: 0.987, creationTime: now() }));
    const shown = await plc.until(({ done }) => done);
    expect(shown).toMatchObject({ busy: false, ok: false, ng: true, review: false, fault: false });
    const registers = await plc.registers();
    expect(registers[REGISTERS.scoreThousandths]).toBe(987);
    expect(registers[REGISTERS.sequence]).toBe(1);
    await pause(60);
    expect((await plc.inputs()).ng).toBe(true); // nobody has acknowledged
    await plc.set('ack', true);
    expect(await plc.inputs()).toMatchObject({ done: false, ng: false, ready: false });
    await plc.set('ack', false);
    expect((await plc.inputs()).ready).toBe(false); // the trigger is still on
    await plc.set('trigger', false);
    expect((await plc.inputs()).ready).toBe(true);
    expect(door.station.counters).toMatchObject({ fired: 1, refused: 0 });
  });

  test.each([
    ['PASS', { ok: true, ng: false, review: false, noRead: false, error: false }],
    ['NG', { ok: false, ng: true, review: false, noRead: false, error: false }],
    ['REVIEW', { ok: false, ng: false, review: true, noRead: false, error: false }],
    ['NO_READ', { ok: false, ng: false, review: true, noRead: true, error: false }],
    ['ERROR', { ok: false, ng: false, review: true, noRead: false, error: true }],
  ] as const)('%s lights just its outputs', async (verdict, expected) => {
    const { door, plc } = await start();
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    const delivered = sink.deliver({ record: recordOf(1, { verdict, creationTime: now() }), picture: null }, never);
    expect(await plc.until(({ done }) => done)).toMatchObject(expected);
    await plc.take();
    await delivered;
  });

  test('no result in time is an error to be reviewed, never ok; the result that comes later is counted', async () => {
    const { door, plc, requests } = await triggered({ answerWithin: '60 ms' });
    await plc.set('trigger', true);
    expect(await plc.until(({ done }) => done)).toMatchObject({
      ok: false,
      ng: false,
      review: true,
      error: true,
      fault: true,
    });
    requests[0]?.onResult?.(recordOf(1, { verdict: 'PASS', creationTime: now() }));
    expect(await plc.inputs()).toMatchObject({ ok: false, error: true });
    expect(door.station.counters.late).toBe(1);
    await plc.take();
    await plc.set('trigger', false);
    await plc.until(({ ready }) => ready);
    // The next part gets its own result, and the fault goes.
    await plc.set('trigger', true);
    requests[1]?.onResult?.(recordOf(2, { verdict: 'PASS', creationTime: now() }));
    expect(await plc.until(({ done }) => done)).toMatchObject({ ok: true, fault: false });
  });

  test('a trigger that bounces or comes while busy is refused and counted', async () => {
    const { door, plc, requests } = await triggered({ debounce: '40 ms' });
    await plc.set('trigger', true);
    await plc.set('trigger', false);
    await pause(80);
    expect(requests).toEqual([]);
    await plc.set('trigger', true);
    await plc.until(({ busy }) => busy);
    await plc.set('trigger', false);
    await plc.set('trigger', true);
    await pause(80);
    expect(requests).toHaveLength(1);
    expect(door.station.counters).toMatchObject({ fired: 1, refused: 1 });
  });

  test('a source without room answers with an error at once', async () => {
    const { door, plc } = await start();
    const trigger = modbusTrigger('plc', door);
    await trigger.start(() => {
      throw new Error('no room');
    });
    ends.push(() => trigger.stop());
    await plc.set('trigger', true);
    expect(await plc.until(({ done }) => done)).toMatchObject({ error: true, review: true });
    expect(trigger.counters).toMatchObject({ fired: 0, refused: 1 });
  });

  test('reset takes everything back', async () => {
    const { door, plc, requests } = await triggered();
    await plc.set('trigger', true);
    await plc.until(({ busy }) => busy);
    await plc.set('reset', true);
    await plc.set('reset', false);
    await plc.set('trigger', false);
    expect(await plc.inputs()).toMatchObject({ ready: true, busy: false, done: false });
    requests[0]?.onResult?.(recordOf(1, { creationTime: now() }));
    expect(await plc.inputs()).toMatchObject({ ready: true, done: false });
    expect(door.station.counters.late).toBe(1);
  });

  test('with a trigger, the sink shows nothing that nobody asked for', async () => {
    const { door, plc, requests } = await triggered();
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    await plc.set('trigger', true);
    await plc.until(({ busy }) => busy);
    // From the outbox, of a part before the restart: as an answer it would eject the wrong part.
    await sink.deliver({ record: recordOf(9, { verdict: 'PASS', creationTime: now() }), picture: null }, never);
    expect(await plc.inputs()).toMatchObject({ busy: true, done: false });
    const record = recordOf(1, { verdict: 'NG', creationTime: now() });
    requests[0]?.onResult?.(record);
    const delivered = sink.deliver({ record, picture: null }, never);
    await plc.until(({ ng }) => ng);
    await plc.take();
    await delivered;
    expect(door.station.counters.unasked).toBe(1);
  });

  test('results of parts that are long gone are not shown', async () => {
    const { door, plc } = await start({ forgetAfter: '1 s' });
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    for (let frame = 0; frame < 50; frame++) await sink.deliver(deliveryOf(frame), never);
    expect((await plc.inputs()).done).toBe(false);
    expect(door.station.counters.stale).toBe(50);
  });

  test.for([
    ['ahead', 3_600_000],
    ['back', -3_600_000],
  ] as const)('results that wait are shown when the clock is set %s by an hour meanwhile', async ([, jumpMs]) => {
    const port = await freePort();
    const plc = new PlcSimulator(port);
    ends.push(() => plc.stop());
    let setByMs = 0;
    const wallClock = (): number => Date.now() + setByMs;
    const sink = modbusSink('plc', doorAt(port, {}, wallClock));
    const outbox = await Outbox.open({ disk: memoryDisk(), sinks: [sink] });
    ends.push(async () => {
      await outbox.close();
      await sink.close();
    });
    const put = (frame: number): Promise<void> =>
      outbox.put(recordOf(frame, { creationTime: new Date(wallClock()).toISOString() }));
    for (let frame = 0; frame < 3; frame++) await put(frame);
    await plc.until(({ done }) => done);
    setByMs = jumpMs;
    await put(3);
    plc.start();
    expect(await outbox.drain(10_000)).toBe(true);
    expect(plc.results.map(({ partId }) => partId)).toEqual(['P-0', 'P-1', 'P-2', 'P-3']);
  });

  test('results of an earlier run that seem to come from the future are not shown: nobody knows how old they are', async () => {
    const { door, plc } = await start({ forgetAfter: '1 s' });
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    const creationTime = new Date(Date.now() + 60_000).toISOString();
    await sink.deliver({ record: recordOf(1, { creationTime }), picture: null }, never);
    expect((await plc.inputs()).done).toBe(false);
    expect(door.station.counters.stale).toBe(1);
  });

  test('a result that is not acknowledged is reported; its outputs stay, and the next try finds it shown', async () => {
    const { door, plc } = await start({ ackWithin: '50 ms' });
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    const delivery = { record: recordOf(1, { creationTime: now() }), picture: null };
    await expect(sink.deliver(delivery, never)).rejects.toMatchObject({ code: 'SINK_UNREACHABLE' });
    expect((await plc.inputs()).done).toBe(true);
    await plc.take();
    await sink.deliver(delivery, never);
    expect(plc.results).toHaveLength(1);
  });

  test('a door that was closed is opened again with clean outputs, as when sinks are reloaded', async () => {
    const { door, plc } = await start();
    const first = modbusSink('plc', door);
    const blocked = first.deliver({ record: recordOf(1, { creationTime: now() }), picture: null }, never);
    await plc.until(({ done }) => done);
    await first.close();
    await expect(blocked).rejects.toMatchObject({ code: 'CLOSED' });
    const second = modbusSink('plc', door);
    ends.push(() => second.close());
    const delivered = second.deliver({ record: recordOf(2, { creationTime: now() }), picture: null }, never);
    plc.start();
    await delivered;
    expect(plc.results.map(({ partId }) => partId)).toEqual(['P-2']);
  });

  test('the heartbeat changes, and addresses that are not there are refused', async () => {
    const { door, plc } = await start();
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    const first = (await plc.inputs()).heartbeat;
    await plc.until(({ heartbeat }) => heartbeat !== first);
    await plc.until(({ heartbeat }) => heartbeat === first);
    await expect(plc.setPart('x').then(() => plc.registers())).resolves.toBeDefined();
  });

  test('strangers, floods of connections and bytes that are no Modbus do no harm', async () => {
    const { door, plc, port } = await start({ allow: ['127.0.0.1'] });
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    await plc.inputs();
    const sockets = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\n\r\n');
    }
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    expect(await plc.inputs()).toMatchObject({ fault: false });
    const other = doorAt(await freePort(), { allow: ['192.0.2.1'] });
    const closed = modbusSink('other', other);
    ends.push(() => closed.close());
    const { port: otherPort } = await other.open();
    ends.push(() => other.close());
    const refused = connect(otherPort ?? 0, '127.0.0.1');
    refused.on('error', () => undefined);
    await once(refused, 'close');
  });

  test('connections that a PLC has left without a word do not keep it out', async () => {
    const { door, plc, port } = await start();
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    await plc.inputs();
    for (let restart = 0; restart < 20; restart++) {
      const again = await modbusClient({ host: '127.0.0.1', port, unit: 1, timeoutMs: 5_000, clock: systemClock });
      ends.push(async () => again.close());
      expect(await again.readBits('inputs', 2, 1)).toEqual([false]);
      // One that asks all the time stays.
      expect(await plc.inputs()).toMatchObject({ done: false });
    }
    expect(plc.connects).toBe(1);
  });

  test('a port that is taken is said to be so', async () => {
    const { port } = await start();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    const sink = modbusSink('plc', doorAt(port));
    await expect(sink.deliver(deliveryOf(0), never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('EADDRINUSE') as string,
    });
    await sink.close();
    server.close();
  });
});
