// A running station's records and pictures -> the parts that are worth a label, kept; beside the line and never in its way.
import { createHash } from 'node:crypto';
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';
import type { Thresholds } from '@kerf/splitter';
import { type StationCause, type StationWhy, toldWhy } from '../../cause/station-cause.ts';
import { type Embedding, embeddingOf } from '../../samples/embedding.ts';
import { keepReasons } from '../../samples/keep-reasons.ts';
import type { SamplesConfig } from '../../samples/sample-config.ts';
import type { DeliveredPicture } from '../../sinks/sink.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import type { StationEvent } from '../../station/station.ts';
import type { Head } from '../look/open-head.ts';
import { encodedOriginal } from '../picture/encoded-original.ts';
import type { Sample } from './sample-file.ts';
import type { SampleStore } from './sample-store.ts';

/** Parts that wait to be kept; of more, none is kept: the line does not wait for this. */
const MAX_WAITING = 8;
/** Provisional parts whose picture is held until the final verdict says whether both agree. */
const MAX_PROVISIONAL = 32;

export interface SampleCounters {
  /** Since the start: parts looked at, kept, and left out because a kept one is like them. */
  readonly seen: number;
  readonly kept: number;
  readonly alike: number;
  /** Worth keeping and not kept: too many at a time, no room, or a fault. */
  readonly missed: number;
  /** Of the last that was missed; null where none was. */
  readonly fault: string | null;
  /** The same where the station itself found it; null where somebody else's words are all there is. */
  readonly cause: StationCause | null;
}

export interface SampleKeeperParts {
  readonly config: SamplesConfig;
  readonly store: SampleStore;
  readonly thresholds: () => Thresholds;
  /** Of the model that runs now; asked for at the first part worth keeping, and when another release judges. */
  readonly openHead: () => Promise<Head>;
  onKept(sample: Sample): void;
}

export class SampleKeeper {
  private readonly parts: SampleKeeperParts;
  private readonly counts = { seen: 0, kept: 0, alike: 0, missed: 0 };
  private why: StationWhy | null = null;
  private working: Promise<void> = Promise.resolve();
  private waiting = 0;
  private head: { readonly release: string; readonly opening: Promise<Head> } | null = null;
  private readonly provisional = new Map<string, { record: ResultRecord; picture: DeliveredPicture }>();

  constructor(parts: SampleKeeperParts) {
    this.parts = parts;
  }

  get counters(): SampleCounters {
    return { ...this.counts, ...toldWhy(this.why) };
  }

  /** To be called with every event of the station. */
  see(event: StationEvent): void {
    if (event.kind !== 'record') return;
    const { record } = event;
    const before = this.provisional.get(record.resultId) ?? null;
    if (before !== null) this.provisional.delete(record.resultId);
    const picture = event.picture ?? before?.picture ?? null;
    if (record.revision === 0) this.counts.seen++;
    if (picture === null) return;
    const reasons = keepReasons(
      record,
      before?.record ?? null,
      this.parts.config,
      this.parts.thresholds(),
      chanceOf(record),
    );
    if (record.isPartial) this.hold(record, picture);
    if (reasons.length === 0 || this.parts.store.has(record)) return;
    if (this.waiting >= MAX_WAITING) {
      this.miss({ kind: 'samples-too-fast' });
      return;
    }
    this.waiting++;
    this.working = this.working.then(async () => {
      try {
        await this.keep(record, reasons, picture);
      } catch (error) {
        this.miss(whyUnkept(error));
      } finally {
        this.waiting--;
      }
    });
  }

  /** Resolves when what has been seen is kept or left out. */
  async idle(): Promise<void> {
    // The station tells of a record in a later microtask than who waits for it.
    await new Promise((resolve) => void setImmediate(resolve));
    await this.working;
  }

  /** What has been seen is kept or missed; frees the head. */
  async close(): Promise<void> {
    await this.idle();
    await this.closeHead();
  }

  private hold(record: ResultRecord, picture: DeliveredPicture): void {
    this.provisional.set(record.resultId, { record, picture });
    const oldest = this.provisional.keys().next().value;
    if (this.provisional.size > MAX_PROVISIONAL && oldest !== undefined) this.provisional.delete(oldest);
  }

  private async keep(
    record: ResultRecord,
    reasons: ReturnType<typeof keepReasons>,
    picture: DeliveredPicture,
  ): Promise<void> {
    const { config, store } = this.parts;
    const embedding = await this.embed(record, picture);
    // Those kept by chance stand for all parts, repeated ones too.
    const mayRepeat = config.likeness === 1 || reasons.includes('random') || embedding === null;
    if (!mayRepeat && store.hasLike(embedding, config.likeness)) {
      this.counts.alike++;
      return;
    }
    const encoded = await encodedOriginal(picture.original);
    const { width, height } = await picture.pictures.sizeOf(picture.original).catch(() => ({ width: 0, height: 0 }));
    const sample = await store.add({ record, reasons, embedding, picture: encoded, width, height });
    if (sample === null) {
      this.miss({ kind: 'samples-quota' });
      return;
    }
    this.counts.kept++;
    this.parts.onKept(sample);
  }

  /** Null where the picture or the model gives none: such a part is kept without being compared. */
  private async embed({ release }: ResultRecord, picture: DeliveredPicture): Promise<Embedding | null> {
    if (this.head?.release !== release) {
      await this.closeHead();
      this.head = { release, opening: this.parts.openHead() };
    }
    try {
      const head = await this.head.opening;
      return embeddingOf((await head.run(picture.original)).map(({ tensor }) => tensor));
    } catch (error) {
      if (!KerfError.is(error) || error.code !== 'IMAGE_INVALID') this.why = messageOf(error);
      return null;
    }
  }

  private async closeHead(): Promise<void> {
    const head = await this.head?.opening.catch(() => null);
    this.head = null;
    await head?.dispose();
  }

  private miss(why: StationWhy): void {
    this.counts.missed++;
    this.why = why;
  }
}

/** Of a picture or a model nobody here knows more than they say themselves. */
function whyUnkept(error: unknown): StationWhy {
  const { code } = error as NodeJS.ErrnoException;
  if (isDiskFull(error)) return { kind: 'samples-disk-full' };
  return KerfError.is(error) || code === undefined ? messageOf(error) : { kind: 'samples-disk', error: code };
}

/** By the result's id: a part that is captured again after a crash is treated the same. */
function chanceOf({ resultId }: ResultRecord): number {
  return createHash('sha256').update(`sample ${resultId}`).digest().readUInt32BE(0) / 2 ** 32;
}
