// Records and pictures of a station as they come -> what the Inspector can look back at, bounded in count and bytes.
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';

export interface HistoryLimits {
  /** Records kept; the oldest goes first. */
  readonly maxRecords: number;
  /** Bytes of pictures kept. Pictures of PASS go first, then the oldest. */
  readonly maxPictureBytes: number;
}

export const HISTORY_LIMITS: HistoryLimits = { maxRecords: 50_000, maxPictureBytes: 256 * 1024 * 1024 };

export class ResultHistory {
  private readonly limits: HistoryLimits;
  /** Oldest first; a map keeps the order in which ids came. */
  private readonly records = new Map<string, ResultRecord>();
  private readonly passed = new Map<string, PictureView>();
  private readonly others = new Map<string, PictureView>();
  private pictureBytes = 0;

  constructor(limits: HistoryLimits = HISTORY_LIMITS) {
    this.limits = limits;
  }

  add(record: ResultRecord, picture: PictureView | null): void {
    const known = this.records.get(record.resultId);
    if (known !== undefined && known.revision >= record.revision) return;
    // A later revision keeps the place of the first.
    this.records.set(record.resultId, record);
    if (picture !== null) this.keepPicture(record, picture);
    while (this.records.size > this.limits.maxRecords) this.forget(this.records.keys().next().value as string);
  }

  get(resultId: string): ResultRecord | null {
    return this.records.get(resultId) ?? null;
  }

  picture(resultId: string): PictureView | null {
    return this.others.get(resultId) ?? this.passed.get(resultId) ?? null;
  }

  /** Newest first. `before` leaves out itself and all newer ones. */
  list(
    before: string | null,
    limit: number,
    verdicts: readonly Verdict[] | null,
  ): { records: ResultRecord[]; hasMore: boolean } {
    const found: ResultRecord[] = [];
    let isBehind = before === null;
    for (const record of [...this.records.values()].reverse()) {
      if (!isBehind) {
        isBehind = record.resultId === before;
        continue;
      }
      if (verdicts !== null && !verdicts.includes(record.verdict)) continue;
      if (found.length === limit) return { records: found, hasMore: true };
      found.push(record);
    }
    return { records: found, hasMore: false };
  }

  /** The newest `count`, oldest first. */
  latest(count: number): ResultRecord[] {
    return [...this.records.values()].slice(-count);
  }

  private keepPicture({ resultId, verdict }: ResultRecord, picture: PictureView): void {
    this.dropPicture(resultId);
    (verdict === 'PASS' ? this.passed : this.others).set(resultId, picture);
    this.pictureBytes += picture.bytes.byteLength;
    while (this.pictureBytes > this.limits.maxPictureBytes) {
      const oldest = this.passed.keys().next().value ?? this.others.keys().next().value;
      if (oldest === undefined) return;
      this.dropPicture(oldest);
    }
  }

  private forget(resultId: string): void {
    this.records.delete(resultId);
    this.dropPicture(resultId);
  }

  private dropPicture(resultId: string): void {
    const picture = this.picture(resultId);
    if (picture === null) return;
    this.passed.delete(resultId);
    this.others.delete(resultId);
    this.pictureBytes -= picture.bytes.byteLength;
  }
}
