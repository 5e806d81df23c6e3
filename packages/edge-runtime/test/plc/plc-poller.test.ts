// The station as Modbus client of a PLC, whose tables another maker's Modbus server holds: the handshake over real sockets.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { plcShape, type TriggerRequest } from '@kerf/edge-runtime';
import { modbusSink, modbusTrigger, PlcDoor } from '@kerf/edge-runtime/node';
import { systemClock } from '@kerf/protocol';
import modbus from 'jsmodbus';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { recordOf } from '../../../../test/conformance/sink-records.ts';
import { FrameReader, frameBytes } from '../../src/node/modbus/modbus-frames.ts';
import { answerPdu, type ModbusData } from '../../src/plc/modbus-pdu.ts';
import { COILS, INPUTS, REGISTER_COUNT, REGISTERS, registersOfText, textOfRegisters } from '../../src/plc/plc-map.ts';
import { pause } from './plc-simulator.ts';

const PLACES = { controlAt: 3, partAt: 5, outputsAt: 40, resultsAt: 100 };
const never = new AbortController().signal;
const now = (): string => new Date().toISOString();

/** A PLC's memory behind jsmodbus; the program of the PLC is the test. */
class Plc {
  readonly coils = Buffer.alloc(32);
  readonly holding = Buffer.alloc(1024);
  port = 0;
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  /** Answers at the server for as long as it stands. */
  modbus: object | null = null;

  async start(port = 0): Promise<void> {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.modbus = new modbus.server.TCP(this.server, { coils: this.coils, holding: this.holding });
    await new Promise<void>((resolve) => this.server?.listen(port, '127.0.0.1', resolve));
    this.port = (this.server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => (this.server === null ? resolve() : this.server.close(() => resolve())));
    this.server = null;
  }

  get connections(): number {
    return this.sockets.size;
  }

  set(name: (typeof COILS)[number], value: boolean): void {
    this.write(PLACES.controlAt + COILS.indexOf(name), value);
  }

  setPart(partId: string): void {
    registersOfText(partId).forEach((value, at) => this.holding.writeUInt16BE(value, 2 * (PLACES.partAt + at)));
  }

  get outputs(): Record<(typeof INPUTS)[number], boolean> {
    const bit = (at: number): boolean => (((this.coils[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
    return Object.fromEntries(INPUTS.map((name, at) => [name, bit(PLACES.outputsAt + at)])) as never;
  }

  get results(): number[] {
    return Array.from({ length: REGISTER_COUNT }, (_, at) => this.holding.readUInt16BE(2 * (PLACES.resultsAt + at)));
  }

  async until(what: (outputs: Plc['outputs']) => boolean): Promise<Plc['outputs']> {
    for (let turn = 0; turn < 1500; turn++) {
      if (what(this.outputs)) return this.outputs;
      await pause();
    }
    throw new Error(`it never came to be: ${JSON.stringify(this.outputs)}`);
  }

  private write(at: number, value: boolean): void {
    const byte = this.coils[at >> 3] ?? 0;
    this.coils[at >> 3] = value ? byte | (1 << (at & 7)) : byte & ~(1 << (at & 7));
  }
}

describe('a PLC that is asked', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function opened(given: Record<string, unknown> = {}): Promise<{ plc: Plc; door: PlcDoor }> {
    const plc = new Plc();
    await plc.start();
    ends.push(() => plc.stop());
    const own = { connect: `127.0.0.1:${plc.port}`, poll: '10 ms', timeout: '300 ms', heartbeat: '30 ms', ...PLACES };
    const config = plcShape.read({ ...own, ...given }, 'sink');
    return { plc, door: new PlcDoor({ config, clock: systemClock, wallClock: Date.now }) };
  }

  async function triggered(given: Record<string, unknown> = {}) {
    const { plc, door } = await opened(given);
    const requests: TriggerRequest[] = [];
    const trigger = modbusTrigger('plc', door);
    await trigger.start((request) => void requests.push(request));
    ends.push(() => trigger.stop());
    return { plc, door, requests };
  }

  test('its coil triggers, its outputs latch until it acknowledges, and it is ready again', async () => {
    const { plc, door, requests } = await triggered();
    await plc.until(({ ready }) => ready);
    plc.setPart('BOLT-17');
    plc.set('trigger', true);
    expect(await plc.until(({ busy }) => busy)).toMatchObject({ ready: false, done: false });
    expect(requests.map(({ partId }) => partId)).toEqual(['BOLT-17']);
    requests[0]?.onResult?.(recordOf(1, { partId: 'BOLT-17', verdict: 'NG', score: 0.987, creationTime: now() }));
    expect(await plc.until(({ done }) => done)).toMatchObject({ busy: false, ok: false, ng: true, review: false });
    // The registers were there before the output that says so.
    expect(plc.results[REGISTERS.scoreThousandths]).toBe(987);
    expect(textOfRegisters(plc.results.slice(REGISTERS.partId))).toBe('BOLT-17');
    await pause(120);
    expect(plc.outputs.ng, 'nobody has acknowledged').toBe(true);
    plc.set('ack', true);
    await plc.until(({ done, ng }) => !done && !ng);
    plc.set('ack', false);
    await pause(60);
    expect(plc.outputs.ready, 'the trigger is still on').toBe(false);
    plc.set('trigger', false);
    await plc.until(({ ready }) => ready);
    expect(door.station.counters).toMatchObject({ fired: 1, refused: 0 });
  });

  test('an answer that lacks what was asked for is none: a trigger that stays on does not fire again', async () => {
    const memory = { trigger: false, ack: false };
    let cutOff = 0;
    const data: ModbusData = {
      readBits: () => [memory.trigger, memory.ack, false],
      readRegisters: (_, __, count) => Array.from({ length: count }, () => 0),
      writeCoils: () => true,
      writeRegisters: () => true,
    };
    const server = createServer((socket) => {
      const reader = new FrameReader();
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        for (const frame of reader.read(chunk)) {
          const isCut = frame.pdu[0] === 1 && cutOff > 0;
          if (isCut) cutOff--;
          const pdu = isCut ? Uint8Array.of(1, 0) : answerPdu(frame.pdu, data);
          socket.write(frameBytes({ ...frame, pdu }));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => void server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const config = plcShape.read({ connect: `127.0.0.1:${port}`, poll: '10 ms', timeout: '300 ms' }, 'sink');
    const door = new PlcDoor({ config, clock: systemClock, wallClock: Date.now });
    const trigger = modbusTrigger('plc', door);
    await trigger.start(({ onResult }) => onResult?.(recordOf(1, { creationTime: now() })));
    ends.push(() => trigger.stop());
    memory.trigger = true;
    await vi.waitFor(() => expect(door.station.inputs.done).toBe(true));
    memory.ack = true;
    await vi.waitFor(() => expect(door.station.inputs.done).toBe(false));
    memory.ack = false;
    await vi.waitFor(() => expect(door.station.readBits('coils', 1, 1)).toEqual([false]));
    const way = await door.open();
    ends.push(() => door.close());
    cutOff = 1;
    await vi.waitFor(() => expect(way.fault?.message).toContain('less than was asked for'));
    await vi.waitFor(() => expect(way.fault).toBeNull(), { timeout: 10_000 });
    expect(door.station.counters).toMatchObject({ fired: 1, refused: 0 });
  });

  test('the heartbeat goes on, and stands still when the station ends, with the outputs off', async () => {
    const { plc, door } = await opened();
    const sink = modbusSink('plc', door);
    const delivered = sink.deliver(
      { record: recordOf(1, { verdict: 'PASS', creationTime: now() }), picture: null },
      never,
    );
    delivered.catch(() => undefined);
    await plc.until(({ done, ok }) => done && ok);
    for (const wanted of [true, false, true]) await plc.until(({ heartbeat }) => heartbeat === wanted);
    await sink.close();
    await expect(delivered).rejects.toMatchObject({ code: 'CLOSED' });
    expect(plc.outputs).toMatchObject({ done: false, ok: false, ready: false });
  });

  test('a PLC that restarts with an empty memory gets all of it again, and its acknowledgement is not lost', async () => {
    const { plc, door } = await opened();
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    const record = recordOf(2, { verdict: 'REVIEW', creationTime: now() });
    const delivered = sink.deliver({ record, picture: null }, never);
    await plc.until(({ review }) => review);
    const { port } = plc;
    await plc.stop();
    plc.coils.fill(0);
    plc.holding.fill(0);
    await pause(50);
    // Another record says at once that nobody is there: the outbox keeps it.
    await expect(sink.deliver({ record: recordOf(3), picture: null }, never)).rejects.toMatchObject({
      code: 'SINK_UNREACHABLE',
    });
    await plc.start(port);
    await plc.until(({ review, done }) => review && done);
    expect(plc.results[REGISTERS.verdict]).toBe(2);
    plc.set('ack', true);
    await delivered;
    plc.set('ack', false);
    await plc.until(({ ready }) => ready);
    expect(plc.connections).toBe(1);
  });

  test('a PLC that is not there is said with its address', async () => {
    const { plc, door } = await opened();
    await plc.stop();
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    await pause(400);
    const failed = sink.deliver({ record: recordOf(4, { creationTime: now() }), picture: null }, never);
    await expect(failed).rejects.toMatchObject({
      code: 'SINK_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${plc.port}`),
    });
  });

  test('addresses that the PLC does not have are said as such', async () => {
    const { door } = await opened({ resultsAt: 5_000 });
    const sink = modbusSink('plc', door);
    ends.push(() => sink.close());
    await pause(300);
    const failed = sink.deliver({ record: recordOf(5, { creationTime: now() }), picture: null }, never);
    await expect(failed).rejects.toMatchObject({ code: 'SINK_REFUSED' });
  });

  test.each(['nowhere', 'plc:99999'])('connect: %s is refused', (connect) => {
    const config = plcShape.read({ connect }, 'sink');
    expect(() => new PlcDoor({ config, clock: systemClock, wallClock: Date.now })).toThrow(/not an address/);
  });
});
