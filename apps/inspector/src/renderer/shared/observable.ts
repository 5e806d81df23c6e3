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

const dueThisFrame = new Set<() => void>();

/** What changes faster than the screen is drawn once for each of its frames; a page that nobody sees is in no hurry. */
export function perFrame(tell: () => void): void {
  dueThisFrame.add(tell);
  if (dueThisFrame.size > 1) return;
  requestAnimationFrame(() => {
    const due = [...dueThisFrame];
    dueThisFrame.clear();
    for (const one of due) one();
  });
}
