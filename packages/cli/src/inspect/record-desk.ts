// Records as the line makes them -> the history, and what readers of `result` and `live` are told, in order.
import type { CallName, LiveView, PictureView } from '@kerf/bridge';
import type { ResultRecord, StationEvent } from '@kerf/edge-runtime';
import { systemClock } from '@kerf/protocol';
import { encodedPicture } from './encoded-picture.ts';
import { ResultHistory } from './result-history.ts';
import type { ServiceCalls } from './service-calls.ts';

/** Parts that the means of bytes are over. */
const MEAN_PARTS = 50;
/** Pictures that wait to be encoded; of more, only the record is kept. */
const MAX_WAITING_PICTURES = 4;

export interface RecordDeskParts {
  onResult(record: ResultRecord): void;
  onLive(live: LiveView): void;
}

export class RecordDesk {
  readonly history = new ResultHistory();
  private readonly parts: RecordDeskParts;
  private pictureBytes: number[] = [];
  /** Records are shown in the order in which they came, whatever their pictures take to encode. */
  private showing: Promise<void> = Promise.resolve();
  private waitingPictures = 0;
  private newest: LiveView | null = null;

  constructor(parts: RecordDeskParts) {
    this.parts = parts;
  }

  readonly calls: ServiceCalls<Extract<CallName, `results.${string}`>> = {
    'results.list': ({ before, limit, verdicts }) => this.history.list(before, limit, verdicts),
    'results.get': ({ resultId }) => this.history.get(resultId),
    'results.picture': ({ resultId }) => this.history.picture(resultId),
  };

  /** Means of the last parts, null before the first. */
  get means(): { readonly bytesUpPerPart: number | null; readonly pictureBytesPerPart: number | null } {
    const sent = this.history.latest(MEAN_PARTS).map(({ bytesUp }) => bytesUp);
    return { bytesUpPerPart: mean(sent), pictureBytesPerPart: mean(this.pictureBytes) };
  }

  /** What the live view showed last; null before the first part. */
  get live(): LiveView | null {
    return this.newest;
  }

  held(resultId: string): { record: ResultRecord; picture: PictureView } | null {
    const record = this.history.get(resultId);
    const picture = this.history.picture(resultId);
    return record === null || picture === null ? null : { record, picture };
  }

  see({ record, picture: delivered, takenMs }: Extract<StationEvent, { kind: 'record' }>): void {
    if (delivered?.original.kind === 'encoded') {
      this.pictureBytes = [...this.pictureBytes, delivered.original.bytes.byteLength].slice(-MEAN_PARTS);
    }
    const isShown = delivered !== null && this.waitingPictures < MAX_WAITING_PICTURES;
    if (isShown) this.waitingPictures++;
    const seenMs = takenMs ?? systemClock.nowMs();
    this.showing = this.showing.then(async () => {
      const picture = isShown ? await encodedPicture(delivered).catch(() => null) : null;
      if (isShown) this.waitingPictures--;
      this.show({ record, picture, takenMs: seenMs });
    });
  }

  private show(live: LiveView): void {
    this.history.add(live.record, live.picture);
    this.parts.onResult(live.record);
    if (live.record.revision > 0) return;
    this.newest = live;
    this.parts.onLive(live);
  }
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
