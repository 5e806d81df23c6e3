// A rate report -> rows as the other benches give them, and those of the figures that were promised.
import type { BenchRow } from '../bench.ts';
import type { RateReport, RateRow, SubjectRates } from './result.ts';

const MAX_LOSS = 0.5;
const MAX_BITS = 0.8;
const AIM_BITS = 0.6;
/** Models that must reach it. */
const MODELS = 3;
/** Values of the activation that the time is promised for. */
const VALUES = 200_000;
const MAX_MS = 5;
const MAX_BROWSER = 2;

/** Bytes of every way, against the raw activation of its cut, or the raw pixels of the input. */
export function* plainRows({ subjects }: RateReport): Iterable<BenchRow> {
  for (const subject of subjects) {
    const { name, cuts, rows, inputPixels } = subject;
    for (const row of rows) {
      const cut = cuts.findIndex(({ tensors }) => tensors.join() === row.cut?.join());
      const rawBytes = row.cut === null ? inputPixels.width * inputPixels.height * 3 : cuts[cut]!.values * 4;
      const place = row.cut === null ? 'input' : `cut ${cut + 1}`;
      const bits = row.bitsPerValue === null ? '' : `, ${row.bitsPerValue.toFixed(2)} bit`;
      const entropy = row.entropyBits === null ? '' : ` (order 0: ${row.entropyBits.toFixed(2)})`;
      yield {
        bench: 'rate',
        case: `${name}, ${place}, ${row.label}${bits}${entropy}, loss ${row.lossPoints.toFixed(2)}`,
        value: row.bytesPerFrame,
        unit: 'bytes',
        against: row.cut === null ? 'raw pixels' : 'raw activation',
        ratio: row.bytesPerFrame / rawBytes,
        goal: null,
        met: null,
      };
    }
  }
}

/** What the codec must reach. A model of which nothing keeps the loss has no row. */
export function* goalRows({ subjects }: RateReport): Iterable<BenchRow> {
  const reached: number[] = [];
  for (const subject of subjects) {
    const best = leastBits(subject);
    if (best === null) continue;
    if (!subject.name.includes('fixture')) reached.push(best.bitsPerValue!);
    yield goalRow(`${subject.name}, bits a value at <= ${MAX_LOSS} points: ${best.label}`, best.bitsPerValue!, 'bit', {
      against: 'aim of 0.6 bit',
      ratio: best.bitsPerValue! / AIM_BITS,
      goal: `<= ${MAX_BITS} bit`,
      met: best.bitsPerValue! <= MAX_BITS,
    });
    if (best.entropyBits !== null) {
      yield goalRow(`${subject.name}, coded against order-0 entropy`, best.bitsPerValue!, 'bit', {
        against: 'order-0 entropy',
        ratio: best.bitsPerValue! / best.entropyBits,
        goal: null,
        met: null,
      });
    }
    yield* timeRows(subject, best);
  }
  const count = reached.filter((bits) => bits <= MAX_BITS).length;
  yield goalRow(`models with <= ${MAX_BITS} bit a value at <= ${MAX_LOSS} points`, count, 'models', {
    against: 'models measured',
    ratio: count / Math.max(1, reached.length),
    goal: `>= ${MODELS} models`,
    met: count >= MODELS,
  });
}

/** The smallest that is within the loss, over all cuts. */
function leastBits({ rows }: SubjectRates): RateRow | null {
  const within = rows.filter(({ family, lossPoints }) => family === 'levels' && lossPoints <= MAX_LOSS);
  return within.sort((one, other) => one.bitsPerValue! - other.bitsPerValue!)[0] ?? null;
}

/** Milliseconds as if the activation had 200,000 values. */
function* timeRows({ name, cuts }: SubjectRates, row: RateRow): Iterable<BenchRow> {
  const cut = cuts.find(({ tensors }) => tensors.join() === row.cut?.join());
  // The fixed cost of a small tensor says nothing of a large one.
  if (cut === undefined || cut.values < VALUES / 10) return;
  const scale = VALUES / cut.values;
  for (const part of ['encode', 'decode'] as const) {
    if (row.times === null) continue;
    const ms = row.times[`${part}Ms`] * scale;
    yield goalRow(`${name}, ${part} 200,000 values in Node`, ms, 'ms', {
      against: `${MAX_MS} ms`,
      ratio: ms / MAX_MS,
      goal: `<= ${MAX_MS} ms`,
      met: ms <= MAX_MS,
    });
    if (row.browser === null) continue;
    const browserMs = row.browser[`${part}Ms`] * scale;
    yield goalRow(`${name}, ${part} 200,000 values in Chromium`, browserMs, 'ms', {
      against: 'Node',
      ratio: browserMs / ms,
      goal: `<= ${MAX_BROWSER}`,
      met: browserMs / ms <= MAX_BROWSER,
    });
  }
}

function goalRow(
  name: string,
  value: number,
  unit: string,
  rest: Pick<BenchRow, 'against' | 'ratio' | 'goal' | 'met'>,
): BenchRow {
  return { bench: 'rate', case: name, value, unit, ...rest };
}
