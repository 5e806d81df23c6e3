// What happened -> an entry whose hash covers the entry before it; entries -> whether the chain holds.
import { createHash } from 'node:crypto';
import { errorWithWhy, type KerfError } from '@kerf/protocol';

export interface AuditFact {
  /** Who: the subject of a token, `device:ID`, or `registry` for what it did by itself. */
  readonly actor: string;
  /** What: `device.enrolled`, `rollout.stopped`, ... */
  readonly action: string;
  /** Of what: an id. */
  readonly subject: string;
  /** Plain JSON. Never a secret. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditEntry {
  /** Counts up from 1 without gaps. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** JSON as it was hashed. */
  readonly detail: string;
  /** Hash of the entry before; of the first one, 64 zeros. */
  readonly previous: string;
  /** Hex SHA-256 over all of the above. */
  readonly hash: string;
}

/** An entry that was copied elsewhere: a log that does not reach it, or has another hash there, was changed. */
export interface AuditCheckpoint {
  readonly format: typeof CHECKPOINT_FORMAT;
  readonly number: number;
  readonly hash: string;
  readonly at: number;
}

export const CHECKPOINT_FORMAT = 'kerf-audit-checkpoint/1';
export const AUDIT_START = '0'.repeat(64);

/** The next entry behind `last`. */
export function chainEntry(last: Pick<AuditEntry, 'number' | 'hash'> | null, fact: AuditFact, at: number): AuditEntry {
  const entry = {
    number: (last?.number ?? 0) + 1,
    at,
    actor: fact.actor,
    action: fact.action,
    subject: fact.subject,
    detail: JSON.stringify(fact.detail),
    previous: last?.hash ?? AUDIT_START,
  };
  return { ...entry, hash: hashOfEntry(entry) };
}

/** JSON of a list is one text for one list of values: nothing can be moved from one field into the next. */
export function hashOfEntry(entry: Omit<AuditEntry, 'hash'>): string {
  const { number, at, actor, action, subject, detail, previous } = entry;
  const text = JSON.stringify([number, at, actor, action, subject, detail, previous]);
  return createHash('sha256').update(text).digest('hex');
}

type AuditBreak = 'missing' | 'order' | 'changed' | 'anew' | 'garbled';

/** How an entry does not hold; `audit-garbled`: it is no entry any more. */
export type AuditCause = { readonly kind: `audit-${AuditBreak}` };

/** Checks entries as they come, in order; keeps one of them. */
export class ChainCheck {
  #last: AuditEntry | null = null;
  readonly #checkpoints: Map<number, AuditCheckpoint>;

  constructor(checkpoints: readonly AuditCheckpoint[] = []) {
    this.#checkpoints = new Map(checkpoints.map((checkpoint) => [checkpoint.number, checkpoint]));
  }

  get last(): AuditEntry | null {
    return this.#last;
  }

  /** @throws {KerfError} AUDIT_BROKEN naming the entry. */
  take(entry: AuditEntry): void {
    const expected = (this.#last?.number ?? 0) + 1;
    if (entry.number !== expected) {
      if (entry.number > expected) throw broken(expected, 'missing', 'is missing');
      throw broken(expected, 'order', `is out of order: entry ${entry.number} stands there`);
    }
    if (entry.previous !== (this.#last?.hash ?? AUDIT_START))
      throw broken(expected, 'order', 'does not follow the one before it');
    if (entry.hash !== hashOfEntry(entry)) throw broken(expected, 'changed', 'was changed: its hash does not hold');
    const checkpoint = this.#checkpoints.get(entry.number);
    if (checkpoint !== undefined && checkpoint.hash !== entry.hash) {
      throw broken(expected, 'anew', 'is another one than when the checkpoint was taken: the log was written anew');
    }
    this.#last = entry;
  }

  /** After the last entry. @throws {KerfError} AUDIT_BROKEN when the log ends before a checkpoint. */
  finish(): void {
    const reached = this.#last?.number ?? 0;
    for (const { number } of this.#checkpoints.values()) {
      if (number > reached) {
        throw broken(reached + 1, 'missing', `is missing: the log was cut, a checkpoint saw entry ${number}`);
      }
    }
  }
}

function broken(number: number, how: AuditBreak, what: string): KerfError {
  const why: AuditCause = { kind: `audit-${how}` };
  return errorWithWhy('AUDIT_BROKEN', `audit entry ${number} ${what}`, why, { details: { number } });
}
