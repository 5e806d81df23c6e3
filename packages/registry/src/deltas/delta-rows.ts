// Deltas <-> rows: asked for, being made, ready, not worth it, given up.
import { KerfError } from '@kerf/protocol';
import type { RegistryContext } from '../context.ts';
import { one, type Sql } from '../store/database.ts';
import { type DeltaStep, MAX_HOPS } from './choose-route.ts';

export const DELTA_STATES = ['queued', 'making', 'ready', 'useless', 'failed'] as const;
/** `useless`: it would save less than a fifth. */
export type DeltaState = (typeof DELTA_STATES)[number];

export interface DeltaRow {
  readonly from: string;
  readonly to: string;
  readonly state: DeltaState;
  readonly bytes: number | null;
  /** Of the target, how much is made and how much there is. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly attempts: number;
  readonly reason: string | null;
}

const COLUMNS = `from_sha256, to_sha256, state, bytes, done_bytes AS "doneBytes", total_bytes AS "totalBytes", attempts,
  reason`;

interface Ends {
  readonly from_sha256: string;
  readonly to_sha256: string;
}

/** `from` is a word of SQL. */
function named<T extends Ends>({ from_sha256: from, to_sha256: to, ...rest }: T): Omit<T, keyof Ends> & DeltaEnds {
  return { from, to, ...rest };
}

interface DeltaEnds {
  readonly from: string;
  readonly to: string;
}

async function oneRow(sql: Sql, rest: string, values: readonly (string | number)[]): Promise<DeltaRow | null> {
  const row = await one<Omit<DeltaRow, keyof DeltaEnds> & Ends>(sql, `SELECT ${COLUMNS} FROM deltas ${rest}`, values);
  return row === null ? null : named(row);
}

export function deltaRow(sql: Sql, from: string, to: string): Promise<DeltaRow | null> {
  return oneRow(sql, 'WHERE from_sha256 = $1 AND to_sha256 = $2', [from, to]);
}

/** A file of a release. */
export interface KnownFile {
  readonly releaseId: string;
  /** Of the model. */
  readonly model: string;
  readonly name: string;
  readonly bytes: number;
  readonly role: string;
}

/** Where a file is used, in the latest release that has it. */
export function knownFile(sql: Sql, sha256: string): Promise<KnownFile | null> {
  return one<KnownFile>(
    sql,
    `SELECT release_id AS "releaseId", releases.name AS model, release_files.name AS name, bytes, role
     FROM release_files JOIN releases ON releases.id = release_id WHERE sha256 = $1 ORDER BY sequence DESC LIMIT 1`,
    [sha256],
  );
}

/**
 * Puts a delta into the queue, unless it is there or was there.
 * @param from hex SHA-256, or `none`
 * @throws {KerfError} NOT_FOUND when no release has the files, INVALID_ARGUMENT for files of different models, OVERLOADED.
 */
export async function askDelta(
  { database, limits, wallNowMs }: RegistryContext,
  from: string,
  to: string,
): Promise<DeltaRow> {
  const known = await deltaRow(database, from, to);
  if (known !== null) return known;
  const target = await knownFile(database, to);
  const base = from === 'none' ? target : await knownFile(database, from);
  if (target === null || base === null || from === to) {
    throw new KerfError('NOT_FOUND', 'no two files of releases have these hashes');
  }
  if (base.model !== target.model) {
    throw new KerfError('INVALID_ARGUMENT', `the files belong to '${base.model}' and '${target.model}'`);
  }
  return database.transaction(async (sql) => {
    const waiting = await one<{ n: number }>(
      sql,
      "SELECT count(*) AS n FROM deltas WHERE state IN ('queued', 'making')",
    );
    if ((waiting?.n ?? 0) >= limits.maxQueuedDeltas) {
      throw new KerfError('OVERLOADED', `${limits.maxQueuedDeltas} deltas wait to be made: ask later`);
    }
    const nowMs = wallNowMs();
    await sql.all(
      `INSERT INTO deltas (from_sha256, to_sha256, state, done_bytes, total_bytes, attempts, asked_at, changed_at)
       VALUES ($1, $2, 'queued', 0, $3, 0, $4, $4) ON CONFLICT (from_sha256, to_sha256) DO NOTHING`,
      [from, to, target.bytes, nowMs],
    );
    return (await deltaRow(sql, from, to)) as DeltaRow;
  });
}

/** Takes the one that has waited longest, or whose maker has not been heard of. */
export async function claimDelta(
  { database, limits, wallNowMs }: RegistryContext,
  owner: string,
): Promise<DeltaRow | null> {
  const nowMs = wallNowMs();
  const where = "state = 'queued' OR (state = 'making' AND lease_until < $1)";
  if ((await one(database, `SELECT 1 AS one FROM deltas WHERE ${where} LIMIT 1`, [nowMs])) === null) return null;
  return database.transaction(async (sql) => {
    const row = await oneRow(sql, `WHERE ${where} ORDER BY asked_at LIMIT 1`, [nowMs]);
    if (row === null) return null;
    await sql.all(
      `UPDATE deltas SET state = 'making', owner = $1, lease_until = $2, attempts = attempts + 1, done_bytes = 0,
         changed_at = $3 WHERE from_sha256 = $4 AND to_sha256 = $5`,
      [owner, nowMs + limits.deltaLeaseMs, nowMs, row.from, row.to],
    );
    return { ...row, attempts: row.attempts + 1 };
  });
}

/** Says how far it is. @returns false when another has taken it over meanwhile */
export async function keepLease(
  { database, limits, wallNowMs }: RegistryContext,
  owner: string,
  { from, to }: DeltaRow,
  doneBytes: number,
): Promise<boolean> {
  const nowMs = wallNowMs();
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `UPDATE deltas SET done_bytes = $1, lease_until = $2, changed_at = $3
       WHERE from_sha256 = $4 AND to_sha256 = $5 AND owner = $6 AND state = 'making' RETURNING state`,
      [doneBytes, nowMs + limits.deltaLeaseMs, nowMs, from, to, owner],
    );
    return rows.length === 1;
  });
}

export interface DeltaEnd {
  readonly state: Exclude<DeltaState, 'making'>;
  readonly bytes: number | null;
  readonly indexSha256: string | null;
  readonly reason: string | null;
  /** It was not its fault: the attempt does not count. */
  readonly isInnocent?: boolean;
}

export async function endDelta(
  { database, wallNowMs }: RegistryContext,
  { from, to, totalBytes }: DeltaRow,
  { state, bytes, indexSha256, reason, isInnocent = false }: DeltaEnd,
): Promise<void> {
  const doneBytes = state === 'queued' ? 0 : totalBytes;
  await database.transaction(async (sql) => {
    await sql.all(
      `UPDATE deltas SET state = $1, bytes = $2, index_sha256 = $3, reason = $4, owner = NULL, lease_until = NULL,
         done_bytes = $8, changed_at = $5, attempts = attempts - $9
       WHERE from_sha256 = $6 AND to_sha256 = $7`,
      [state, bytes, indexSha256, reason, wallNowMs(), from, to, doneBytes, isInnocent ? 1 : 0],
    );
  });
}

/** A delta that a publisher has sent. */
export async function putDelta(
  { database, wallNowMs }: RegistryContext,
  step: DeltaStep & { readonly totalBytes: number; readonly indexSha256: string },
): Promise<void> {
  const nowMs = wallNowMs();
  await database.transaction(async (sql) => {
    await sql.all(
      `INSERT INTO deltas (from_sha256, to_sha256, state, bytes, index_sha256, done_bytes, total_bytes, attempts, asked_at,
         changed_at) VALUES ($1, $2, 'ready', $3, $4, $5, $5, 0, $6, $6) ON CONFLICT (from_sha256, to_sha256) DO NOTHING`,
      [step.from, step.to, step.bytes, step.indexSha256, step.totalBytes, nowMs],
    );
  });
}

/** Ready deltas on ways of at most {@link MAX_HOPS} hops that end at a file. */
export async function deltasTowards(sql: Sql, to: string): Promise<DeltaStep[]> {
  const steps: DeltaStep[] = [];
  let ends = [to];
  const seen = new Set(ends);
  for (let hop = 0; hop < MAX_HOPS && ends.length > 0; hop++) {
    const found: DeltaStep[] = [];
    for (const end of ends) {
      const rows = await sql.all<Ends & Pick<DeltaStep, 'bytes'>>(
        "SELECT from_sha256, to_sha256, bytes FROM deltas WHERE to_sha256 = $1 AND state = 'ready' LIMIT 64",
        [end],
      );
      found.push(...rows.map(named));
    }
    steps.push(...found);
    ends = [...new Set(found.map(({ from }) => from))].filter((from) => from !== 'none' && !seen.has(from));
    for (const end of ends) seen.add(end);
  }
  return steps;
}
