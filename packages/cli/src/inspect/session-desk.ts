// The sessions of a station: recording, replay and comparison, as the screen Sessions asks for them.
import { join, resolve } from 'node:path';
import { type ComparedPart, type Comparison, causeView, faultView, type SessionsView } from '@kerf/bridge';
import type { Pictures } from '@kerf/edge-runtime';
import {
  listSessions,
  type OpenedStation,
  replaySession,
  SESSION_ENDING,
  SessionFile,
  type StationFile,
} from '@kerf/edge-runtime/node';
import { KerfError, messageOf } from '@kerf/protocol';
import { refused } from '../refusal.ts';
import { compareSessions, type PairedSessions } from './compare-sessions.ts';
import { encodedPicture } from './encoded-picture.ts';
import type { CallsOf } from './service-calls.ts';

/** Sessions that are held open, with the list of their parts in memory. */
const MOST_OPEN = 4;
/** Between two events of a replay's progress. */
const TELL_MS = 200;
const REPLAY_MARK = '.replay-';

export interface SessionDeskParts {
  readonly recorder: OpenedStation['recorder'];
  /** As it is now. */
  readonly file: () => StationFile;
  readonly pictures: Pictures;
  onChange(view: SessionsView): void;
}

export class SessionDesk {
  private readonly parts: SessionDeskParts;
  private readonly folder: string;
  /** By name and what the file is: one that goes on is read again. */
  private readonly open = new Map<string, Promise<SessionFile>>();
  private compared: { readonly key: string; readonly pairs: PairedSessions } | null = null;
  private replay: SessionsView['replay'] = { state: 'idle' };
  private running: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;
  private toldMs = 0;
  /** What the recorder said when readers were told last. */
  private told = '';

  constructor(parts: SessionDeskParts) {
    this.parts = parts;
    this.folder = resolve(parts.recorder.folder);
  }

  async view(): Promise<SessionsView> {
    const { now, missed, fault, cause } = this.parts.recorder.state;
    const sessions = (await listSessions(this.folder)).toReversed().map(({ name, bytes, changedMs }) => ({
      name,
      bytes,
      changedAt: new Date(changedMs).toISOString(),
      isReplay: name.includes(REPLAY_MARK),
    }));
    return { recording: now, missed, fault, cause: causeView(cause), sessions, replay: this.replay };
  }

  readonly calls: CallsOf<'sessions'> = {
    'sessions.view': () => this.view(),
    'sessions.start': async () => {
      await this.parts.recorder.start();
      return this.tell();
    },
    'sessions.stop': async () => {
      await this.parts.recorder.stop();
      return this.tell();
    },
    'sessions.replay': async ({ session, judgeBy }) => {
      if (this.running !== null) throw refused({ kind: 'replaying' });
      const file = await this.session(session);
      const abort = new AbortController();
      this.running = { abort, ended: this.run(file, judgeBy, abort.signal) };
      return this.view();
    },
    'sessions.cancel': async () => {
      this.running?.abort.abort();
      await this.running?.ended;
      return this.view();
    },
    'sessions.compare': async ({ left, right, offset, limit }) => this.compare(left, right, offset, limit),
    'sessions.part': async ({ session, resultId }) => this.part(session, resultId),
  };

  /** To be called now and then: a recording grows, or ends for want of room, without anybody's call. */
  look(): void {
    if (JSON.stringify(this.parts.recorder.state) !== this.told) void this.tell();
  }

  async close(): Promise<void> {
    this.running?.abort.abort();
    await this.running?.ended;
    for (const opening of this.open.values()) await opening.then((file) => file.close()).catch(() => {});
  }

  private async compare(left: string, right: string, offset: number, limit: number): Promise<Comparison> {
    const [first, second] = [await this.session(left), await this.session(right)];
    const key = [left, first.entries.length, right, second.entries.length].join(' ');
    const known = this.compared;
    const found = known?.key === key ? known.pairs : compareSessions(first, second);
    this.compared = { key, pairs: found };
    const { pairs } = found;
    return { ...found, pairs: pairs.slice(offset, offset + limit), hasMore: pairs.length > offset + limit };
  }

  private async part(session: string, resultId: string): Promise<ComparedPart | null> {
    const file = await this.session(session);
    const entry = file.entries.find((one) => one.resultId === resultId);
    if (entry === undefined) return null;
    const { record, picture } = await file.read(entry);
    if (picture === null) return { record, picture: null };
    const delivered = { original: picture, pictures: this.parts.pictures };
    // What cannot be decoded has its record all the same.
    return { record, picture: await encodedPicture(delivered).catch(() => null) };
  }

  private async session(name: string): Promise<SessionFile> {
    const found = (await listSessions(this.folder)).find((one) => one.name === name);
    if (found === undefined) throw refused({ kind: 'session-gone', file: name });
    const key = `${name} ${found.bytes} ${found.changedMs}`;
    const known = this.open.get(key);
    if (known !== undefined) return known;
    const opening = SessionFile.open(join(this.folder, name));
    this.open.set(key, opening);
    opening.catch(() => this.open.delete(key));
    for (const [other, file] of this.open) {
      if (this.open.size <= MOST_OPEN && !other.startsWith(`${name} `)) continue;
      if (other === key) continue;
      this.open.delete(other);
      void file.then((old) => old.close()).catch(() => {});
    }
    return opening;
  }

  private async run(session: SessionFile, judgeBy: 'recorded' | 'station', signal: AbortSignal): Promise<void> {
    const { name, entries } = session;
    const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
    const out = `${name.slice(0, -SESSION_ENDING.length).split(REPLAY_MARK)[0]}${REPLAY_MARK}${time}${SESSION_ENDING}`;
    this.replay = { state: 'running', session: name, done: 0, all: entries.length };
    void this.tell();
    try {
      const report = await replaySession(session, this.parts.file(), {
        judgeBy,
        out: join(this.folder, out),
        signal,
        onPart: (_, done) => this.progress(name, done, entries.length),
      });
      const skipped = Object.values(report.skipped).reduce((sum, count) => sum + count, 0);
      this.replay = { state: 'done', session: name, out, equal: report.equal, changed: report.changed.length, skipped };
    } catch (error) {
      const fault = faultView(KerfError.from(error, 'INTERNAL', messageOf(error)));
      this.replay = signal.aborted ? { state: 'idle' } : { state: 'failed', session: name, ...fault };
    } finally {
      this.running = null;
      void this.tell();
    }
  }

  private progress(session: string, done: number, all: number): void {
    this.replay = { state: 'running', session, done, all };
    if (performance.now() - this.toldMs < TELL_MS) return;
    this.toldMs = performance.now();
    void this.tell();
  }

  private async tell(): Promise<SessionsView> {
    this.told = JSON.stringify(this.parts.recorder.state);
    const view = await this.view();
    this.parts.onChange(view);
    return view;
  }
}
