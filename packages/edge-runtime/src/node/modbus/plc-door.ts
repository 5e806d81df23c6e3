// A Modbus address of a station file -> one door that its trigger and its sink share.
import { type Clock, KerfError } from '@kerf/protocol';
import type { Trigger, TriggerCounters } from '../../capture/trigger.ts';
import type { PlcConfig } from '../../plc/plc-config.ts';
import { PlcStation } from '../../plc/plc-station.ts';
import type { Sink } from '../../sinks/sink.ts';
import { listenAddress } from '../listen.ts';
import { type ModbusServer, modbusServer } from './modbus-server.ts';

export interface PlcDoorOptions {
  readonly config: PlcConfig;
  readonly clock: Clock;
  readonly wallClock: () => number;
}

/** Opened by the first of its users, closed by the last. */
export class PlcDoor {
  private current: PlcStation;
  private readonly options: PlcDoorOptions;
  private server: Promise<ModbusServer> | null = null;
  private users = 0;

  constructor(options: PlcDoorOptions) {
    listenAddress(options.config.listen);
    this.options = options;
    this.current = new PlcStation(options);
  }

  /** What stands at the outputs; another one after the door was closed and opened again. */
  get station(): PlcStation {
    return this.current;
  }

  /** @throws {KerfError} INVALID_ARGUMENT when the port cannot be used. */
  async open(): Promise<ModbusServer> {
    this.users++;
    const { config } = this.options;
    if (this.current.isClosed) this.current = new PlcStation(this.options);
    this.server ??= modbusServer({
      ...listenAddress(config.listen),
      allow: config.allow,
      unit: config.unit === null ? null : Number(config.unit),
      data: this.current,
    });
    return this.server;
  }

  async close(): Promise<void> {
    if (--this.users > 0) return;
    this.current.close();
    await (await this.server?.catch(() => null))?.close();
    this.server = null;
  }
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
    deliver: async ({ record }, signal) => {
      signal.throwIfAborted();
      await opened;
      await door.station.deliver(record, signal);
    },
    close: () => {
      closing ??= door.close();
      return closing;
    },
  };
}
