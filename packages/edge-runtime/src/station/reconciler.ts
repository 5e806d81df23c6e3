// Provisional records -> final ones, when the model that was to judge the part can.
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import { isFrameAtFault, type Judged, type Judges, judgeAnswer, unanswered } from './answer.ts';
import type { MainModel } from './inferer.ts';
import { partReason } from './judge/part-reason.ts';
import { nextRecord, type RecordContext } from './make-record.ts';
import {
  RECONCILE_DEADLINE_MS,
  RECONCILE_INTERVAL_MS,
  RECONCILE_MAX_INTERVAL_MS,
  RECONCILE_ROOM_MS,
  WORKERS_ALONE,
  WORKERS_WITH_CLOUD,
} from './options.ts';
import { prepareFor, type Reading } from './reading.ts';
import { ReconcileLimit } from './reconcile-limit.ts';
import type { Reason, ResultRecord } from './result-record.ts';
import type { ResultStore } from './result-store.ts';
import type { SpareTime } from './spare-time.ts';

export interface ReconcilerParts {
  readonly store: ResultStore;
  readonly main: MainModel;
  readonly reading: Reading;
  readonly clock: Clock;
  readonly judges: () => Judges;
  readonly context: () => RecordContext;
  /** True while frames of the line want the model: they go first. */
  readonly isBusy: () => boolean;
  readonly spare: SpareTime;
  /** After this time a provisional verdict stands. */
  readonly patienceMs: number;
  onReconciled(record: ResultRecord, before: ResultRecord): void;
}

export class Reconciler {
  private readonly parts: ReconcilerParts;
  private waitMs = RECONCILE_INTERVAL_MS;
  private cancel: (() => void) | null = null;
  private running: Promise<void> | null = null;
  private interrupt = new AbortController();
  /** Sweeps in a row that the model, ready as it was, did not answer. */
  private failures = 0;
  private stopped = false;
  /** When each was first seen unsettled, by both clocks: how long it waits from then on is not a matter of the wall's. */
  private firstSeen = new Map<string, { readonly wallMs: number; readonly atMs: number }>();

  constructor(parts: ReconcilerParts) {
    this.parts = parts;
  }

  start(): void {
    this.later();
  }

  /**
   * Resolves when nothing is in work.
   * @param lasting false: the store does not outlive the station, so that every provisional verdict stands now.
   */
  async stop(lasting: boolean): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    // Over a slow link one may take half a minute, and the next run asks again.
    if (lasting) this.interrupt.abort();
    await this.running;
    if (lasting) return;
    const why = partReason({ kind: 'station-ended' });
    for (const resultId of this.parts.store.unsettled.map((one) => one.resultId)) {
      const kept = await this.read(resultId);
      if (kept !== null) await this.finish(kept.record, standing(kept.record, why));
    }
  }

  /** Resolves when no part is being judged again, soon: what is under way is asked again later. */
  async rest(): Promise<void> {
    this.interrupt.abort();
    await this.running;
  }

  private later(): void {
    if (this.stopped) return;
    this.cancel = this.parts.clock.after(this.waitMs, () => {
      this.interrupt = new AbortController();
      this.running = this.sweep(this.interrupt.signal).finally(() => {
        this.running = null;
        this.later();
      });
    });
  }

  /** Oldest first, as many at a time as the model's way gains by, for as long as it works and nobody else wants it. */
  private async sweep(signal: AbortSignal): Promise<void> {
    const { store, main } = this.parts;
    const unsettled = store.unsettled.map((one) => one.resultId);
    this.see(unsettled);
    const limit = new ReconcileLimit(main.link() === null ? WORKERS_ALONE : WORKERS_WITH_CLOUD);
    const working = new Set<Promise<void>>();
    let turn: Promise<unknown> = Promise.resolve();
    let isFailing = false;
    let isWanted = false;
    for (const resultId of unsettled) {
      while (working.size >= limit.value) await Promise.race(working);
      isWanted = !this.isFree(working.size);
      if (isFailing || isWanted || this.stopped) break;
      const settling = this.settle(resultId, turn, limit, signal);
      turn = settling;
      const work: Promise<void> = settling.then((isSettled) => {
        isFailing ||= !isSettled;
        working.delete(work);
      });
      working.add(work);
    }
    await Promise.all(working);
    this.failures = isFailing && main.isReady() ? this.failures + 1 : 0;
    this.waitMs = isWanted
      ? RECONCILE_ROOM_MS
      : Math.min(RECONCILE_INTERVAL_MS * 2 ** this.failures, RECONCILE_MAX_INTERVAL_MS);
  }

  private isFree(underWay: number): boolean {
    const { clock, isBusy, spare } = this.parts;
    return !isBusy() && spare.isFree(clock.nowMs(), underWay);
  }

  /** @param turn of the part before: final records come in the order of their parts. @returns false of one that has to wait */
  private async settle(
    resultId: string,
    turn: Promise<unknown>,
    limit: ReconcileLimit,
    signal: AbortSignal,
  ): Promise<boolean> {
    const kept = await this.read(resultId);
    if (kept === null) return true;
    const judged = await this.again(kept.record, kept.picture, limit, signal);
    await turn;
    return judged !== null && (await this.finish(kept.record, judged));
  }

  /** Null while it cannot be judged: without a model a verdict stands when it is old enough. */
  private async again(
    record: ResultRecord,
    picture: Picture,
    limit: ReconcileLimit,
    signal: AbortSignal,
  ): Promise<Judged | null> {
    const { reading, main, judges, spare } = this.parts;
    if (this.isOld(record)) return standing(record, null);
    if (!main.isReady()) return null;
    try {
      const read = await prepareFor(main.inferer.inputs, picture, reading);
      if ('verdict' in read) return { ...unanswered(noReason, judges()), ...read, isPartial: false };
      const { inputs } = read;
      const outcome = await main.inferer.infer(inputs, { deadlineMs: RECONCILE_DEADLINE_MS, signal });
      if (outcome.kind === 'failed') return isFrameAtFault(outcome.code) ? standing(record, outcome) : null;
      const { totalMs } = outcome.spans;
      limit.see(totalMs);
      spare.judgedAgain(totalMs, main.roundTripMs());
      return judgeAnswer({ by: 'main', result: outcome }, judges(), read);
    } catch (error) {
      const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
      return isFrameAtFault(code) ? standing(record, { code, message }) : null;
    }
  }

  private async read(resultId: string): ReturnType<ResultStore['readUnsettled']> {
    // A disk that fails now may work later; the record stays where it is.
    return this.parts.store.readUnsettled(resultId).catch(() => null);
  }

  private see(unsettled: readonly string[]): void {
    const now = { wallMs: this.parts.context().wallMs, atMs: this.parts.clock.nowMs() };
    this.firstSeen = new Map(unsettled.map((resultId) => [resultId, this.firstSeen.get(resultId) ?? now]));
  }

  /** A wall clock that is set meanwhile, by years where a device had none at its start, makes no record older. */
  private isOld({ resultId, creationTime }: ResultRecord): boolean {
    const seen = this.firstSeen.get(resultId);
    if (seen === undefined) return false;
    const waitedMs = seen.wallMs - Date.parse(creationTime) + this.parts.clock.nowMs() - seen.atMs;
    return waitedMs > this.parts.patienceMs;
  }

  private async finish(before: ResultRecord, judged: Judged): Promise<boolean> {
    const record = nextRecord(before, judged, this.parts.context());
    try {
      await this.parts.store.put(record);
    } catch {
      // A store that is closed by now takes nothing more; the next run of the station asks again.
      return false;
    }
    this.parts.onReconciled(record, before);
    return true;
  }
}

/** The provisional verdict becomes the final one. */
function standing(record: ResultRecord, why: Reason | null): ResultRecord {
  return { ...record, reason: record.reason ?? why, isPartial: false };
}

const noReason = partReason({ kind: 'unreadable-picture' });
