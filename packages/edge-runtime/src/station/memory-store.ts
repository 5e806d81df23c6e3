// Records -> sinks, one after the other, with nothing that outlives the process.
import { KerfError, messageOf } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { Delivery, Sink } from '../sinks/sink.ts';
import { MAX_PROVISIONAL_BYTES, MAX_PROVISIONAL_FRAMES } from './options.ts';
import type { ResultRecord } from './result-record.ts';
import type { ResultStore } from './result-store.ts';

interface Kept {
  readonly record: ResultRecord;
  readonly picture: Picture;
}

export class MemoryStore implements ResultStore {
  private sinks: readonly Sink[];
  private readonly onFault: (sink: string, message: string) => void;
  private readonly kept = new Map<string, Kept>();
  private keptBytes = 0;

  constructor(sinks: readonly Sink[], onFault: (sink: string, message: string) => void) {
    this.sinks = sinks;
    this.onFault = onFault;
  }

  setSinks(sinks: readonly Sink[]): void {
    this.sinks = sinks;
  }

  get unsettled(): readonly { readonly resultId: string }[] {
    return [...this.kept.values()].map(({ record }) => record);
  }

  readUnsettled(resultId: string): Promise<Kept | null> {
    return Promise.resolve(this.kept.get(resultId) ?? null);
  }

  async put(record: ResultRecord, extras: Parameters<ResultStore['put']>[1] = {}): Promise<void> {
    const { picture = null, delivered = null } = extras;
    this.forget(record.resultId);
    if (record.isPartial && picture !== null) this.keep({ record, picture });
    const delivery: Delivery = { record, picture: delivered };
    for (const sink of this.sinks) {
      await sink.deliver(delivery, new AbortController().signal).catch((error: unknown) => {
        this.onFault(sink.name, KerfError.is(error) ? `${error.code}: ${error.message}` : messageOf(error));
      });
    }
  }

  private keep(one: Kept): void {
    this.kept.set(one.record.resultId, one);
    this.keptBytes += bytesOf(one.picture);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MAX_PROVISIONAL_FRAMES && this.keptBytes <= MAX_PROVISIONAL_BYTES) return;
      this.forget(oldest);
    }
  }

  private forget(resultId: string): void {
    const known = this.kept.get(resultId);
    if (known === undefined) return;
    this.kept.delete(resultId);
    this.keptBytes -= bytesOf(known.picture);
  }
}

function bytesOf(picture: Picture): number {
  return picture.kind === 'encoded' ? picture.bytes.byteLength : picture.image.data.byteLength;
}
