// What a recorded session holds, whoever writes or reads it, and what of a verdict must be the same when it is replayed.
import type { Thresholds } from '@kerf/splitter';
import type { Picture } from '../capture/capture.ts';
import type { Task } from '../station/judge/judge.ts';
import type { ResultRecord } from '../station/result-record.ts';

export const SESSION_FORMAT = 'kerf-session/1';

export interface SessionHead {
  readonly station: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Of the model that ran at the start. */
  readonly release: string;
  /** Path of the station file that ran, and its SHA-256. */
  readonly file: string;
  readonly fileSha256: string;
  /** Name of the session that this one repeats; null for one that happened. */
  readonly replayOf: string | null;
}

/** Who judged, by the `thresholdsVersion` of records. */
export interface SessionSettings {
  readonly version: string;
  readonly task: Task;
  readonly thresholds: Thresholds;
}

export interface SessionPart {
  readonly record: ResultRecord;
  /** As it came; null for a part without one, and in records after the first. */
  readonly picture: Extract<Picture, { kind: 'encoded' }> | null;
}

/** The same text for the same verdict, bit for bit: what is said of the part, not when, where, or under which id. */
export function verdictText({ verdict, reason, score, scores, boxes, mask }: ResultRecord): string {
  return JSON.stringify([verdict, reason?.code ?? null, score, scores, boxes, mask]);
}
