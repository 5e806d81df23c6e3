// Triggers and acknowledgements of a PLC + results -> outputs that stay on until the PLC has seen them.
import { type Clock, KerfError } from '@kerf/protocol';
import { checkedPartId } from '../capture/part-id.ts';
import type { TriggerRequest } from '../capture/trigger.ts';
import { KnownRecords, recordKey } from '../sinks/known-records.ts';
import type { ResultRecord, Verdict } from '../station/result-record.ts';
import type { ModbusData } from './modbus-pdu.ts';
import type { PlcConfig } from './plc-config.ts';
import {
  COILS,
  INPUTS,
  MAP_VERSION,
  numberOfKey,
  PART_REGISTERS,
  type PlcInputs,
  REGISTER_COUNT,
  REGISTERS,
  registersOfText,
  textOfRegisters,
  VERDICT_NUMBERS,
} from './plc-map.ts';

export interface PlcStationOptions {
  readonly config: Pick<PlcConfig, 'debounce' | 'answerWithin' | 'ackWithin' | 'forgetAfter' | 'heartbeat'>;
  readonly clock: Clock;
  readonly wallClock: () => number;
}

/** What stands at the outputs. */
interface Shown {
  /** Null for an answer that the station gave because no result came. */
  readonly key: string | null;
  readonly verdict: Verdict;
}

interface Queued {
  readonly record: ResultRecord;
  readonly waiters: Set<{ resolve(): void; reject(error: unknown): void }>;
}

/**
 * The handshake: PLC sets `trigger` when `ready`; `busy` until the result; then `done` with exactly one of `ok`, `ng`, `review`;
 * PLC sets `ack`, the outputs go off; PLC takes `ack` and `trigger` back, `ready` comes on.
 */
export class PlcStation implements ModbusData {
  readonly counters = { fired: 0, refused: 0, late: 0, stale: 0, unasked: 0 };
  private readonly options: PlcStationOptions;
  private fire: ((request: TriggerRequest) => void) | null = null;
  private readonly coils = new Map<(typeof COILS)[number], boolean>(COILS.map((name) => [name, false]));
  private readonly part: number[] = zeros(PART_REGISTERS);
  private readonly registers: number[] = zeros(REGISTER_COUNT);
  private readonly known = new KnownRecords();
  private queue: Queued[] = [];
  private shown: Shown | null = null;
  private busy: { cancel(): void } | null = null;
  private cancelDebounce: (() => void) | null = null;
  private cancelHeartbeat: (() => void) | null = null;
  private beat = false;
  private fault = false;
  private isProvisional = false;
  private closed = false;

  constructor(options: PlcStationOptions) {
    this.options = options;
    this.registers[REGISTERS.mapVersion] = MAP_VERSION;
    this.keepBeating();
  }

  /** From now on results are answers to triggers. */
  useTrigger(fire: (request: TriggerRequest) => void): void {
    this.fire = fire;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  get inputs(): PlcInputs {
    const verdict = this.shown?.verdict ?? null;
    return {
      ready: this.isReady,
      busy: this.busy !== null,
      done: verdict !== null,
      ok: verdict === 'PASS',
      ng: verdict === 'NG',
      // A part that nobody judged goes where somebody looks at it, also with a PLC that knows only three outputs.
      review: verdict !== null && verdict !== 'PASS' && verdict !== 'NG',
      fault: this.fault,
      noRead: verdict === 'NO_READ',
      error: verdict === 'ERROR',
      provisional: verdict !== null && this.isProvisional,
      heartbeat: this.beat,
    };
  }

  /**
   * Shows a record and waits for its acknowledgement. A record that was shown before, an older part and, with a trigger, one
   * that nobody asked for are done at once.
   * @param ageMs of the record, where it is known by a clock that nobody sets; else the record's own time tells
   * @throws {KerfError} SINK_UNREACHABLE when the PLC does not acknowledge in time; the outputs stay on.
   */
  deliver(record: ResultRecord, signal: AbortSignal, ageMs?: number): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.closed) return Promise.reject(closedError());
    const key = recordKey(record);
    if (record.revision > 0 || this.known.has(key)) return Promise.resolve();
    const queued = this.queue.find((other) => recordKey(other.record) === key);
    if (queued !== undefined) return this.acknowledged(queued, signal);
    if (this.fire !== null) {
      this.counters.unasked++;
      return Promise.resolve();
    }
    if (this.isOld(record, ageMs)) return Promise.resolve();
    return this.acknowledged(this.enqueue(record), signal);
  }

  /** Who waits is let go; the outputs go off. */
  close(): void {
    this.cancelHeartbeat?.();
    this.cancelDebounce?.();
    this.busy?.cancel();
    this.busy = null;
    this.closed = true;
    for (const { waiters } of this.queue.splice(0)) for (const waiter of waiters) waiter.reject(closedError());
    this.shown = null;
  }

  readBits(kind: 'coils' | 'inputs', address: number, count: number): readonly boolean[] | null {
    const { inputs } = this;
    const all = kind === 'coils' ? COILS.map((name) => this.isOn(name)) : INPUTS.map((name) => inputs[name]);
    return address + count <= all.length ? all.slice(address, address + count) : null;
  }

  readRegisters(kind: 'holding' | 'input', address: number, count: number): readonly number[] | null {
    const all = kind === 'holding' ? this.part : this.registers;
    return address + count <= all.length ? all.slice(address, address + count) : null;
  }

  writeCoils(address: number, values: readonly boolean[]): boolean {
    if (address + values.length > COILS.length) return false;
    values.forEach((value, at) => this.setCoil(COILS[address + at] as (typeof COILS)[number], value));
    return true;
  }

  writeRegisters(address: number, values: readonly number[]): boolean {
    if (address + values.length > PART_REGISTERS) return false;
    this.part.splice(address, values.length, ...values);
    return true;
  }

  private isOn(name: (typeof COILS)[number]): boolean {
    return this.coils.get(name) ?? false;
  }

  private get isReady(): boolean {
    return this.busy === null && this.shown === null && !this.isOn('trigger') && !this.isOn('ack');
  }

  private setCoil(name: (typeof COILS)[number], value: boolean): void {
    const wasReady = this.isReady;
    const rises = value && !this.isOn(name);
    this.coils.set(name, value);
    if (name === 'trigger') {
      this.cancelDebounce?.();
      this.cancelDebounce = null;
      if (rises) this.onTrigger(wasReady);
    } else if (rises) {
      if (name === 'ack') this.onAck();
      else this.onReset();
    }
    this.showNext();
  }

  private onTrigger(wasReady: boolean): void {
    if (!wasReady || this.fire === null) {
      this.refuse();
    } else if (this.options.config.debounce === 0) {
      this.start();
    } else {
      this.cancelDebounce = this.options.clock.after(this.options.config.debounce, () => this.start());
    }
  }

  private refuse(): void {
    this.counters.refused++;
    this.put32(REGISTERS.refusedTriggers, this.counters.refused);
  }

  private start(): void {
    const { clock, config } = this.options;
    const partId = checkedPartId(textOfRegisters(this.part));
    const busy = { cancel: clock.after(config.answerWithin, () => this.answerWithoutResult(busy)) };
    this.busy = busy;
    try {
      this.fire?.({ partId, key: null, onResult: (record) => this.onResult(busy, record) });
      this.counters.fired++;
    } catch {
      this.refuse();
      this.answerWithoutResult(busy);
    }
  }

  private answerWithoutResult(busy: { cancel(): void }): void {
    if (this.busy !== busy) return;
    busy.cancel();
    this.busy = null;
    this.fault = true;
    this.show({ key: null, verdict: 'ERROR' }, null);
  }

  private onResult(busy: { cancel(): void }, record: ResultRecord): void {
    if (this.busy !== busy) {
      // The PLC has had its answer, or has reset: this one would be taken for the next part's.
      this.counters.late++;
      this.put32(REGISTERS.lateResults, this.counters.late);
      this.known.add(recordKey(record));
      return;
    }
    busy.cancel();
    this.busy = null;
    this.fault = false;
    this.enqueue(record);
  }

  private onAck(): void {
    if (this.shown === null) return;
    const { key } = this.shown;
    this.shown = null;
    if (key === null) return;
    this.known.add(key);
    const [done] = this.queue.splice(0, 1);
    for (const waiter of done?.waiters ?? []) waiter.resolve();
  }

  private onReset(): void {
    this.fault = false;
    this.busy?.cancel();
    this.busy = null;
    this.onAck();
    this.shown = null;
  }

  private enqueue(record: ResultRecord): Queued {
    const queued: Queued = { record, waiters: new Set() };
    this.queue.push(queued);
    this.showNext();
    return queued;
  }

  /** A time far ahead is no better than one far back: the clock was set meanwhile. */
  private isOld({ creationTime }: ResultRecord, ageMs?: number): boolean {
    const { wallClock, config } = this.options;
    const isOld = (ageMs ?? Math.abs(wallClock() - Date.parse(creationTime))) > config.forgetAfter;
    if (isOld) this.counters.stale++;
    return isOld;
  }

  private acknowledged(queued: Queued, signal: AbortSignal): Promise<void> {
    const { clock, config } = this.options;
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        queued.waiters.delete(waiter);
        done();
      };
      const giveUp = (error: unknown): void => {
        settle(() => reject(error));
        // What waits behind the outputs is not shown by and by: the outbox brings it again.
        if (queued.waiters.size === 0 && this.queue[0] !== queued)
          this.queue = this.queue.filter((other) => other !== queued);
      };
      const waiter = { resolve: () => settle(resolve), reject: (error: unknown) => settle(() => reject(error)) };
      const late = new KerfError(
        'SINK_UNREACHABLE',
        `the PLC did not acknowledge within ${config.ackWithin} ms; is it connected?`,
      );
      const onAbort = (): void => giveUp(signal.reason);
      const cancel = clock.after(config.ackWithin, () => giveUp(late));
      signal.addEventListener('abort', onAbort, { once: true });
      queued.waiters.add(waiter);
    });
  }

  /** When the outputs are off and the PLC has taken its `ack` back. */
  private showNext(): void {
    const [next] = this.queue;
    if (next === undefined || this.shown !== null || this.busy !== null || this.isOn('ack')) return;
    this.show({ key: recordKey(next.record), verdict: next.record.verdict }, next.record);
  }

  private show(shown: Shown, record: ResultRecord | null): void {
    this.shown = shown;
    this.isProvisional = record?.isPartial ?? false;
    const { registers } = this;
    registers[REGISTERS.sequence] = ((registers[REGISTERS.sequence] ?? 0) + 1) & 0xffff;
    registers[REGISTERS.verdict] = VERDICT_NUMBERS[shown.verdict];
    registers[REGISTERS.scoreThousandths] = clamp((record?.score ?? 0) * 1000);
    registers[REGISTERS.totalMs] = clamp(record?.totalMs ?? this.options.config.answerWithin);
    this.put32(REGISTERS.recordKey, shown.key === null ? 0 : numberOfKey(shown.key));
    registers.splice(
      REGISTERS.partId,
      PART_REGISTERS,
      ...(record === null ? this.part : registersOfText(record.partId ?? '')),
    );
    this.count(REGISTERS.total);
    if (shown.verdict === 'PASS') this.count(REGISTERS.passed);
    else if (shown.verdict === 'NG') this.count(REGISTERS.rejected);
    else this.count(shown.verdict === 'REVIEW' ? REGISTERS.reviewed : REGISTERS.unread);
  }

  private count(at: number): void {
    this.put32(at, ((this.registers[at] ?? 0) * 65_536 + (this.registers[at + 1] ?? 0) + 1) % 2 ** 32);
  }

  private put32(at: number, value: number): void {
    this.registers[at] = Math.floor(value / 65_536) & 0xffff;
    this.registers[at + 1] = value & 0xffff;
  }

  private keepBeating(): void {
    this.cancelHeartbeat = this.options.clock.after(this.options.config.heartbeat, () => {
      this.beat = !this.beat;
      this.registers[REGISTERS.heartbeat] = ((this.registers[REGISTERS.heartbeat] ?? 0) + 1) & 0xffff;
      this.keepBeating();
    });
  }
}

function closedError(): KerfError {
  return new KerfError('CLOSED', 'the Modbus door was closed');
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function clamp(value: number): number {
  return Number.isFinite(value) ? Math.min(65_535, Math.max(0, Math.round(value))) : 0;
}
