// A value that tells who listens when it changes: what screens read, outside React.

export class Store<T> {
  private value: T;
  private readonly listeners = new Set<() => void>();

  private readonly schedule: (tell: () => void) => void;

  /** @param schedule when listeners hear of a value; they ask for the newest */
  constructor(value: T, schedule: (tell: () => void) => void = (tell) => tell()) {
    this.value = value;
    this.schedule = schedule;
  }

  readonly get = (): T => this.value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(value: T): void {
    this.value = value;
    this.schedule(this.tell);
  }

  private readonly tell = (): void => {
    for (const listener of this.listeners) listener();
  };
}

/** Nobody reads faster, and each time costs the page a layout. */
const CALM_MS = 100;

const due = new Set<() => void>();
let isDue = false;
let toldAt = Number.NEGATIVE_INFINITY;

/**
 * What changes faster than eyes follow is told at most ten times a second, all of it at once, with a frame of the screen:
 * what belongs together changes together. A page that nobody sees is in no hurry.
 */
export function calmly(tell: () => void): void {
  due.add(tell);
  if (isDue) return;
  isDue = true;
  const waitMs = toldAt + CALM_MS - performance.now();
  if (waitMs <= 0) requestAnimationFrame(tellAll);
  else setTimeout(() => requestAnimationFrame(tellAll), waitMs);
}

function tellAll(): void {
  const now = [...due];
  due.clear();
  isDue = false;
  toldAt = performance.now();
  for (const tell of now) tell();
}
