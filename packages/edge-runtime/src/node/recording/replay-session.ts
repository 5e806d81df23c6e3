// A recorded session and a station file -> the same parts judged again, and which verdicts are others than they were.
import { KerfError, messageOf, sha256Hex } from '@kerf/protocol';
import type { Capture } from '../../capture/capture.ts';
import { type SessionSettings, verdictText } from '../../recording/session-content.ts';
import { makeJudge } from '../../station/judge/judge.ts';
import type { ResultRecord, Verdict } from '../../station/result-record.ts';
import { decodePicture } from '../picture/picture-file.ts';
import { type OpenedStation, openStation } from '../station/open-station.ts';
import type { StationFile } from '../station/read-station-file.ts';
import type { SessionEntry, SessionFile } from './session-file.ts';
import { SessionWriter } from './session-writer.ts';

/** A part is judged when it is judged: nobody waits for it. */
const DEADLINE_MS = 600_000;

/** Why a part is not compared: no picture of it, a picture that is damaged, or a verdict that no model was asked for in time. */
export type SkipReason = 'no-picture' | 'damaged' | 'not-judged';

export interface ReplayedVerdict {
  readonly verdict: Verdict;
  readonly score: number | null;
}

export type ReplayedPart =
  | { readonly kind: 'equal' | 'changed'; readonly record: ResultRecord; readonly before: ResultRecord }
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly before: SessionEntry };

export interface ReplayReport {
  readonly parts: number;
  /** Bit for bit: verdict, reason, score, scores of classes, boxes and mask. */
  readonly equal: number;
  /** Equal in everything but the numbers behind the verdict. */
  readonly sameVerdict: number;
  readonly changed: readonly {
    readonly resultId: string;
    readonly partId: string | null;
    readonly before: ReplayedVerdict;
    readonly now: ReplayedVerdict;
  }[];
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Hashes of the models that judged the recording, and of the one that judges now. */
  readonly releases: { readonly before: readonly string[]; readonly now: string };
  /** Why the recording ends before its end; null for one that was closed. */
  readonly cut: string | null;
}

export interface ReplayOptions {
  /** `recorded`: each part by the thresholds of its time; `station`: all by those of the station file. */
  readonly judgeBy: 'recorded' | 'station';
  /** Writes what is judged now as a session of its own. */
  readonly out: string | null;
  readonly signal: AbortSignal;
  onPart(part: ReplayedPart, done: number): void;
}

/**
 * One part after the other, through the stages of a station without its source and sinks, over the cloud where the file has
 * one. Memory does not grow with the session but for the list of changes.
 * @throws {KerfError} CANCELLED, RECORDING_INVALID, and what opening a station throws.
 */
export async function replaySession(
  session: SessionFile,
  file: StationFile,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const opened = await openStation({ ...file, config: quietConfig(file) });
  try {
    const run = new Replay(session, opened, options, await openOut(session, file, opened, options.out));
    return await run.all();
  } finally {
    await opened.close(0);
  }
}

/** The model and how it is asked; nothing that takes pictures, tells, waits or keeps. */
function quietConfig({ config }: StationFile): StationFile['config'] {
  return {
    ...config,
    trigger: null,
    sinks: [],
    outbox: null,
    status: null,
    samples: null,
    record: null,
    deadline: DEADLINE_MS,
  };
}

function openOut(
  { name, head }: SessionFile,
  file: StationFile,
  opened: OpenedStation,
  path: string | null,
): Promise<SessionWriter | null> {
  if (path === null) return Promise.resolve(null);
  return SessionWriter.create(path, {
    station: head.station,
    startedAt: new Date().toISOString(),
    release: opened.station.snapshot.release,
    file: file.path,
    fileSha256: file.sha256,
    replayOf: name,
  });
}

class Replay {
  private readonly session: SessionFile;
  private readonly opened: OpenedStation;
  private readonly options: ReplayOptions;
  private readonly out: SessionWriter | null;
  private readonly changed: ReplayReport['changed'][number][] = [];
  private readonly skipped = { 'no-picture': 0, damaged: 0, 'not-judged': 0 };
  private readonly releases = new Set<string>();
  private equal = 0;
  private sameVerdict = 0;
  private lastHash = '';

  constructor(session: SessionFile, opened: OpenedStation, options: ReplayOptions, out: SessionWriter | null) {
    this.session = session;
    this.opened = opened;
    this.options = options;
    this.out = out;
  }

  async all(): Promise<ReplayReport> {
    const { entries, cut } = this.session;
    try {
      for (const [at, entry] of entries.entries()) {
        if (this.options.signal.aborted) throw new KerfError('CANCELLED', 'the replay was cancelled');
        this.options.onPart(await this.one(entry, at), at + 1);
      }
    } finally {
      await this.out?.close();
    }
    const now = this.opened.station.snapshot.release;
    const { equal, sameVerdict, changed, skipped } = this;
    const releases = { before: [...this.releases], now };
    return { parts: entries.length, equal, sameVerdict, changed, skipped, releases, cut };
  }

  private async one(entry: SessionEntry, at: number): Promise<ReplayedPart> {
    if (entry.picture === null) return this.skip('no-picture', entry);
    const { record: before, picture } = await this.session.read(entry);
    this.releases.add(before.release);
    if (picture === null) return this.skip('no-picture', entry);
    const hash = await sha256Hex(picture.bytes);
    const isRepeat = hash === this.lastHash;
    this.lastHash = hash;
    if (
      before.imageSha256 !== null &&
      before.imageSha256 !== hash &&
      !(await hasPixels(picture.bytes, before.imageSha256))
    ) {
      return this.skip('damaged', entry);
    }
    // The deadline passed, or a small model stood in: time decided that, and time is not replayed.
    const isByTime = before.placement === 'small' || (before.placement === 'none' && before.verdict === 'REVIEW');
    if (isByTime) return this.skip('not-judged', entry);
    await this.judgeBy(before.thresholdsVersion);
    const record = await this.judge({
      source: before.source,
      sequence: at,
      key: null,
      takenAt: Date.parse(before.takenTime),
      partId: before.partId,
      picture,
      fault: null,
      isRepeat,
      isSimulated: before.isSimulated,
    });
    await this.out?.settings(settingsOf(this.opened));
    await this.out?.part({ record: { ...record, resultId: before.resultId }, picture });
    return this.compare(before, record);
  }

  private compare(before: ResultRecord, record: ResultRecord): ReplayedPart {
    if (verdictText(before) === verdictText(record)) {
      this.equal++;
      return { kind: 'equal', record, before };
    }
    if (before.verdict === record.verdict) this.sameVerdict++;
    const { resultId, partId } = before;
    this.changed.push({ resultId, partId, before: said(before), now: said(record) });
    return { kind: 'changed', record, before };
  }

  private skip(reason: SkipReason, before: SessionEntry): ReplayedPart {
    this.skipped[reason]++;
    return { kind: 'skipped', reason, before };
  }

  private judge(capture: Omit<Capture, 'onResult'>): Promise<ResultRecord> {
    return new Promise((resolve, reject) => {
      this.opened.station
        .take({ ...capture, onResult: resolve })
        .catch((error: unknown) => reject(KerfError.from(error, 'INTERNAL', messageOf(error))));
    });
  }

  private async judgeBy(version: string): Promise<void> {
    const { station } = this.opened;
    const settings = this.session.settings.get(version);
    if (this.options.judgeBy === 'station' || settings === undefined || station.judges.main.version === version) return;
    station.setJudges({ ...station.judges, main: await makeJudge(settings.task, settings.thresholds) });
  }
}

/** Who judges now. */
export function settingsOf({ station }: Pick<OpenedStation, 'station'>): SessionSettings {
  const { version, task, thresholds } = station.judges.main;
  return { version, task, thresholds };
}

/** Of a picture that came as pixels the hash is over these. */
async function hasPixels(bytes: Uint8Array, hash: string): Promise<boolean> {
  const image = await decodePicture(bytes).catch(() => null);
  return image !== null && (await sha256Hex(image.data)) === hash;
}

function said({ verdict, score }: ResultRecord): ReplayedVerdict {
  return { verdict, score };
}
