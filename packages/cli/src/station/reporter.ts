// What happens at a station -> lines for a person, or JSON for a program.
import process from 'node:process';
import type {
  OutboxEvent,
  ResultRecord,
  RouteSwitch,
  SessionStatus,
  SourceState,
  StationEvent,
  StationSnapshot,
} from '@kerf/edge-runtime';
import type { StationFile } from '@kerf/edge-runtime/node';
import type { Io } from '../command.ts';
import { printable } from '../commands/cuts.ts';
import { figuresText } from './live-line.ts';

export class StationReporter {
  /** Records that could not be handed on. */
  faults = 0;
  private readonly io: Io;
  private readonly json: boolean;
  private readonly quiet: boolean;
  private lastLink = '';

  constructor(io: Io, { json, quiet }: { readonly json: boolean; readonly quiet: boolean }) {
    this.io = io;
    this.json = json;
    this.quiet = quiet;
  }

  started({ path, sha256 }: StationFile, { release, thresholdsVersion }: StationSnapshot, status: string | null): void {
    if (this.json) this.emit({ kind: 'started', file: path, sha256, release, thresholdsVersion, status });
    else {
      const door = status === null ? '' : `, status at ${status}/station`;
      this.say(
        `station runs ${path}: model ${release.slice(0, 12)}, thresholds ${thresholdsVersion.slice(0, 12)}${door}`,
      );
    }
  }

  reloaded(sha256: string, changed: readonly string[]): void {
    if (this.json) this.emit({ kind: 'reloaded', sha256, changed });
    else
      this.say(
        changed.length === 0
          ? 'the station file changed, and nothing that matters'
          : `new ${changed.join(' and ')} taken over`,
      );
  }

  notReloaded(code: string, message: string): void {
    if (this.json) this.emit({ kind: 'not-reloaded', code, message });
    else this.say(`the new station file is not taken over, the old one goes on: ${code}: ${message}`);
  }

  switched({ from, to, cause, reason }: RouteSwitch): void {
    if (this.json) this.emit({ kind: 'route', from, to, cause, reason });
    else this.say(`route ${from} -> ${to}: ${reason}`);
  }

  notice(message: string): void {
    if (this.json) this.emit({ kind: 'notice', message });
    else this.say(message);
  }

  outbox(event: OutboxEvent): void {
    if (event.kind === 'dropped' || event.kind === 'damaged') this.faults++;
    if (this.json) this.emit({ kind: 'outbox', event });
    else this.say(outboxText(event));
  }

  event(event: StationEvent): void {
    if (event.kind === 'fault') this.faults++;
    if (this.json) {
      this.emit(event.kind === 'record' ? { kind: 'record', record: event.record } : event);
      return;
    }
    switch (event.kind) {
      case 'record':
        if (!this.quiet) this.io.print(recordText(event.record));
        return;
      case 'source':
        this.say(`source ${sourceText(event.state)}`);
        return;
      case 'thresholds':
        this.say(`thresholds ${event.version.slice(0, 12)} from now on`);
        return;
      case 'fault':
        this.say(`${event.code}: ${event.message}`);
        return;
      case 'dropped':
        return;
    }
  }

  link(status: SessionStatus): void {
    if (this.json) {
      this.emit({ kind: 'link', status });
      return;
    }
    const text = 'code' in status ? `${status.kind}: ${status.code}: ${status.message}` : status.kind;
    // Attempts that fail alike are told once.
    if (status.kind === 'connecting' || status.kind === 'closed' || text === this.lastLink) return;
    this.lastLink = text;
    this.say(`link ${text}`);
  }

  /** @param undelivered records that some sink lacks; null when nobody waited for them */
  summary(snapshot: StationSnapshot, undelivered: number | null, isOutboxLasting: boolean): void {
    if (undelivered !== null && undelivered > 0 && !isOutboxLasting) this.faults++;
    if (this.json) {
      this.emit({ kind: 'summary', ...snapshot, undelivered });
      return;
    }
    this.io.print(`${snapshot.frames} ${snapshot.frames === 1 ? 'part' : 'parts'}: ${figuresText(snapshot)}`);
    if (undelivered === null) this.say('ended at once: not everything has reached its sinks');
    else if (undelivered > 0) {
      this.say(
        `${undelivered} records have not reached every sink${isOutboxLasting ? '; the outbox keeps them' : ' and are lost'}`,
      );
    }
  }

  private emit(value: object): void {
    this.io.print(JSON.stringify(value));
  }

  private say(text: string): void {
    process.stderr.write(`kerf: ${text}\n`);
  }
}

function outboxText(event: OutboxEvent): string {
  switch (event.kind) {
    case 'held':
      return `outbox: ${event.message}`;
    case 'released':
      return 'outbox: there is room again';
    case 'dropped':
      return `outbox: ${event.verdict} ${partText(event)} was given up for want of room`;
    case 'stands':
      return `outbox: ${event.verdict} ${partText(event)} stays provisional: its picture was given up for want of room`;
    case 'sink-blocked':
      return `sink ${printable(event.sink)}: ${event.code}: ${event.message}; trying again`;
    case 'sink-unblocked':
      return `sink ${printable(event.sink)}: takes records again`;
    case 'picture-missed':
      return `sink ${printable(event.sink)}: ${event.verdict} ${event.resultId} is kept without its picture: ${event.message}`;
    case 'storage':
      return `outbox: storage ${event.state.kind}${'message' in event.state ? `: ${event.state.message}` : ''}`;
    case 'damaged':
      return `outbox: ${event.resultId} cannot be read back`;
  }
}

function partText({ part, resultId }: { readonly part: string | null; readonly resultId: string }): string {
  return part === null ? resultId : `of part ${printable(part)} (${resultId})`;
}

function sourceText(state: SourceState): string {
  return state.kind === 'lost' ? `lost: ${state.code}: ${state.message}; again in ${state.retryInMs} ms` : state.kind;
}

/** `PASS    part-7  0.12  81.3 ms  split`. */
function recordText({
  verdict,
  partId,
  file,
  frame,
  score,
  totalMs,
  route,
  reason,
  isPartial,
  revision,
}: ResultRecord): string {
  const name = partId ?? file;
  const part = name === undefined ? `frame ${frame}` : printable(name);
  const why = reason === null ? '' : `  ${reason.code}: ${reason.message}`;
  const state = isPartial ? ' (provisional)' : revision > 0 ? ' (final)' : '';
  const value = score === null ? '-' : score.toFixed(3);
  return `${verdict.padEnd(7)} ${value.padStart(6)} ${`${totalMs.toFixed(1)} ms`.padStart(10)}  ${route}${state}  ${part}${why}`;
}
