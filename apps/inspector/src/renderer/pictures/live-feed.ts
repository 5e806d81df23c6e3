// The bridge's live parts -> the canvas that shows them, and the page, which is told what is on the screen.
import type { InspectorBridge, LiveView, PictureView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { Clock } from '@kerf/protocol';
import type { CanvasPainter, Painted, Subject } from './canvas-painter.ts';
import { StationClock } from './station-clock.ts';

/** A part of the live view, as the page hears of it once its picture is on the screen. */
export interface ShownPart {
  readonly record: ResultRecord;
  /** Whether there is a picture of it. */
  readonly hasPicture: boolean;
  /** Pixels of the longer side that a thin link leaves of those that the station has; null where it leaves all. */
  readonly reduced: { readonly to: number; readonly of: number } | null;
  /** How long ago it was taken, or longer. */
  readonly ageMs: number;
}

export class LiveFeed {
  private readonly clock: Clock;
  private readonly stationClock: StationClock;
  private readonly onShown: (shown: ShownPart) => void;
  private painter: CanvasPainter | null = null;
  /** Nobody knows yet how old it is: the clocks are not known to each other. */
  private early: LiveView | null = null;
  private newest: Subject | null = null;
  private told: Subject | null = null;

  constructor(bridge: InspectorBridge, clock: Clock, onShown: (shown: ShownPart) => void) {
    this.clock = clock;
    this.stationClock = new StationClock(bridge, clock, () => {
      if (this.early !== null) this.take(this.early);
    });
    this.onShown = onShown;
    bridge.subscribe('live', (view) => this.take(view));
  }

  /** The canvas gets the newest part at once, and all that follow. */
  show(painter: CanvasPainter): void {
    this.painter = painter;
    if (this.newest !== null) painter.show(this.newest);
  }

  leave(painter: CanvasPainter): void {
    if (this.painter === painter) this.painter = null;
  }

  /** The page hears of a part when its picture is there, so that both change together. */
  painted({ subject }: Painted): void {
    this.tell(subject);
  }

  /** What cannot be decoded has its record all the same. */
  failed(subject: Subject): void {
    this.tell(subject);
  }

  private take(view: LiveView): void {
    const { record, picture } = view;
    const takenAtMs = this.stationClock.earliest(view.takenMs);
    this.early = takenAtMs === null ? view : null;
    if (takenAtMs === null) return;
    this.newest = picture === null ? null : { record, picture, takenAtMs };
    if (this.newest === null || this.painter === null) this.say(record, picture, takenAtMs);
    else this.painter.show(this.newest);
  }

  private tell(subject: Subject): void {
    if (this.told === subject || subject.takenAtMs === null) return;
    this.told = subject;
    this.say(subject.record, subject.picture, subject.takenAtMs);
  }

  private say(record: ResultRecord, picture: PictureView | null, takenAtMs: number): void {
    const ageMs = this.clock.nowMs() - takenAtMs;
    this.onShown({ record, hasPicture: picture !== null, reduced: reductionOf(picture), ageMs });
  }
}

function reductionOf(picture: PictureView | null): ShownPart['reduced'] {
  if (picture?.reducedTo === undefined) return null;
  const of = Math.max(picture.width, picture.height);
  return picture.reducedTo < of ? { to: picture.reducedTo, of } : null;
}
