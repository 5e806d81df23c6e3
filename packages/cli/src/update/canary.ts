// Known parts, the release that runs and the one that would -> which verdicts would change, before anything is switched.
import { readFile } from 'node:fs/promises';
import type { CanaryCounts, CanaryPart, CanaryView } from '@kerf/bridge';
import { type ReleaseCause, releaseReason } from '@kerf/delta-sync';
import type { Verdict } from '@kerf/edge-runtime';
import type { PartAnswer, PartJudge, StationFile } from '@kerf/edge-runtime/node';
import { errorWithWhy, KerfError } from '@kerf/protocol';
import { chooseSamples } from '../samples/choose-samples.ts';
import { findSamples } from '../samples/find-samples.ts';
import { GOOD, type SampleEntry } from '../samples/sample-set.ts';
import { openTrialJudge } from './trial/trial-judge.ts';

/** Of a larger set, a choice that keeps the shares of kinds. */
const MAX_PARTS = 1_000;
/** Changed parts that are shown one by one. */
const MAX_CHANGED = 100;

export interface CanarySetup {
  /** Folder of known parts: pictures, or folders of them named after what is true of them. */
  readonly parts: string;
  readonly before: { readonly version: string; readonly file: StationFile };
  readonly after: { readonly version: string; readonly file: StationFile };
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  /** The release that would run crashed on a part, or never came back from it. */
  readonly onLost: (why: ReleaseCause) => Promise<unknown>;
  /** @default as openTrialJudge */
  readonly judgeMs?: number;
}

interface Judged {
  readonly entry: SampleEntry;
  readonly before: PartAnswer;
  readonly after: PartAnswer;
}

/**
 * Each part goes through both, one after the other, in processes of their own: the line goes on meanwhile, whatever they do.
 * @throws {KerfError} SAMPLES_UNUSABLE, FILE_NOT_FOUND, CANCELLED, WORKER_LOST; what loading a release throws.
 */
export async function runCanary(setup: CanarySetup): Promise<CanaryView> {
  const { parts, before, after, signal, onProgress, onLost } = setup;
  const { entries } = chooseSamples(await findSamples(parts, { inputNames: [] }), MAX_PARTS);
  const options = { signal, ...(setup.judgeMs === undefined ? {} : { judgeMs: setup.judgeMs }) };
  const open: PartJudge[] = [];
  const opened = async (file: StationFile): Promise<PartJudge> => {
    const judge = await openTrialJudge(file, options);
    open.push(judge);
    return judge;
  };
  /** On a part, or while it loads. */
  const tried = async <T>(work: Promise<T>, why: (ending: string) => ReleaseCause): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (KerfError.is(error) && error.code === 'WORKER_LOST') {
        const cause = why(error.message);
        await onLost(cause);
        throw errorWithWhy('WORKER_LOST', releaseReason(cause), cause, { cause: error });
      }
      throw error;
    }
  };
  try {
    const old = await opened(before.file);
    const fresh = await tried(opened(after.file), (ending) => ({ kind: 'trial-load-crashed', ending }));
    const judged: Judged[] = [];
    for (const entry of entries) {
      onProgress(judged.length, entries.length);
      const picture = new Uint8Array(await readFile(entry.path));
      const answer = await old.judge(picture);
      const crashed = (ending: string): ReleaseCause => ({ kind: 'trial-part-crashed', ending, part: entry.id });
      judged.push({ entry, before: answer, after: await tried(fresh.judge(picture), crashed) });
    }
    return viewOf(judged, before.version, after.version);
  } finally {
    for (const one of open) await one.close();
  }
}

function viewOf(judged: readonly Judged[], against: string, version: string): CanaryView {
  const changed = judged.filter(({ before, after }) => before.verdict !== after.verdict);
  const shown = [...changed].sort((a, b) => Number(isEscape(b)) - Number(isEscape(a)));
  return {
    version,
    against,
    at: new Date().toISOString(),
    parts: judged.length,
    before: countsOf(judged.map(({ entry, before }) => ({ entry, answer: before }))),
    after: countsOf(judged.map(({ entry, after }) => ({ entry, answer: after }))),
    changed: shown.slice(0, MAX_CHANGED).map(partOf),
    changedCount: changed.length,
  };
}

function partOf({ entry, before, after }: Judged): CanaryPart {
  return {
    part: entry.id,
    truth: truthOf(entry),
    before: { verdict: before.verdict, score: before.score },
    after: { verdict: after.verdict, score: after.score },
  };
}

/** The worst that a new release can do. */
function isEscape({ entry, after }: Judged): boolean {
  return isDefective(entry) === true && after.verdict === 'PASS';
}

function countsOf(answers: readonly { readonly entry: SampleEntry; readonly answer: PartAnswer }[]): CanaryCounts {
  const verdicts: Record<Verdict, number> = { PASS: 0, REVIEW: 0, NG: 0, NO_READ: 0, ERROR: 0 };
  let escaped = 0;
  let overkilled = 0;
  for (const { entry, answer } of answers) {
    verdicts[answer.verdict]++;
    const isBad = isDefective(entry);
    if (isBad === true && answer.verdict === 'PASS') escaped++;
    if (isBad === false && answer.verdict === 'NG') overkilled++;
  }
  const times = answers.map(({ answer }) => answer.tookMs).sort((a, b) => a - b);
  return { verdicts, escaped, overkilled, medianMs: times[Math.floor(times.length / 2)] ?? 0 };
}

/** Null where nobody has said. */
function isDefective({ label }: SampleEntry): boolean | null {
  return label?.kind === 'defect' ? label.defect !== null : null;
}

function truthOf({ label, group }: SampleEntry): string | null {
  if (label?.kind === 'defect') return label.defect ?? GOOD;
  return group === '' ? null : group;
}
