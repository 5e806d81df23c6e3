// The station's thresholds as the screen Thresholds asks for them: what they are, what others would do, and the change itself.
import type { Caller, CallParams, ThresholdsChange, ThresholdsView } from '@kerf/bridge';
import type { OpenedStation, StationFile } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { refused } from '../refusal.ts';
import { writeThresholds } from './edit-thresholds.ts';
import { labelledScores, scoreViews } from './labelled-scores.ts';
import { previewThresholds } from './preview-thresholds.ts';
import type { ResultHistory } from './result-history.ts';
import type { CallsOf } from './service-calls.ts';

/** Parts that a histogram and a preview look at. */
const RECENT_PARTS = 2_000;
/** Changes of thresholds that are remembered. */
const MAX_CHANGES = 200;

export interface ThresholdDeskParts {
  readonly opened: OpenedStation;
  readonly file: StationFile;
  readonly history: ResultHistory;
}

export class ThresholdDesk {
  private readonly parts: ThresholdDeskParts;
  private readonly changes: ThresholdsChange[] = [];
  private saving: Promise<unknown> = Promise.resolve();

  constructor(parts: ThresholdDeskParts) {
    this.parts = parts;
  }

  readonly calls: CallsOf<'thresholds'> = {
    'thresholds.view': () => this.view,
    'thresholds.scores': () => scoreViews(this.parts.history.latest(RECENT_PARTS), this.labelled),
    'thresholds.preview': (thresholds) =>
      previewThresholds(this.parts.history.latest(RECENT_PARTS), thresholds, this.labelled),
    'thresholds.save': (change, caller) => {
      // One after the other: the second of two must see that the first was there.
      const saved = this.saving.then(() => this.save(change, caller));
      this.saving = saved.catch(() => {});
      return saved;
    },
    'thresholds.history': () => [...this.changes].reverse(),
  };

  get view(): ThresholdsView {
    const { thresholds, station } = this.parts.opened;
    const { passBelow, ngAbove } = thresholds;
    return { passBelow, ngAbove, version: station.snapshot.thresholdsVersion, isEditable: true };
  }

  private get labelled(): ReturnType<typeof labelledScores> {
    const { samples, station } = this.parts.opened;
    return labelledScores(samples, station.snapshot.release);
  }

  private async save(
    { passBelow, ngAbove, from, note }: CallParams<'thresholds.save'>,
    caller: Caller,
  ): Promise<ThresholdsView> {
    if (!(passBelow <= ngAbove)) {
      throw new KerfError('INVALID_ARGUMENT', `PASS below ${passBelow} and NG from ${ngAbove} on overlap: swap them`);
    }
    if (from !== this.view.version) {
      throw refused({ kind: 'thresholds-changed' });
    }
    // The file first: what the line does must be what it will do after a restart.
    await writeThresholds(this.parts.file.path, { passBelow, ngAbove });
    await this.parts.opened.setThresholds({ passBelow, ngAbove });
    const { version } = this.view;
    this.changes.push({ version, passBelow, ngAbove, at: new Date().toISOString(), by: caller.name, note });
    if (this.changes.length > MAX_CHANGES) this.changes.shift();
    return this.view;
  }
}
