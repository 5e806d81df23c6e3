// A PLC that is asked -> the same handshake as at the door: its tables are copied in, the station's outputs are copied out.
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import { COILS, INPUTS, PART_REGISTERS, REGISTER_COUNT } from '../../plc/plc-map.ts';
import type { PlcStation } from '../../plc/plc-station.ts';
import { type ModbusClient, modbusClient } from './modbus-client.ts';

export interface PlcPollerOptions {
  readonly host: string;
  readonly port: number;
  readonly unit: number;
  readonly pollMs: number;
  /** For connecting, and for each answer. */
  readonly timeoutMs: number;
  /** Addresses in the PLC, counted from 0: where its coils, part id, outputs and results begin. */
  readonly places: {
    readonly controlAt: number;
    readonly partAt: number;
    readonly outputsAt: number;
    readonly resultsAt: number;
  };
  readonly station: PlcStation;
  readonly clock: Clock;
}

/** Between two attempts at a PLC that does not answer. */
const RETRY_MS = 1_000;

export class PlcPoller {
  /** It asks, and listens nowhere. */
  readonly port = null;
  /** Why the PLC is not there; null while it answers. */
  fault: KerfError | null = null;
  private readonly options: PlcPollerOptions;
  private client: ModbusClient | null = null;
  /** What stands in the PLC as far as is known; null: all has to be written. */
  private written: { outputs: readonly boolean[]; results: readonly number[] } | null = null;
  private cancelTimer: (() => void) | null = null;
  private turn: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(options: PlcPollerOptions) {
    this.options = options;
  }

  start(): void {
    this.turn = this.poll();
  }

  /** The outputs are taken off at the PLC where it still answers. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelTimer?.();
    await this.turn;
    await this.client
      ?.writeCoils(
        this.options.places.outputsAt,
        INPUTS.map(() => false),
      )
      .catch(() => undefined);
    this.client?.close();
  }

  private async poll(): Promise<void> {
    const { clock, pollMs } = this.options;
    let delayMs = pollMs;
    try {
      await this.exchange();
      this.fault = null;
    } catch (error) {
      this.client?.close();
      this.client = null;
      this.written = null;
      this.fault = KerfError.from(error, 'SINK_UNREACHABLE', `the PLC cannot be asked: ${messageOf(error)}`);
      delayMs = Math.max(pollMs, RETRY_MS);
    }
    if (this.isClosed) return;
    this.cancelTimer = clock.after(delayMs, () => {
      this.turn = this.poll();
    });
  }

  private async exchange(): Promise<void> {
    const { station, places } = this.options;
    this.client ??= await modbusClient(this.options);
    // The PLC writes the part before the trigger: read behind it, the part is the trigger's.
    const control = await this.client.readBits('coils', places.controlAt, COILS.length);
    station.writeRegisters(0, await this.client.readRegisters('holding', places.partAt, PART_REGISTERS));
    station.writeCoils(0, control);
    await this.write(this.client);
  }

  /** What has changed, the result before the output that says that it stands there. */
  private async write(client: ModbusClient): Promise<void> {
    const { station, places } = this.options;
    const results = station.readRegisters('input', 0, REGISTER_COUNT) ?? [];
    const outputs = station.readBits('inputs', 0, INPUTS.length) ?? [];
    const before = this.written;
    if (before === null || !isSame(before.results, results)) await client.writeRegisters(places.resultsAt, results);
    if (before === null || !isSame(before.outputs, outputs)) await client.writeCoils(places.outputsAt, outputs);
    this.written = { outputs, results };
  }
}

function isSame<T>(left: readonly T[], right: readonly T[]): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at]);
}
