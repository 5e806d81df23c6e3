// Subjects -> what every codec and every image format costs and loses on them.
//
// First bytes and losses of every subject, which takes long, can be stopped and goes on where it was; then the times, which
// want a machine that does nothing else.
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodeBackend } from '@kerf/edge-runtime/node';
import type { BenchOptions } from '../bench.ts';
import { browserTimes } from './browser.ts';
import { measuredSubject } from './measure-subject.ts';
import type { SubjectPart } from './parts.ts';
import type { RateReport, SubjectRates } from './result.ts';
import { type FoundSubject, type RateSubject, rateSubjects } from './subjects.ts';
import { writeTables } from './tables.ts';
import { ROUNDS, timedSubject } from './times.ts';

/** Takes the times of what earlier runs measured, and measures nothing else. */
const KEPT_ONLY = process.env['KERF_RATE_KEPT'] === '1';

export async function measureRates({ full, only, out }: BenchOptions): Promise<RateReport> {
  const extent = full ? 'full' : 'short';
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  const found = chosen(await rateSubjects(), only);
  const measured: { subject: RateSubject; part: SubjectPart }[] = [];
  const missing: { name: string; reason: string }[] = [];
  const subjects: SubjectRates[] = [];
  const browser = await browserTimes(ROUNDS);
  try {
    for (const subject of found) {
      if ('missing' in subject) {
        missing.push({ name: subject.name, reason: subject.missing });
        continue;
      }
      const part = await measuredSubject(subject, { backend, extent, out, keptOnly: KEPT_ONLY });
      if (part === null) missing.push({ name: subject.name, reason: 'left out of this run' });
      else measured.push({ subject, part });
    }
    if (out !== null)
      await writeTables(
        join(out, 'tables'),
        measured.map(({ part }) => part),
      );
    for (const { subject, part } of measured) subjects.push(await timedSubject(subject, part, backend, browser));
  } finally {
    await browser?.close();
    await backend.dispose();
  }
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return {
    format: 'kerf-rate/1',
    isFull: full,
    processor,
    cores: cpus().length,
    load: loadavg()[0] ?? 0,
    node: process.version,
    chromium: browser?.version ?? null,
    subjects,
    missing,
  };
}

/** The one of this name, or all whose names hold it. */
function chosen(subjects: readonly FoundSubject[], only: string | null): readonly FoundSubject[] {
  if (only === null) return subjects;
  const named = subjects.filter(({ name }) => name === only);
  return named.length > 0 ? named : subjects.filter(({ name }) => name.includes(only));
}
