// Tasks -> one at a time, in order: a device runs one model at once, and a task that nobody wants is not begun.

export class Lane {
  private readonly tasks: (() => Promise<void>)[] = [];
  private running = false;

  /** `task` must not reject. */
  push(task: () => Promise<void>): void {
    this.tasks.push(task);
    if (!this.running) void this.drain();
  }

  private async drain(): Promise<void> {
    this.running = true;
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) await task();
    this.running = false;
  }
}
