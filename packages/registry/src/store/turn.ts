// Tasks that come at any time -> tasks that run one after the other.

export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` when all earlier ones have ended, well or badly. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(task, task);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
