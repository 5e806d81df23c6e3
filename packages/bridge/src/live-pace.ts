// How long a reader takes for live pictures -> how large the next one may be, so that a thin link shows the line as it is now.

/** A live picture made smaller: pixels of its longer side, and its JPEG quality of 0 to 100. */
export interface PreviewSize {
  readonly longerSide: number;
  readonly quality: number;
}

/** From the picture as the station has it (null) down to one that 256 kbit/s carry several times a second. */
const STEPS: readonly (PreviewSize | null)[] = [
  null,
  { longerSide: 960, quality: 75 },
  { longerSide: 640, quality: 70 },
  { longerSide: 400, quality: 60 },
  { longerSide: 256, quality: 50 },
];
/** A picture that takes longer makes the next one smaller. */
const LONG_MS = 250;
/** A larger one is tried where it would take less than this, by what the last ones took. */
const ROOM_MS = 150;
/** Pictures of one size before a larger one is tried. */
const SETTLED = 5;
/** A link whose time is not that of its bytes is left alone for so long. */
const HELD_MS = 30_000;
/** What one step of size makes of the bytes where nobody has seen it: the ratio of the areas, rounded up. */
const STEP_BYTES = 2.6;

export class LivePace {
  private step = 0;
  /** Of the present size. */
  private count = 0;
  private meanMs = 0;
  /** Of each size, as seen last. */
  private readonly bytes: number[] = [];
  /** What the size above took, right after a step down. */
  private beforeMs: number | null = null;
  private heldUntilMs = 0;

  /** Of the next picture; null for the picture as it is. */
  get size(): PreviewSize | null {
    return STEPS[this.step] ?? null;
  }

  /**
   * @param tookMs from sending a picture to the reader's word that it has it
   * @param bytes of the picture
   * @param nowMs by a clock that nobody sets
   */
  took(tookMs: number, bytes: number, nowMs: number): void {
    this.meanMs = this.count++ === 0 ? tookMs : (this.meanMs + tookMs) / 2;
    this.bytes[this.step] = bytes;
    const { beforeMs } = this;
    this.beforeMs = null;
    if (beforeMs !== null && tookMs > LONG_MS && this.wasInVain(tookMs, beforeMs)) {
      // Far away, not thin: smaller pictures come no sooner.
      this.go(-1);
      this.heldUntilMs = nowMs + HELD_MS;
    } else if (tookMs > LONG_MS && this.step < STEPS.length - 1 && nowMs >= this.heldUntilMs) {
      const before = this.meanMs;
      this.go(1);
      this.beforeMs = before;
    } else if (this.count >= SETTLED && this.step > 0 && this.expectedAboveMs(bytes) < ROOM_MS) {
      this.go(-1);
    }
  }

  /** Much fewer bytes took almost as long. */
  private wasInVain(tookMs: number, beforeMs: number): boolean {
    const [above = 0, here = 0] = [this.bytes[this.step - 1], this.bytes[this.step]];
    return here < 0.6 * above && tookMs > 0.8 * beforeMs;
  }

  private expectedAboveMs(bytes: number): number {
    const above = this.bytes[this.step - 1] ?? bytes * STEP_BYTES;
    return this.meanMs * Math.max(1, above / Math.max(1, bytes));
  }

  private go(by: 1 | -1): void {
    this.step += by;
    this.count = 0;
  }
}
