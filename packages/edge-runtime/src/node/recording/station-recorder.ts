// A running station -> sessions on the disk, bounded each and all together; beside the line and never in its way.
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type Clock,
  type ErrorCode,
  errorWithWhy,
  isDiskFull,
  KerfError,
  messageOf,
  systemClock,
  whyOfError,
} from '@kerf/protocol';
import { type StationCause, stationText, toldWhy } from '../../cause/station-cause.ts';
import type { RecordConfig } from '../../recording/record-config.ts';
import type { SessionHead, SessionSettings } from '../../recording/session-content.ts';
import type { DeliveredPicture } from '../../sinks/sink.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import type { StationEvent } from '../../station/station.ts';
import { encodedOriginal } from '../picture/encoded-original.ts';
import { SessionWriter } from './session-writer.ts';

/** Parts that wait to be written; of more, none is recorded: the line does not wait for the disk. */
const MAX_WAITING = 32;
/** After a fault of the disk, files in the folder go on with the first part that comes so much later. */
const RETRY_MS = 10_000;
export const SESSION_ENDING = '.mcap';

export interface RecorderState {
  /** Null while nothing is recorded. */
  readonly now: { readonly name: string; readonly parts: number; readonly bytes: number } | null;
  /** Since the start of the station: parts that were not recorded while they should have been. */
  readonly missed: number;
  /** Why the last of them was not, or why recording ended; null where all is well. */
  readonly fault: string | null;
  /** The same as a kind. */
  readonly cause: StationCause | null;
}

export interface RecorderParts {
  /** The folder is absolute. */
  readonly config: RecordConfig;
  readonly head: () => Omit<SessionHead, 'startedAt' | 'replayOf'>;
  readonly settings: () => SessionSettings;
  readonly wallNow: () => number;
  readonly clock?: Clock;
}

export class StationRecorder {
  private readonly parts: RecorderParts;
  private writer: { readonly session: SessionWriter; readonly name: string; readonly isNamed: boolean } | null = null;
  private working: Promise<void> = Promise.resolve();
  private waiting = 0;
  private missed = 0;
  private why: StationCause | null = null;
  /** Files of this run, the oldest first: their times say nothing where the device's clock was set meanwhile. */
  private readonly own: string[] = [];
  /** When recording into the folder goes on; null unless a fault of the disk has ended it. */
  private retryAtMs: number | null = null;

  constructor(parts: RecorderParts) {
    this.parts = parts;
  }

  get folder(): string {
    return this.parts.config.path;
  }

  get state(): RecorderState {
    const { writer, missed, why } = this;
    const now =
      writer === null ? null : { name: writer.name, parts: writer.session.parts, bytes: writer.session.bytes };
    return { now, missed, ...toldWhy(why) };
  }

  /**
   * Records from the next part on.
   * @param path a file of this name, which ends at the quota; null: files in the folder, one after the other
   * @throws {KerfError} CONFLICT while something is recorded, DISK_FAILED. A disk that is full is no such fault where files go
   *   into the folder: the line runs, the state says it, and recording begins when there is room.
   */
  start(path: string | null = null): Promise<void> {
    return this.turn(async () => {
      if (this.writer !== null) throw refusal('CONFLICT', { kind: 'record-running', session: this.writer.name });
      this.why = null;
      this.retryAtMs = null;
      try {
        await this.open(path);
      } catch (error) {
        if (path !== null || !isFull(error)) throw error;
        this.retryAtMs = this.clock.nowMs() + RETRY_MS;
        this.why = { kind: 'record-disk-full' };
      }
    });
  }

  /** Resolves when what was seen until now is in the file or missed. */
  idle(): Promise<void> {
    return this.turn(() => Promise.resolve());
  }

  /** What was judged until now is in the file. */
  stop(): Promise<void> {
    return this.turn(() => {
      this.retryAtMs = null;
      return this.end();
    });
  }

  /** To be called with every event of the station. */
  see(event: StationEvent): void {
    if (event.kind !== 'record' || (this.writer === null && this.retryAtMs === null)) return;
    if (this.retryAtMs !== null && this.clock.nowMs() < this.retryAtMs) {
      this.missed++;
      return;
    }
    if (this.waiting >= MAX_WAITING) {
      this.miss({ kind: 'record-too-fast' });
      return;
    }
    const { record, picture } = event;
    const settings = this.parts.settings();
    this.waiting++;
    void this.turn(async () => {
      const isLasting = this.writer?.isNamed !== true;
      const session = basename(this.writer?.name ?? '');
      try {
        if (this.retryAtMs !== null) {
          await this.open(null);
          this.why = { kind: 'record-resumed' };
        }
        await this.write(record, picture, settings);
      } catch (error) {
        await this.end().catch(() => {});
        this.missed++;
        if (isLasting) this.retryAtMs = this.clock.nowMs() + RETRY_MS;
        this.why = whyUnwritten(error, session);
      } finally {
        this.waiting--;
      }
    });
  }

  private async write(
    record: ResultRecord,
    picture: DeliveredPicture | null,
    settings: SessionSettings,
  ): Promise<void> {
    if (this.writer === null) return;
    const { config } = this.parts;
    const { session, isNamed } = this.writer;
    // A version that was exchanged between the frame and its record is not known here; its own records tell it apart.
    if (record.thresholdsVersion === settings.version) await session.settings(settings);
    await session.part({ record, picture: picture === null ? null : await encodedOriginal(picture.original) });
    if (session.bytes < (isNamed ? config.quota : config.fileSize)) return;
    await this.end();
    if (isNamed) this.why = { kind: 'record-quota', quotaBytes: config.quota };
    else await this.open(null);
  }

  private async open(path: string | null): Promise<void> {
    const startedAt = new Date(this.parts.wallNow()).toISOString();
    const { station, ...head } = this.parts.head();
    const name = `${station}-${startedAt.replaceAll(/[:.]/g, '-')}${SESSION_ENDING}`;
    try {
      if (path === null) await this.makeRoom();
      const session = await SessionWriter.create(path ?? join(this.folder, name), {
        station,
        ...head,
        startedAt,
        replayOf: null,
      });
      this.writer = { session, name: path ?? name, isNamed: path !== null };
      this.retryAtMs = null;
      if (path === null) this.own.push(name);
    } catch (cause) {
      throw refusal('DISK_FAILED', whyUnwritten(cause, basename(path ?? name)), cause);
    }
  }

  /** The oldest sessions go until a whole new one fits; those of this run go last, whatever their times say. */
  private async makeRoom(): Promise<void> {
    const { quota, fileSize } = this.parts.config;
    const sessions = await listSessions(this.folder);
    sessions.sort((a, b) => this.own.indexOf(a.name) - this.own.indexOf(b.name));
    let total = sessions.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of sessions) {
      if (total + fileSize <= quota) return;
      await rm(join(this.folder, name), { force: true });
      total -= bytes;
    }
  }

  private async end(): Promise<void> {
    const { writer } = this;
    this.writer = null;
    await writer?.session.close();
  }

  private get clock(): Clock {
    return this.parts.clock ?? systemClock;
  }

  private miss(why: StationCause): void {
    this.missed++;
    this.why = why;
  }

  private turn(task: () => Promise<void>): Promise<void> {
    const done = this.working.then(task);
    this.working = done.catch(() => {});
    return done;
  }
}

/** @param session its file */
function whyUnwritten(error: unknown, session: string): StationCause {
  if (isFull(error)) return { kind: 'record-disk-full' };
  const known = KerfError.is(error) ? whyOfError<StationCause>(error) : undefined;
  return known ?? { kind: 'record-disk', error: (error as NodeJS.ErrnoException).code ?? messageOf(error), session };
}

function refusal(code: ErrorCode, why: StationCause, cause?: unknown): KerfError {
  return errorWithWhy(code, stationText(why), why, { cause });
}

function isFull(error: unknown): boolean {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return isDiskFull(error) || (cause !== undefined && isFull(cause));
}

/** Sessions in a folder, the oldest first; none where it is not there. */
export async function listSessions(folder: string): Promise<{ name: string; bytes: number; changedMs: number }[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(SESSION_ENDING));
  const sessions = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => null);
      return { name, bytes: found?.size ?? 0, changedMs: found?.mtimeMs ?? 0 };
    }),
  );
  return sessions.sort((a, b) => a.changedMs - b.changedMs);
}
