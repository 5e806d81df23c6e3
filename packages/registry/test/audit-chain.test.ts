// Entries that follow each other; and every way to change the log after the fact.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuditCheckpoint, type AuditEntry, ChainCheck, chainEntry, hashOfEntry } from '../src/audit/chain.ts';

function logOf(count: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let at = 0; at < count; at++) {
    const fact = { actor: `person-${at % 3}`, action: 'rollout.paused', subject: `r${at}`, detail: { at } };
    entries.push(chainEntry(entries.at(-1) ?? null, fact, 1000 + at));
  }
  return entries;
}

function check(entries: readonly AuditEntry[], checkpoints: readonly AuditCheckpoint[] = []): void {
  const chain = new ChainCheck(checkpoints);
  for (const entry of entries) chain.take(entry);
  chain.finish();
}

const checkpointOf = ({ number, hash, at }: AuditEntry): AuditCheckpoint => ({
  format: 'kerf-audit-checkpoint/1',
  number,
  hash,
  at,
});

const log = logOf(20);

test('a log as it was written holds, with a checkpoint anywhere in it', () => {
  check([]);
  check(log);
  for (const entry of log) check(log, [checkpointOf(entry)]);
});

describe('found out', () => {
  test('any change of any field of any entry', () => {
    fc.assert(
      fc.property(
        fc.nat(log.length - 1),
        fc.constantFrom('number', 'at', 'actor', 'action', 'subject', 'detail', 'previous', 'hash'),
        (at, field) => {
          const entry = log[at] as AuditEntry;
          const value = entry[field as keyof AuditEntry];
          const changed = { ...entry, [field]: typeof value === 'number' ? value + 1 : `${value} ` };
          expect(() => check(log.with(at, changed))).toThrow(
            expect.objectContaining({
              code: 'AUDIT_BROKEN',
              details: expect.objectContaining({ number: at + 1 }) as object,
            }),
          );
        },
      ),
    );
  });

  test('a change whose own hash was made anew, by the entry behind it', () => {
    const entry = { ...(log[7] as AuditEntry), actor: 'nobody' };
    const forged = { ...entry, hash: hashOfEntry(entry) };
    expect(() => check(log.with(7, forged))).toThrow(
      expect.objectContaining({ details: { number: 9, why: { kind: 'audit-order' } } }),
    );
  });

  test.each([
    ['an entry taken out', log.toSpliced(4, 1), 5],
    ['two entries exchanged', log.toSpliced(4, 2, log[5] as AuditEntry, log[4] as AuditEntry), 5],
    ['an entry twice', log.toSpliced(4, 0, log[4] as AuditEntry), 6],
    ['the first one gone', log.slice(1), 1],
  ])('%s', (_name, entries, number) => {
    expect(() => check(entries)).toThrow(
      expect.objectContaining({ code: 'AUDIT_BROKEN', details: expect.objectContaining({ number }) as object }),
    );
  });

  test('a tail that was cut, and a log that was written anew, by a checkpoint', () => {
    const checkpoint = checkpointOf(log[14] as AuditEntry);
    check(log.slice(0, 15), [checkpoint]);
    expect(() => check(log.slice(0, 14), [checkpoint])).toThrow(/was cut, a checkpoint saw entry 15/);
    const anew: AuditEntry[] = [];
    for (const { actor, action, subject } of log) {
      anew.push(chainEntry(anew.at(-1) ?? null, { actor, action, subject, detail: {} }, 0));
    }
    check(anew);
    expect(() => check(anew, [checkpoint])).toThrow(/written anew/);
  });
});
