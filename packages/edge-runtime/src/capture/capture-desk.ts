// Pictures as a device gives them + triggers -> captures in order, with every loss counted.
import { type Clock, KerfError } from '@kerf/protocol';
import { partReason } from '../station/judge/part-reason.ts';
import type { Capture } from './capture.ts';
import { CAPTURE_BOUNDS, type SourceSetup } from './options.ts';
import type { SourceCounters, SourceHandler, SourceState } from './source.ts';
import { bytesOfPicture, sameBytes, type Taken } from './taken.ts';
import type { TriggerRequest } from './trigger.ts';

interface Waiting {
  readonly request: TriggerRequest;
  readonly cancelTimer: () => void;
}

/**
 * What all sources share. A device that cannot wait calls {@link offer}; one that can calls {@link put} and waits.
 * Without a trigger one offered picture may wait for the station, and a later one replaces it.
 */
export class CaptureDesk {
  readonly counters: { -readonly [K in keyof SourceCounters]: number } = {
    seen: 0,
    captured: 0,
    dropped: 0,
    skipped: 0,
    missed: 0,
    late: 0,
    repeated: 0,
    unreadable: 0,
    recoveries: 0,
  };
  /** Pictures in a row that equal the one before them. */
  repeatsInRow = 0;
  private handler: SourceHandler | null = null;
  private closed = false;
  private nextSequence = 0;
  private givenUp = 0;
  private last: Uint8Array | null = null;
  private lastKey: string | null = null;
  private readonly triggers: Waiting[] = [];
  private readonly outgoing: Capture[] = [];
  private delivering = false;
  private wakeAsker: (() => void) | null = null;

  private readonly setup: SourceSetup;
  private readonly isSimulated: boolean;

  constructor(setup: SourceSetup, isSimulated: boolean) {
    this.setup = setup;
    this.isSimulated = isSimulated;
  }

  get clock(): Clock {
    return this.setup.clock;
  }

  /** @throws {KerfError} INVALID_ARGUMENT when it was opened before. */
  open(handler: SourceHandler): void {
    if (this.handler !== null)
      throw new KerfError('INVALID_ARGUMENT', `source '${this.setup.name}' was started before`);
    this.handler = handler;
  }

  /** No capture comes afterwards; what waits is dropped, and who waits in {@link put} goes on. */
  close(): void {
    this.closed = true;
    for (const { cancelTimer } of this.triggers.splice(0)) cancelTimer();
    this.drop(this.outgoing.splice(0).length, true);
    this.wakeAsker?.();
  }

  state(state: SourceState): void {
    this.handler?.onState(state);
  }

  /** Pictures that were lost on the way; `taken` ones had counted as captured. */
  drop(count: number, taken = false): void {
    this.counters.dropped += count;
    if (taken) this.counters.captured -= count;
    else this.counters.seen += count;
  }

  trigger(request: TriggerRequest): void {
    const { name, hasTrigger, clock } = this.setup;
    if (!hasTrigger) {
      throw new KerfError('INVALID_ARGUMENT', `source '${name}' runs free; give it a trigger in the station file`);
    }
    if (this.closed) throw new KerfError('CLOSED', `source '${name}' was stopped`);
    if (this.triggers.length + this.outgoing.length >= CAPTURE_BOUNDS.maxTriggers) {
      throw new KerfError('OVERLOADED', `source '${name}' has ${CAPTURE_BOUNDS.maxTriggers} triggers waiting`);
    }
    const waiting: Waiting = {
      request,
      cancelTimer: clock.after(CAPTURE_BOUNDS.triggerTimeoutMs, () => this.giveUp(waiting)),
    };
    this.triggers.push(waiting);
    this.wakeAsker?.();
  }

  /** Takes a picture of a device that cannot wait; it is only made when somebody wants it. */
  offer(take: () => Taken): void {
    if (this.closed) return;
    this.counters.seen++;
    if (!this.setup.hasTrigger) {
      this.drop(this.outgoing.splice(0).length, true);
      this.send(this.capture(take(), null));
      return;
    }
    const asked = this.triggers.shift();
    if (asked === undefined) {
      this.counters.skipped++;
      this.counters.late += this.givenUp;
      this.givenUp = 0;
      return;
    }
    asked.cancelTimer();
    this.send(this.capture(take(), asked.request));
  }

  /** True when somebody wants a picture now; resolves false when the desk is closed. Only for devices that can wait. */
  async asked(): Promise<boolean> {
    while (!this.closed && this.setup.hasTrigger && this.triggers.length === 0) {
      await new Promise<void>((resolve) => {
        this.wakeAsker = resolve;
      });
      this.wakeAsker = null;
    }
    return !this.closed;
  }

  /** Hands a picture over and waits until the station has room for the next one. Call it when {@link asked} said so. */
  async put(taken: Taken): Promise<void> {
    if (this.closed) return;
    this.counters.seen++;
    const asked = this.triggers.shift();
    asked?.cancelTimer();
    await this.handler?.onCapture(this.capture(taken, asked?.request ?? null));
  }

  private giveUp(waiting: Waiting): void {
    this.triggers.splice(this.triggers.indexOf(waiting), 1);
    this.counters.missed++;
    this.givenUp++;
    const waitMs = CAPTURE_BOUNDS.triggerTimeoutMs;
    const fault = partReason({ kind: 'no-answer', source: this.setup.name, waitMs });
    this.send(this.capture({ what: { fault } }, waiting.request));
  }

  private capture(taken: Taken, request: TriggerRequest | null): Capture {
    const picture = 'picture' in taken.what ? taken.what.picture : null;
    const fault = 'fault' in taken.what ? taken.what.fault : null;
    const key = request?.key ?? taken.key ?? null;
    // The same key is the same part, sent again.
    const isAgain = key !== null && key === this.lastKey;
    this.lastKey = key;
    let isRepeat = false;
    if (picture !== null) {
      const bytes = bytesOfPicture(picture);
      isRepeat = !isAgain && this.last !== null && sameBytes(this.last, bytes);
      this.last = bytes;
      this.repeatsInRow = isRepeat ? this.repeatsInRow + 1 : 0;
      if (isRepeat) this.counters.repeated++;
    } else if (fault?.code !== 'SOURCE_LOST') {
      this.counters.unreadable++;
    }
    this.counters.captured++;
    return {
      source: this.setup.name,
      sequence: this.nextSequence++,
      key,
      ...(taken.file === undefined ? {} : { file: taken.file }),
      takenAt: taken.takenAt ?? this.setup.wallClock(),
      partId: request?.partId ?? taken.partId ?? null,
      picture,
      fault,
      isRepeat,
      isSimulated: this.isSimulated,
      onResult: bothOf(taken.onResult ?? null, request?.onResult ?? null),
    };
  }

  private send(capture: Capture): void {
    this.outgoing.push(capture);
    if (!this.delivering) void this.deliver();
  }

  private async deliver(): Promise<void> {
    this.delivering = true;
    for (let next = this.outgoing.shift(); next !== undefined; next = this.outgoing.shift()) {
      // A handler that rejects has said so elsewhere: the next picture is another matter.
      await this.handler?.onCapture(next).catch(() => undefined);
    }
    this.delivering = false;
  }
}

function bothOf(first: Capture['onResult'], second: Capture['onResult']): Capture['onResult'] {
  if (first === null || second === null) return first ?? second;
  return (record) => {
    first(record);
    second(record);
  };
}
