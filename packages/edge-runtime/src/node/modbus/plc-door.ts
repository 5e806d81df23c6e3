// A Modbus address of a station file -> one door that its trigger and its sink share.
import { type Clock, KerfError } from '@kerf/protocol';
import type { Trigger, TriggerCounters } from '../../capture/trigger.ts';
import type { PlcConfig } from '../../plc/plc-config.ts';
import { PlcStation } from '../../plc/plc-station.ts';
import type { Sink } from '../../sinks/sink.ts';
import { listenAddress } from '../listen.ts';
import { modbusServer } from './modbus-server.ts';
import { PlcPoller } from './plc-poller.ts';

export interface PlcDoorOptions {
  readonly config: PlcConfig;
  readonly clock: Clock;
  readonly wallClock: () => number;
}

/** A server that the PLC asks, or a client that asks the PLC. */
interface Way {
  /** That the station listens on; null where it asks. */
  readonly port: number | null;
  /** Why the PLC cannot be reached; null while it can, or it is not the station that reaches. */
  readonly fault: KerfError | null;
  close(): Promise<void>;
}

/** Opened by the first of its users, closed by the last. */
export class PlcDoor {
  private current: PlcStation;
  private readonly options: PlcDoorOptions;
  private way: Promise<Way> | null = null;
  private users = 0;

  constructor(options: PlcDoorOptions) {
    listenAddress(options.config.connect ?? options.config.listen);
    this.options = options;
    this.current = new PlcStation(options);
  }

  /** What stands at the outputs; another one after the door was closed and opened again. */
  get station(): PlcStation {
    return this.current;
  }

  /** @throws {KerfError} INVALID_ARGUMENT when the port cannot be used. A PLC that does not answer is asked again. */
  async open(): Promise<Way> {
    this.users++;
    if (this.current.isClosed) this.current = new PlcStation(this.options);
    this.way ??= openWay(this.options, this.current);
    return this.way;
  }

  async close(): Promise<void> {
    if (--this.users > 0) return;
    this.current.close();
    await (await this.way?.catch(() => null))?.close();
    this.way = null;
  }
}

async function openWay({ config, clock }: PlcDoorOptions, station: PlcStation): Promise<Way> {
  const unit = config.unit === null ? null : Number(config.unit);
  if (config.connect === null) {
    const server = await modbusServer({ ...listenAddress(config.listen), allow: config.allow, unit, data: station });
    return { port: server.port, fault: null, close: () => server.close() };
  }
  const { poll: pollMs, timeout: timeoutMs, controlAt, partAt, outputsAt, resultsAt } = config;
  const places = { controlAt, partAt, outputsAt, resultsAt };
  const address = listenAddress(config.connect);
  const poller = new PlcPoller({ ...address, unit: unit ?? 1, pollMs, timeoutMs, places, station, clock });
  poller.start();
  return poller;
}

/** Triggers of the PLC. Without a Modbus sink too, each is answered at the outputs. */
export function modbusTrigger(name: string, door: PlcDoor): Trigger {
  let isStarted = false;
  let isStopped = false;
  return {
    name,
    start: async (fire) => {
      if (isStarted) throw new KerfError('INVALID_ARGUMENT', `trigger '${name}' was started before`);
      isStarted = true;
      const opened = door.open();
      door.station.useTrigger(fire);
      await opened;
    },
    get counters(): TriggerCounters {
      return door.station.counters;
    },
    stop: async () => {
      if (!isStarted || isStopped) return;
      isStopped = true;
      await door.close();
    },
  };
}

/** Shows results to the PLC until it acknowledges them. */
export function modbusSink(name: string, door: PlcDoor): Sink {
  const opened = door.open();
  opened.catch(() => undefined); // said by the first delivery
  let closing: Promise<void> | null = null;
  return {
    name,
    usesPictures: false,
    deliver: async ({ record, ageMs }, signal) => {
      signal.throwIfAborted();
      const { fault } = await opened;
      if (fault !== null) throw fault;
      await door.station.deliver(record, signal, ageMs);
    },
    close: () => {
      closing ??= door.close();
      return closing;
    },
  };
}
