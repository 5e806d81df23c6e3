// The sinks of a station file -> sinks that an outbox serves, and can be exchanged while it does.
import { isDeepStrictEqual } from 'node:util';
import type { Outbox } from '../../outbox/outbox.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { SinkConfig } from '../../sinks/sink-config.ts';
import { makeSink, type StationSinkSetup } from './make-sink.ts';

interface Held {
  readonly config: SinkConfig;
  readonly sink: Sink;
}

export class StationSinks {
  private held: readonly Held[];
  private readonly folder: string;
  private readonly setup: StationSinkSetup;

  /** @throws {KerfError} INVALID_ARGUMENT, for a secret that is not set say. */
  constructor(configs: readonly SinkConfig[], folder: string, setup: StationSinkSetup) {
    this.folder = folder;
    this.setup = setup;
    this.held = configs.map((config) => this.make(config));
  }

  get all(): readonly Sink[] {
    return this.held.map(({ sink }) => sink);
  }

  /**
   * Other sinks from now on; one that is as it was goes on. No record is lost: what a sink of the same name has not had
   * yet, the new one gets.
   * @throws {KerfError} INVALID_ARGUMENT; then everything stays as it was.
   */
  async replace(configs: readonly SinkConfig[], outbox: Outbox): Promise<void> {
    const next = configs.map(
      (config) => this.held.find((one) => isDeepStrictEqual(one.config, config)) ?? this.make(config),
    );
    const gone = this.held.filter((one) => !next.includes(one));
    await outbox.setSinks(next.map(({ sink }) => sink));
    this.held = next;
    for (const { sink } of gone) await sink.close();
  }

  async close(): Promise<void> {
    for (const { sink } of this.held) await sink.close();
  }

  private make(config: SinkConfig): Held {
    return { config, sink: makeSink(config, this.folder, this.setup) };
  }
}
