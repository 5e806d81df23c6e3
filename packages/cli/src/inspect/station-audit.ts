// What people change at a station -> a file in which each line covers the one before it, and whether it still does.
import { createReadStream } from 'node:fs';
import { open, truncate } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type AuditEntryView, type AuditView, faultView } from '@kerf/bridge';
import { errorWithWhy, KerfError, messageOf } from '@kerf/protocol';
import { type AuditCause, type AuditEntry, type AuditFact, ChainCheck, chainEntry } from '@kerf/registry';

export class StationAudit {
  readonly #path: string;
  readonly #now: () => number;
  #last: Pick<AuditEntry, 'number' | 'hash'> | null = null;
  /** One after the other: each entry needs the hash of the one before it. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** A line that a loss of power cut short was never acknowledged, and goes. @param path made when it is not there */
  static async open(path: string, now: () => number = Date.now): Promise<StationAudit> {
    const audit = new StationAudit(path, now);
    const file = await open(path, 'a+', 0o600);
    try {
      const text = await file.readFile('utf8');
      const whole = text.lastIndexOf('\n') + 1;
      if (whole < text.length) await truncate(path, Buffer.byteLength(text.slice(0, whole)));
      const last = text.slice(0, whole).trimEnd().split('\n').at(-1) ?? '';
      audit.#last = last === '' ? null : (entryOf(last) ?? { number: 0, hash: '' });
    } finally {
      await file.close();
    }
    return audit;
  }

  /** Resolves when the entry is safe on the disk. @throws {KerfError} DISK_FULL and the like: then nothing was written. */
  append(fact: AuditFact): Promise<void> {
    const written = this.#writing.then(() => this.#append(fact));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** The newest entries, after all of them have been checked. */
  async view(limit: number): Promise<AuditView> {
    await this.#writing;
    const newest: AuditEntryView[] = [];
    const chain = new ChainCheck();
    let total = 0;
    let broken: AuditView['broken'] = null;
    for await (const line of createInterface({
      input: createReadStream(this.#path),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      const entry = entryOf(line);
      total++;
      try {
        if (broken === null) chain.take(entry ?? garbled(total));
      } catch (error) {
        broken = { entry: total, ...faultView(KerfError.from(error, 'AUDIT_BROKEN', messageOf(error))) };
      }
      if (entry === null) continue;
      newest.push(viewOf(entry));
      if (newest.length > limit) newest.shift();
    }
    return { entries: newest.reverse(), total, broken };
  }

  async #append(fact: AuditFact): Promise<void> {
    const entry = chainEntry(this.#last, fact, this.#now());
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.appendFile(`${JSON.stringify(entry)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#last = entry;
  }
}

/** @throws {KerfError} AUDIT_BROKEN. */
function garbled(number: number): never {
  const why: AuditCause = { kind: 'audit-garbled' };
  throw errorWithWhy('AUDIT_BROKEN', `audit entry ${number} is no entry any more`, why);
}

function entryOf(line: string): AuditEntry | null {
  try {
    const value = JSON.parse(line) as AuditEntry;
    return typeof value.number === 'number' && typeof value.hash === 'string' ? value : null;
  } catch {
    return null;
  }
}

function viewOf({ number, at, actor, action, subject, detail, hash }: AuditEntry): AuditEntryView {
  return { number, at: new Date(at).toISOString(), actor, action, subject, detail, hash };
}
