// What happens at a station -> lines for a person, or JSON for a program.
import process from 'node:process';
import type { ResultRecord, SessionStatus, SourceState, StationEvent, StationSnapshot } from '@kerf/edge-runtime';
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

  started({ path, sha256 }: StationFile, { release, thresholdsVersion }: StationSnapshot): void {
    if (this.json) this.emit({ kind: 'started', file: path, sha256, release, thresholdsVersion });
    else this.say(`station runs ${path}: model ${release.slice(0, 12)}, thresholds ${thresholdsVersion.slice(0, 12)}`);
  }

  event(event: StationEvent): void {
    if (event.kind === 'fault') this.faults++;
    if (this.json) {
      this.emit(event);
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

  sinkFault(sink: string, message: string): void {
    if (this.json) this.emit({ kind: 'sink-fault', sink, message });
    else this.say(`sink ${printable(sink)}: ${message}`);
  }

  summary(snapshot: StationSnapshot): void {
    if (this.json) this.emit({ kind: 'summary', ...snapshot });
    else this.io.print(`${snapshot.frames} ${snapshot.frames === 1 ? 'part' : 'parts'}: ${figuresText(snapshot)}`);
  }

  private emit(value: object): void {
    this.io.print(JSON.stringify(value));
  }

  private say(text: string): void {
    process.stderr.write(`kerf: ${text}\n`);
  }
}

function sourceText(state: SourceState): string {
  return state.kind === 'lost' ? `lost: ${state.code}: ${state.message}; again in ${state.retryInMs} ms` : state.kind;
}

/** `PASS    part-7  0.12  81.3 ms  split`. */
function recordText({
  verdict,
  partId,
  frame,
  score,
  totalMs,
  route,
  reason,
  isPartial,
  revision,
}: ResultRecord): string {
  const part = partId === null ? `frame ${frame}` : printable(partId);
  const why = reason === null ? '' : `  ${reason.code}: ${reason.message}`;
  const state = isPartial ? ' (provisional)' : revision > 0 ? ' (final)' : '';
  const value = score === null ? '-' : score.toFixed(3);
  return `${verdict.padEnd(7)} ${value.padStart(6)} ${`${totalMs.toFixed(1)} ms`.padStart(10)}  ${route}${state}  ${part}${why}`;
}
