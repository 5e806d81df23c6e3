// A demo's result -> text for a terminal: a table, where the time went, the verdict. Without colours.

import { formatDifference, formatMs, formatRate, formatSettingMs } from '../page/format.ts';
import { rateText } from '../plan/codec-sentences.ts';
import { formatBytes, table } from '../units.ts';
import type {
  DemoAnswer,
  DemoCodec,
  DemoLink,
  DemoModel,
  DemoPart,
  DemoReport,
  DemoRow,
  DemoRun,
  SpanPlace,
} from './report.ts';
import { judge } from './verdict.ts';

const MIN_COLUMNS = 80;
/** Told apart by shape. */
const INK: Readonly<Record<SpanPlace, string>> = { edge: '█', link: '░', cloud: '▓' };

/** The report in lines of at most `columns` characters (80 or more). */
export function renderText(report: DemoReport, columns = 110): string {
  const width = Math.max(MIN_COLUMNS, columns);
  const { machine } = report;
  const lines = [
    ...wrap(`Edge: ${machine.edge}.`, width),
    ...wrap(`Cloud: ${machine.cloud}.`, width),
    ...report.models.flatMap((model) => ['', ...modelLines(model, width)]),
  ];
  // Names come from models: they may not move the cursor or break a line.
  return `${lines.map((line) => line.replace(/\p{Cc}/gu, '\ufffd').trimEnd()).join('\n')}\n`;
}

function modelLines({ title, inputShape, codec, parts, runs }: DemoModel, width: number): string[] {
  const heading = shorten(`${title}, input [${inputShape.join(', ')}]`, width);
  return [
    heading,
    '-'.repeat(heading.length),
    ...wrap(codecText(codec), width),
    '',
    ...partLines(parts, codec.label),
    ...runs.flatMap((run) => ['', ...runLines(run, width)]),
  ];
}

/** Where the model is cut, and the codec there. */
export function codecText({ cut, label, bitsPerValue, loss }: DemoCodec): string {
  return `Cut at ${cut.join(' + ')}. Codec there: ${label}, ${rateText(bitsPerValue)}. Loss in calibration: ${loss}.`;
}

/** What whole and split say of each part. */
function partLines(parts: readonly DemoPart[], codec: string): string[] {
  if (parts.length === 0) return ['No part was answered.'];
  const cells = parts.map(({ truth, whole, split }) => [
    truth === '' ? '?' : truth,
    answerText(whole),
    split === null ? '-' : answerText(split),
    split !== null && split.verdict !== whole.verdict ? 'another verdict' : '',
  ]);
  return table([['part', 'whole model', `split, ${codec}`, ''], ...cells], []);
}

export function answerText({ verdict, score }: DemoAnswer): string {
  return `${verdict === null ? 'score' : verdict} ${score.toFixed(2)}`;
}

function runLines(run: DemoRun, width: number): string[] {
  const verdict = judge(run);
  return [
    linkText(run.link),
    ...tableLines(run.rows, width),
    '',
    ...waterfallLines(run.rows, width),
    '',
    ...wrap(verdict.headline, width),
    ...verdict.reasons.flatMap((reason) => wrap(reason, width, '  ')),
  ];
}

export function linkText({
  uplinkBitsPerSecond: up,
  downlinkBitsPerSecond: down,
  roundTripMs,
  jitterMs,
}: DemoLink): string {
  const jitter = jitterMs > 0 ? `, up to ${formatSettingMs(jitterMs)} jitter each way` : '';
  const rates = up === down ? `${formatRate(up)} up and down` : `${formatRate(up)} up, ${formatRate(down)} down`;
  return `Link: ${rates}, ${formatSettingMs(roundTripMs)} round trip${jitter}`;
}

const HEADS = ['placement', 'p50 ms', 'p99 ms', 'up', 'down', 'moves', 'verdicts', 'IoU %', ''];
const NUMBERS = [1, 2, 3, 4, 5, 6, 7];
/** What the columns beside the label take at most. */
const NUMBER_COLUMNS = 66;
const MIN_LABEL = 12;

function tableLines(rows: readonly DemoRow[], width: number): string[] {
  const fastestMs = Math.min(...rows.filter((row) => row.framesMeasured > 0).map((row) => row.p50Ms));
  const cells = rows.map((row) => [
    shorten(row.label, Math.max(MIN_LABEL, width - NUMBER_COLUMNS)),
    ...(row.framesMeasured === 0 ? ['-', '-', '-', '-', '-', '-', '-', ''] : cellsOf(row, row.p50Ms === fastestMs)),
  ]);
  const notes = rows.flatMap((row) => (row.note === undefined ? [] : wrap(`${row.label}: ${row.note}`, width, '  ')));
  return [...table([HEADS, ...cells], NUMBERS), ...notes];
}

function cellsOf(row: DemoRow, isFastest: boolean): string[] {
  return [
    formatMs(row.p50Ms),
    formatMs(row.p99Ms),
    formatBytes(row.bytesUpPerFrame),
    formatBytes(row.bytesDownPerFrame),
    formatDifference(row.maxAbsDifference),
    row.sameVerdicts === null ? '-' : `${row.sameVerdicts}/${row.parts}`,
    row.pixelIou === null ? '-' : row.pixelIou.toFixed(1),
    isFastest ? 'fastest' : '',
  ];
}

/** A bar per placement, to one scale, and its spans under it. */
function waterfallLines(rows: readonly DemoRow[], width: number): string[] {
  const measured = rows.filter((row) => row.framesMeasured > 0);
  const totals = measured.map((row) => row.spans.reduce((sum, span) => sum + span.medianMs, 0));
  const longestMs = Math.max(...totals, 0);
  if (longestMs === 0) return ['No spans were measured.'];
  const barColumns = width - 2;
  const scale = barColumns / longestMs;
  return [
    `Where the time goes, medians, ${formatMs(longestMs)} ms wide: ${INK.edge} edge  ${INK.link} link  ${INK.cloud} cloud`,
    ...measured.flatMap((row) => [
      row.label,
      `  ${bar(row, scale)}`,
      ...wrap(row.spans.map((span) => `${span.name} ${formatMs(span.medianMs)}`).join(' · '), width, '  '),
    ]),
  ];
}

/** Every span ends where it should to a column, so that bars of equal time are equally long. */
function bar(row: DemoRow, scale: number): string {
  let text = '';
  let endMs = 0;
  for (const span of row.spans) {
    endMs += span.medianMs;
    text += INK[span.place].repeat(Math.max(0, Math.round(endMs * scale) - text.length));
  }
  return text;
}

function shorten(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

/** Breaks at spaces; a word longer than a line is cut. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const room = width - indent.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((word) => word.match(new RegExp(`.{1,${room}}`, 'gsu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(indent + line);
  return lines;
}
