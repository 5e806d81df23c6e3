// Facts -> entries of the audit table, in the transaction that makes them true.
import { KerfError } from '@kerf/protocol';
import { one, type Sql } from '../store/database.ts';
import { type AuditCheckpoint, type AuditEntry, type AuditFact, CHECKPOINT_FORMAT, chainEntry } from './chain.ts';

/** Characters of an entry's detail; what is longer belongs elsewhere. */
const MAX_DETAIL = 65_536;

/** Appends within a transaction, which alone writes at that time. */
export async function appendAudit(sql: Sql, fact: AuditFact, nowMs: number): Promise<AuditEntry> {
  const entry = chainEntry(await lastEntry(sql), fact, nowMs);
  if (entry.detail.length > MAX_DETAIL)
    throw new KerfError('INTERNAL', `the audit entry of '${fact.action}' is too long`);
  const { number, at, actor, action, subject, detail, previous, hash } = entry;
  await sql.all(
    `INSERT INTO audit (number, at, actor, action, subject, detail, previous, hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [number, at, actor, action, subject, detail, previous, hash],
  );
  return entry;
}

function lastEntry(sql: Sql): Promise<AuditEntry | null> {
  return one<AuditEntry>(sql, 'SELECT * FROM audit ORDER BY number DESC LIMIT 1');
}

/** Entries behind `after`, oldest first. */
export function auditEntries(sql: Sql, after: number, limit: number): Promise<AuditEntry[]> {
  return sql.all<AuditEntry>(
    `SELECT number, at, actor, action, subject, detail, previous, hash FROM audit
     WHERE number > $1 ORDER BY number LIMIT $2`,
    [after, limit],
  );
}

/** The newest entry, to be kept outside of the registry; null of an empty log. */
export async function auditCheckpoint(sql: Sql): Promise<AuditCheckpoint | null> {
  const last = await lastEntry(sql);
  return last === null ? null : { format: CHECKPOINT_FORMAT, number: last.number, hash: last.hash, at: last.at };
}
