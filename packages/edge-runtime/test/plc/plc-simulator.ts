// A PLC's program over Modbus TCP: polls the outputs, takes results, acknowledges.
import { systemClock } from '@kerf/protocol';
import { type ModbusClient, modbusClient } from '../../src/node/modbus/modbus-client.ts';
import {
  COILS,
  INPUTS,
  type PlcInputs,
  REGISTER_COUNT,
  REGISTERS,
  registersOfText,
  textOfRegisters,
} from '../../src/plc/plc-map.ts';

export interface SeenResult {
  readonly inputs: PlcInputs;
  readonly key: number;
  readonly partId: string;
  readonly verdict: number;
}

export class PlcSimulator {
  readonly results: SeenResult[] = [];
  /** False: it sees results and never acknowledges. */
  acknowledges = true;
  /** Times that it has connected. */
  connects = 0;
  private readonly port: number;
  private client: ModbusClient | null = null;
  private lastKey = -1;
  private running: Promise<void> | null = null;
  private isStopped = false;

  constructor(port: number) {
    this.port = port;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
    this.client?.close();
  }

  async inputs(): Promise<PlcInputs> {
    const bits = await (await this.connected()).readBits('inputs', 0, INPUTS.length);
    return Object.fromEntries(INPUTS.map((name, at) => [name, bits[at] as boolean])) as PlcInputs;
  }

  async registers(): Promise<number[]> {
    return (await this.connected()).readRegisters('input', 0, REGISTER_COUNT);
  }

  async set(coil: (typeof COILS)[number], value: boolean): Promise<void> {
    await (await this.connected()).writeCoils(COILS.indexOf(coil), [value]);
  }

  async setPart(partId: string): Promise<void> {
    await (await this.connected()).writeRegisters(0, registersOfText(partId));
  }

  async until(condition: (inputs: PlcInputs) => boolean): Promise<PlcInputs> {
    for (let turn = 0; turn < 2000; turn++) {
      const inputs = await this.inputs();
      if (condition(inputs)) return inputs;
      await pause();
    }
    throw new Error(`it never came to be: ${JSON.stringify(await this.inputs())}`);
  }

  /** As a PLC does it: one that shows the key of the result before comes again, and moves no flap. */
  async take(): Promise<void> {
    const inputs = await this.inputs();
    const registers = await this.registers();
    const key = registers[REGISTERS.recordKey]! * 65_536 + registers[REGISTERS.recordKey + 1]!;
    if (key === 0 || key !== this.lastKey) {
      const partId = textOfRegisters(registers.slice(REGISTERS.partId));
      this.results.push({ inputs, key, partId, verdict: registers[REGISTERS.verdict]! });
    }
    this.lastKey = key;
    await this.set('ack', true);
    await this.until(({ done }) => !done);
    await this.set('ack', false);
  }

  private async connected(): Promise<ModbusClient> {
    for (let turn = 0; this.client === null; turn++) {
      const options = { host: '127.0.0.1', port: this.port, unit: 1, timeoutMs: 5000, clock: systemClock };
      this.client = await modbusClient(options).catch(() => null);
      if (this.client !== null) this.connects++;
      if (turn > 1000 || this.isStopped) throw new Error('no door');
      if (this.client === null) await pause();
    }
    return this.client;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      try {
        const { done } = await this.inputs();
        if (done && this.acknowledges) await this.take();
      } catch {
        this.client?.close();
        this.client = null; // the station restarts
      }
      await pause();
    }
  }
}

export const pause = (delayMs = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
