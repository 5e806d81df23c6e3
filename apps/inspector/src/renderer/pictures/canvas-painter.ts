// Pictures for one canvas -> pixels on it, in a worker: decoded two at a time, the newest first, marked when they get old.
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { Clock } from '@kerf/protocol';
import { ageMark } from './age-mark.ts';
import { type DecodedPicture, decodePicture } from './decode-picture.ts';
import { drawPart } from './draw-part.ts';

/** How a canvas is seen. */
export interface Look {
  /** Device pixels that it is wide on the screen; pictures are decoded no wider. 0 where nobody knows. */
  readonly seenWidth: number;
  readonly showOverlay: boolean;
  readonly locale: string;
}

export interface Subject {
  readonly record: ResultRecord;
  readonly picture: PictureView;
  /** When it was taken, by the painter's clock, or earlier; null of a still, which has no age. */
  readonly takenAtMs: number | null;
}

/** What is on the canvas now. */
export interface Painted {
  readonly subject: Subject;
  /** Null of a still. */
  readonly ageMs: number | null;
  readonly isMarked: boolean;
  /** The next word comes by then, unless it is replaced before; null of a still. */
  readonly holdsMs: number | null;
}

export interface PainterParts {
  readonly canvas: OffscreenCanvas;
  readonly clock: Clock;
  readonly look: Look;
  onPainted(painted: Painted): void;
  /** This browser cannot decode it: the canvas stays as it is. */
  onFailed(subject: Subject): void;
}

/** Pictures that are decoded at once: browsers do that on threads of their own, and the next need not wait for the one before. */
const DECODED_AT_ONCE = 2;

export class CanvasPainter {
  private readonly parts: PainterParts;
  private look: Look;
  private waiting: Subject | null = null;
  private decoding = 0;
  /** Of the pictures whose decoding has begun, and of the one that is shown. */
  private begun = 0;
  private shownTurn = 0;
  private isHeld = false;
  private isClosed = false;
  private shown: { readonly subject: Subject; readonly decoded: DecodedPicture } | null = null;
  private cancelLook: () => void = () => {};

  constructor(parts: PainterParts) {
    this.parts = parts;
    this.look = parts.look;
  }

  show(subject: Subject): void {
    this.waiting = subject;
    this.work();
  }

  setLook(look: Look): void {
    this.look = look;
    const { shown } = this;
    if (shown === null) return;
    const isTooSmall = widthFor(look, shown.subject.picture) > shown.decoded.width;
    if (this.decoding === 0 && isTooSmall) this.show(shown.subject);
    else this.compose();
  }

  /** While nobody sees the page nothing is decoded, and what it comes back with is marked, however long that takes. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (isHeld || this.waiting === null) this.compose();
    else this.work();
  }

  close(): void {
    this.isClosed = true;
    this.cancelLook();
    this.waiting = null;
    this.shown?.decoded.source.close();
    this.shown = null;
  }

  /**
   * What has been begun is drawn even if a newer one has come meanwhile: where parts come faster than pictures can be
   * decoded, the newest of them are shown, not none.
   */
  private work(): void {
    while (!this.isHeld && this.waiting !== null && this.decoding < DECODED_AT_ONCE) {
      const next = this.waiting;
      this.waiting = null;
      void this.draw(next, ++this.begun);
    }
  }

  private async draw(subject: Subject, turn: number): Promise<void> {
    this.decoding++;
    const { look } = this;
    try {
      const decoded = await decodePicture(subject.picture, widthFor(look, subject.picture));
      // A newer one was quicker.
      if (this.isClosed || turn < this.shownTurn) return decoded.source.close();
      this.shown?.decoded.source.close();
      this.shown = { subject, decoded };
      this.shownTurn = turn;
      this.compose();
      // It was to be seen larger meanwhile.
      const isLarger = widthFor(this.look, subject.picture) > widthFor(look, subject.picture);
      if (isLarger && turn === this.begun) this.waiting ??= subject;
    } catch {
      this.parts.onFailed(subject);
    } finally {
      this.decoding--;
      this.work();
    }
  }

  /** Picture, overlay and mark go onto the canvas at once. */
  private compose(): void {
    this.cancelLook();
    if (this.shown === null) return;
    const { subject, decoded } = this.shown;
    const { clock, canvas } = this.parts;
    const ageMs = subject.takenAtMs === null ? null : clock.nowMs() - subject.takenAtMs;
    const { text, holdsMs } = this.mark(ageMs);
    const scale = decoded.width / subject.picture.width;
    drawPart(canvas, { decoded, marked: this.look.showOverlay ? subject.record : null, scale, age: text });
    this.parts.onPainted({ subject, ageMs, isMarked: text !== null, holdsMs });
    if (holdsMs !== null) this.cancelLook = clock.after(holdsMs + 1, () => this.compose());
  }

  private mark(ageMs: number | null): { readonly text: string | null; readonly holdsMs: number | null } {
    if (ageMs === null) return { text: null, holdsMs: null };
    return this.isHeld ? { text: '…', holdsMs: null } : ageMark(ageMs, this.look.locale);
  }
}

/** No larger than it is seen: the rest is scaled away where it is decoded. */
function widthFor({ seenWidth }: Look, { width }: { readonly width: number }): number {
  return seenWidth > 0 && seenWidth < width ? seenWidth : width;
}
