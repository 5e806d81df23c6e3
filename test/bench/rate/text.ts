// A rate report -> Markdown, and the short texts of its numbers.
import { formatBytes } from '@kerf/cli';
import type { CodingTimes, RateReport, RateRow, SubjectRates } from './result.ts';

/** Rows of a subject under the titles of their cuts; images of the input last. */
export function waysOf({ cuts, rows }: SubjectRates): { title: string; rows: RateRow[] }[] {
  const bySize = (list: readonly RateRow[]): RateRow[] =>
    [...list].sort((one, other) => other.bytesPerFrame - one.bytesPerFrame);
  return [
    ...cuts.map(({ tensors, label }, at) => ({
      title: `cut ${at + 1}, ${label}`,
      rows: bySize(rows.filter(({ cut }) => cut?.join() === tensors.join())),
    })),
    { title: 'image of the input', rows: bySize(rows.filter(({ cut }) => cut === null)) },
  ];
}

export function timesText(times: CodingTimes | null): string {
  return times === null ? '' : `${msText(times.encodeMs)} / ${msText(times.decodeMs)}`;
}

function msText(ms: number): string {
  return ms >= 10 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2);
}

export function bitsText(bits: number | null): string {
  return bits === null ? '' : bits.toFixed(bits < 10 ? 2 : 1);
}

export function lossText(points: number): string {
  // No loss at all is another thing than a small one.
  return points === 0 ? '0' : points.toFixed(2).replace('-', '\u2212');
}

/** The committed page; `rate.png`, the charts, lies beside it. */
export function rateMarkdown(report: RateReport): string {
  const { processor, cores, load, node, chromium, subjects, missing, isFull } = report;
  return `${[
    '# Rate against accuracy',
    'What a frame costs and what it loses, in every codec of kerf at several cuts and as an image of the input. Made by ' +
      `\`npm run bench -- rate${isFull ? ' --full' : ''} --out DIR\`, not by hand; ` +
      'how it is measured stands in ' +
      '[METHODOLOGY.md](../test/bench/METHODOLOGY.md#rate).',
    '![bytes of a frame against points lost, a chart for each model](rate.png)',
    'Loss is in points of the metric against the whole model on the same held-out samples, with its 95 % interval; no codec ' +
      'was chosen on them. Times are medians of milliseconds for one frame, in Node and in Chromium ' +
      '(encode / decode), one thread.',
    `${processor}, Node ${node}, ${chromium === null ? 'no Chromium' : `Chromium ${chromium}`}.${loadText(load, cores)}`,
    ...missing.map(({ name, reason }) => `Not measured: ${name} (${reason}).`),
    ...subjects.map(subjectMarkdown),
  ].join('\n\n')}\n`;
}

/** A machine that did other things as well is no place to take times. */
export function loadText(load: number, cores: number): string {
  if (load <= cores) return '';
  return ` While times were taken, ${load.toFixed(1)} processes shared ${cores} cores: **times here are several times too long**, and only their ratios to each other say something.`;
}

function subjectMarkdown(subject: SubjectRates): string {
  const { name, metric, wholePoints, samples, calibratedOn, note } = subject;
  const head = `## ${name}\n\n${metric} of the whole model ${wholePoints.toFixed(2)} on ${samples} samples; levels calibrated on ${calibratedOn} others.${note === null ? '' : ` ${note}`}`;
  const tables = waysOf(subject).map(({ title, rows }) =>
    [
      `### ${title}\n`,
      '| way | bytes a frame | bits a value | order-0 entropy | Node, ms | Chromium, ms | points lost | 95 % |',
      '|---|--:|--:|--:|--:|--:|--:|--:|',
      ...rows.map(rowMarkdown),
    ].join('\n'),
  );
  return [head, ...tables].join('\n\n');
}

function rowMarkdown(row: RateRow): string {
  const { times, browser, lossInterval } = row;
  const cells = [
    row.label,
    formatBytes(Math.round(row.bytesPerFrame)),
    bitsText(row.bitsPerValue),
    bitsText(row.entropyBits),
    timesText(times),
    timesText(browser),
    lossText(row.lossPoints),
    `${lossText(lossInterval.low)} to ${lossText(lossInterval.high)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}
