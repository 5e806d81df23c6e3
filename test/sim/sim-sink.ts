// A sink outside the devices: what it has committed outlives them. It blocks, hangs and fails after the fact.

import { KerfError } from '@kerf/protocol';
import type { Sink } from '../../packages/edge-runtime/src/sinks/sink.ts';
import type { ResultRecord } from '../../packages/edge-runtime/src/station/result-record.ts';
import type { ProcessClock } from './process-clock.ts';
import type { World } from './world.ts';

export type SinkMode = 'takes' | 'refuses' | 'hangs' | 'fails-after-commit';

export class SimSink {
  readonly name: string;
  mode: SinkMode = 'takes';
  /** By id and revision, in the order of their first coming. */
  readonly committed = new Map<string, ResultRecord>();
  /** Deliveries of what was there already. */
  repeated = 0;
  readonly #world: World;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
  }

  /** The sink as a device's process sees it. */
  seenBy(clock: ProcessClock): Sink {
    return {
      name: this.name,
      deliver: ({ record }, signal) => this.#deliver(record, signal, clock),
      close: async () => {},
    };
  }

  async #deliver(record: ResultRecord, signal: AbortSignal, clock: ProcessClock): Promise<void> {
    const world = this.#world;
    await clock.sleep(world.between(0.2, 2));
    const { mode } = this;
    if (mode === 'refuses') throw new KerfError('LINK_LOST', 'the simulated sink is blocked');
    if (mode === 'hangs') {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      // One that was told to stop may have done it all the same.
      if (world.chance(0.5)) this.#commit(record);
      throw new KerfError('DEADLINE_EXCEEDED', 'the simulated sink hung');
    }
    if (!(world.plants.dropsAcks && world.chance(0.02))) this.#commit(record);
    if (mode === 'fails-after-commit')
      throw new KerfError('LINK_LOST', 'the simulated sink failed after it had committed');
    await clock.sleep(world.between(0.2, 2));
  }

  #commit(record: ResultRecord): void {
    const key = `${record.resultId}#${record.revision}`;
    if (this.committed.has(key)) {
      this.repeated++;
      return;
    }
    this.#world.note(`${this.name} has ${key} ${record.verdict}${record.isPartial ? ' provisional' : ''}`);
    this.committed.set(key, record);
  }
}
