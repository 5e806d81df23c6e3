// Subjects -> what every codec and every image format costs and loses on them.
//
// First bytes and losses of every subject, which takes long, can be stopped, goes on where it was and comes out the same on
// a machine with other work; then the times, which want a machine that does nothing else.
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

/** One of the two alone: `rates` takes no times, `times` takes those of what is kept in the folder and measures nothing else. */
const PASSES = ['rates', 'times'] as const;

export async function measureRates({ full, only, out }: BenchOptions): Promise<RateReport> {
  const extent = full ? 'full' : 'short';
  const pass = chosenPass(out);
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  const found = chosen(await rateSubjects(), only);
  const measured: { subject: RateSubject; part: SubjectPart }[] = [];
  const missing: { name: string; reason: string }[] = [];
  const subjects: SubjectRates[] = [];
  const browser = pass === 'rates' ? null : await browserTimes(ROUNDS);
  try {
    for (const subject of found) {
      if ('missing' in subject) {
        missing.push({ name: subject.name, reason: subject.missing });
        continue;
      }
      const { part, left } = await measuredSubject(subject, { backend, extent, out, keptOnly: pass === 'times' });
      for (const name of left) missing.push({ name, reason: 'no earlier run kept it' });
      if (part !== null) measured.push({ subject, part });
    }
    if (out !== null)
      await writeTables(
        join(out, 'tables'),
        measured.map(({ part }) => part),
      );
    for (const { subject, part } of measured) {
      subjects.push(pass === 'rates' ? part.rates : await timedSubject(subject, part, backend, browser));
    }
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

function chosenPass(out: string | null): (typeof PASSES)[number] | null {
  const asked = process.env['KERF_RATE_PASS'];
  if (asked === undefined) return null;
  const pass = PASSES.find((each) => each === asked);
  if (pass === undefined) throw new TypeError(`KERF_RATE_PASS is '${asked}'; it may be ${PASSES.join(' or ')}`);
  if (out === null) throw new TypeError('KERF_RATE_PASS needs --out DIR, where one pass keeps what the other reads');
  return pass;
}

/** The one of this name, or all whose names hold it. */
function chosen(subjects: readonly FoundSubject[], only: string | null): readonly FoundSubject[] {
  if (only === null) return subjects;
  const named = subjects.filter(({ name }) => name === only);
  return named.length > 0 ? named : subjects.filter(({ name }) => name.includes(only));
}
