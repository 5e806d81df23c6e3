// Pointers, wheel and keys over a canvas and over the handle of the cut line -> panning, zooming, taps and drags.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Points and distances in CSS pixels of the canvas. */
export interface Gestures {
  pan(dx: number, dy: number): void;
  zoom(factor: number, at?: Point): void;
  fit(): void;
  tap(at: Point): void;
  /** The handle is held and moved. */
  drag(at: Point): void;
}

const KEY_STEP = 80;
/** A pointer that moved less was a tap. */
const TAP_PX = 6;

/** Until `signal`. */
export function listenToGestures(
  canvas: HTMLCanvasElement,
  handle: HTMLElement,
  gestures: Gestures,
  signal: AbortSignal,
): void {
  const point = (event: MouseEvent): Point => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const fingers = new Fingers(gestures);
  canvas.addEventListener(
    'pointerdown',
    (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.down(event.pointerId, point(event));
    },
    { signal },
  );
  canvas.addEventListener('pointermove', (event) => fingers.move(event.pointerId, point(event)), { signal });
  canvas.addEventListener('pointerup', (event) => fingers.up(event.pointerId, point(event)), { signal });
  canvas.addEventListener('pointercancel', (event) => fingers.up(event.pointerId, null), { signal });
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      if (event.ctrlKey) gestures.zoom(Math.exp(-event.deltaY / 300), point(event));
      else gestures.pan(-event.deltaX, -event.deltaY);
    },
    { signal, passive: false },
  );
  canvas.addEventListener(
    'keydown',
    (event) => {
      if (pressed(event.key, gestures, canvas.clientHeight)) event.preventDefault();
    },
    { signal },
  );
  handle.addEventListener('pointerdown', (event) => handle.setPointerCapture(event.pointerId), { signal });
  handle.addEventListener(
    'pointermove',
    (event) => {
      if (handle.hasPointerCapture(event.pointerId)) gestures.drag(point(event));
    },
    { signal },
  );
}

/** Whether the key means something here. */
function pressed(key: string, gestures: Gestures, pageHeight: number): boolean {
  const pans: Readonly<Record<string, readonly [number, number]>> = {
    ArrowUp: [0, KEY_STEP],
    ArrowDown: [0, -KEY_STEP],
    ArrowLeft: [KEY_STEP, 0],
    ArrowRight: [-KEY_STEP, 0],
    PageUp: [0, pageHeight],
    PageDown: [0, -pageHeight],
  };
  const pan = pans[key];
  if (pan !== undefined) gestures.pan(...pan);
  else if (key === '+' || key === '=') gestures.zoom(1.25);
  else if (key === '-') gestures.zoom(0.8);
  else if (key === '0') gestures.fit();
  else return false;
  return true;
}

/** One pans and taps, two zoom. */
class Fingers {
  private readonly gestures: Gestures;
  private readonly held = new Map<number, Point>();
  private moved = 0;

  constructor(gestures: Gestures) {
    this.gestures = gestures;
  }

  down(id: number, at: Point): void {
    this.held.set(id, at);
    this.moved = this.held.size > 1 ? TAP_PX : 0;
  }

  move(id: number, now: Point): void {
    const before = this.held.get(id);
    if (before === undefined) return;
    this.held.set(id, now);
    const other = [...this.held].find(([each]) => each !== id)?.[1];
    if (other !== undefined) {
      const spread = (point: Point): number => Math.hypot(point.x - other.x, point.y - other.y);
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      this.gestures.zoom(spread(now) / Math.max(1, spread(before)), middle);
      return;
    }
    this.moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.moved >= TAP_PX) this.gestures.pan(now.x - before.x, now.y - before.y);
  }

  /** `at` is null where the browser took the pointer away. */
  up(id: number, at: Point | null): void {
    if (this.held.delete(id) && at !== null && this.moved < TAP_PX) this.gestures.tap(at);
  }
}
