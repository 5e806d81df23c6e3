// Frames that come -> as many inside the line as it has places; the others wait at the door, which can be held closed.
import { Gate } from '../pipeline/gate.ts';
import { Stage, type StageCounters, type StageOptions } from '../pipeline/stage.ts';
import type { StationFrame } from './station-frame.ts';

export interface DoorEvents {
  /** A frame has come in. */
  admit(frame: StationFrame): Promise<void>;
  /** The deadline of a frame has passed, wherever it is. */
  onLate(frame: StationFrame): void;
  /** A frame is given up, since too many wait. */
  onDropped(frame: StationFrame): Promise<void>;
}

/** Who holds the door closed: a person, or something that is changed between two frames. */
export type DoorHolder = 'user' | 'change';

export class LineDoor {
  private readonly stage: Stage<StationFrame>;
  private readonly places: Gate;
  private readonly deadlineMs: number;
  private readonly events: DoorEvents;
  private readonly outside = new Set<StationFrame>();
  private readonly holds = new Set<DoorHolder>();

  /** @param places frames inside at most. */
  constructor(options: StageOptions, places: number, deadlineMs: number, events: DoorEvents) {
    this.places = new Gate(places);
    this.deadlineMs = deadlineMs;
    this.events = events;
    this.stage = new Stage(options, {
      work: (frame) => this.letIn(frame),
      onDropped: (frame) => {
        this.outside.delete(frame);
        return events.onDropped(frame);
      },
    });
  }

  get counters(): StageCounters {
    return this.stage.counters;
  }

  get isHeldForChange(): boolean {
    return this.holds.has('change');
  }

  /** Resolves when there is room for the next one. */
  async take(frame: StationFrame): Promise<void> {
    this.watch(frame);
    this.outside.add(frame);
    await this.stage.push(frame);
  }

  /** The frame has its record, or none to wait for. */
  leave(frame: StationFrame): void {
    if (!frame.isInside) return;
    frame.isInside = false;
    this.places.leave();
  }

  pause(by: DoorHolder): void {
    this.holds.add(by);
    this.stage.pause();
  }

  /** What waits gets its whole time when nobody holds the door any more. */
  resume(by: DoorHolder): void {
    this.holds.delete(by);
    if (this.holds.size > 0) return;
    for (const frame of this.outside) {
      frame.cancel();
      frame.renew(this.deadlineMs);
      this.watch(frame);
    }
    this.stage.resume();
  }

  /** Resolves when nothing is on its way in. */
  rest(): Promise<void> {
    return this.stage.rest();
  }

  /** Resolves when nothing waits, and nothing is on its way in. */
  idle(): Promise<void> {
    return this.stage.idle();
  }

  private watch(frame: StationFrame): void {
    frame.watch(() => {
      // It gets its time back when the door opens.
      if (this.holds.size === 0 || !this.outside.has(frame)) this.events.onLate(frame);
    });
  }

  private async letIn(frame: StationFrame): Promise<void> {
    if (frame.judged !== null) {
      this.outside.delete(frame);
      return;
    }
    await this.places.enter();
    this.outside.delete(frame);
    frame.isInside = true;
    if (frame.judged !== null) {
      this.leave(frame);
      return;
    }
    await this.events.admit(frame);
  }
}
