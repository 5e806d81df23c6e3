// The bridge's live parts -> the canvas that shows them, and the page, which is told what is on the screen.
import type { InspectorBridge, LiveView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { Clock } from '@kerf/protocol';
import type { CanvasPainter, Painted, Subject } from './canvas-painter.ts';
import { StationClock } from './station-clock.ts';

/** A part of the live view, as the page hears of it once its picture is on the screen. */
export interface ShownPart {
  readonly record: ResultRecord;
  /** Whether there is a picture of it. */
  readonly hasPicture: boolean;
}

export class LiveFeed {
  private readonly clock: Clock;
  private readonly stationClock: StationClock;
  private readonly onShown: (shown: ShownPart) => void;
  private painter: CanvasPainter | null = null;
  private newest: Subject | null = null;
  private told: Subject | null = null;

  constructor(bridge: InspectorBridge, clock: Clock, onShown: (shown: ShownPart) => void) {
    this.clock = clock;
    this.stationClock = new StationClock(bridge, clock);
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

  private take({ record, picture, takenMs }: LiveView): void {
    if (picture === null) {
      this.newest = null;
      this.onShown({ record, hasPicture: false });
      return;
    }
    // Before the clocks are known: as old as the line says that it was.
    const takenAtMs = this.stationClock.earliest(takenMs) ?? this.clock.nowMs() - record.totalMs;
    const subject = { record, picture, takenAtMs };
    this.newest = subject;
    if (this.painter === null) this.onShown({ record, hasPicture: true });
    else this.painter.show(subject);
  }

  private tell(subject: Subject): void {
    if (this.told === subject) return;
    this.told = subject;
    this.onShown({ record: subject.record, hasPicture: true });
  }
}
