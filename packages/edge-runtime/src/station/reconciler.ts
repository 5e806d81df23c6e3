// Provisional records -> final ones, when the model that was to judge the part can.
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import { isFrameAtFault, type Judged, type Judges, judgeAnswer, unanswered } from './answer.ts';
import type { MainModel } from './inferer.ts';
import { partReason } from './judge/part-reason.ts';
import { nextRecord, type RecordContext } from './make-record.ts';
import { RECONCILE_DEADLINE_MS, RECONCILE_INTERVAL_MS, RECONCILE_MAX_INTERVAL_MS } from './options.ts';
import { prepareInputs, type Reading, readPictureOf } from './prepare-frame.ts';
import type { Reason, ResultRecord } from './result-record.ts';
import type { ResultStore } from './result-store.ts';

export interface ReconcilerParts {
  readonly store: ResultStore;
  readonly main: MainModel;
  readonly reading: Reading;
  readonly clock: Clock;
  readonly judges: () => Judges;
  readonly context: () => RecordContext;
  /** True while frames of the line want the model: they go first. */
  readonly isBusy: () => boolean;
  /** After this time a provisional verdict stands. */
  readonly patienceMs: number;
  onReconciled(record: ResultRecord, before: ResultRecord): void;
}

export class Reconciler {
  private readonly parts: ReconcilerParts;
  private waitMs = RECONCILE_INTERVAL_MS;
  private cancel: (() => void) | null = null;
  private running: Promise<void> | null = null;
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
    await this.running;
    if (lasting) return;
    const why = partReason({ kind: 'station-ended' });
    for (const resultId of this.parts.store.unsettled.map((one) => one.resultId)) {
      // A store that is closed by now takes nothing more.
      await this.standing(resultId, why).catch(() => {});
    }
  }

  /** Resolves when no part is being judged again; none is begun while the line is busy. */
  async rest(): Promise<void> {
    await this.running;
  }

  private later(): void {
    if (this.stopped) return;
    this.cancel = this.parts.clock.after(this.waitMs, () => {
      this.running = this.sweep().finally(() => {
        this.running = null;
        this.later();
      });
    });
  }

  /** Oldest first, one at a time, for as long as it works and nobody else wants the model. */
  private async sweep(): Promise<void> {
    const { store, main, isBusy } = this.parts;
    this.waitMs = RECONCILE_INTERVAL_MS;
    const unsettled = store.unsettled.map((one) => one.resultId);
    this.see(unsettled);
    for (const resultId of unsettled) {
      if (this.stopped || isBusy()) return;
      const isSettled = main.isReady() ? await this.again(resultId) : await this.tooOld(resultId);
      if (isSettled) continue;
      this.waitMs = Math.min(this.waitMs * 2, RECONCILE_MAX_INTERVAL_MS);
      return;
    }
  }

  private async again(resultId: string): Promise<boolean> {
    const { reading, main, judges } = this.parts;
    const kept = await this.read(resultId);
    if (kept === null) return true;
    const { record, picture } = kept;
    if (this.isOld(record)) return this.stand(record, null);
    const read = await readPictureOf(picture, reading);
    if ('verdict' in read) return this.finish(record, { ...unanswered(noReason, judges()), ...read, isPartial: false });
    try {
      const specs = { main: main.inferer.inputs ?? [], small: null };
      const { inputs, geometry } = await prepareInputs(read.image, specs, reading);
      const outcome = await main.inferer.infer(inputs, { deadlineMs: RECONCILE_DEADLINE_MS });
      if (outcome.kind === 'result') {
        return await this.finish(record, judgeAnswer({ by: 'main', result: outcome }, judges(), geometry));
      }
      return isFrameAtFault(outcome.code) ? await this.stand(record, outcome) : false;
    } catch (error) {
      const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
      return isFrameAtFault(code) ? this.stand(record, { code, message }) : false;
    }
  }

  private async read(resultId: string): ReturnType<ResultStore['readUnsettled']> {
    // A disk that fails now may work later; the record stays where it is.
    return this.parts.store.readUnsettled(resultId).catch(() => null);
  }

  /** Without a model a verdict that is old enough stands. */
  private async tooOld(resultId: string): Promise<boolean> {
    const kept = await this.read(resultId);
    return kept !== null && this.isOld(kept.record) && (await this.stand(kept.record, null));
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

  private async standing(resultId: string, why: Reason): Promise<void> {
    const kept = await this.read(resultId);
    if (kept !== null) await this.stand(kept.record, why);
  }

  /** The provisional verdict becomes the final one. */
  private stand(record: ResultRecord, why: Reason | null): Promise<boolean> {
    return this.finish(record, { ...record, reason: record.reason ?? why, isPartial: false });
  }

  private async finish(before: ResultRecord, judged: Judged): Promise<boolean> {
    const record = nextRecord(before, judged, this.parts.context());
    await this.parts.store.put(record);
    this.parts.onReconciled(record, before);
    return true;
  }
}

const noReason = partReason({ kind: 'unreadable-picture' });
