// The report of a calibration -> lines for a terminal.
import type { PairedLoss } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';
import { formatBytes, table } from '../units.ts';
import type { CalibratedCut, CalibrationReport, MeasuredRow } from './report.ts';

export function calibrationText(report: CalibrationReport): string[] {
  const { samples, metric, maxLossPoints, confidencePercent, maxBytes } = report;
  const limits = `at most ${maxLossPoints} points, ${confidencePercent} % sure${maxBytes === null ? '' : ` and ${formatBytes(maxBytes)} per frame`}`;
  return [
    `model    ${printable(report.model.file)}`,
    `samples  ${samples.chosenOn} of ${printable(samples.folder)} to choose by, ${samples.judgedOn} others to judge by`,
    `loss     of ${metric}, ${limits}`,
    ...report.cuts.flatMap((cut) => ['', ...cutLines(cut, { maxLossPoints, chosenOn: samples.chosenOn })]),
    ...(report.cuts.length > 1 ? ['', ...overview(report.cuts)] : []),
    ...(report.codecs === null ? [] : ['', `codecs   ${report.codecs}, for kerf plan --codecs`]),
  ];
}

function cutLines(
  { cut, folder, best, nonFinite, measured }: CalibratedCut,
  { maxLossPoints, chosenOn }: { readonly maxLossPoints: number; readonly chosenOn: number },
): string[] {
  const rows = measured.map((row) => [
    row.label === best ? `${row.label} *` : row.label,
    formatBytes(Math.round(row.bytesPerFrame)),
    row.bitsPerValue.toFixed(3),
    row.loss.lossPoints.toFixed(2),
    interval(row.loss),
    row.upperLossPoints.toFixed(2),
    row.chosenLoss === null ? '' : row.chosenLoss.lossPoints.toFixed(2),
    `${row.encodeMs.toFixed(1)} ms`,
    `${row.decodeMs.toFixed(1)} ms`,
  ]);
  const head = ['codec', 'frame', 'bits/value', 'loss', '95 %', 'at most', 'where chosen', 'encode', 'decode'];
  return [
    `cut at ${cut.map(printable).join(', ')}, whole model ${whole(measured)}`,
    ...table([head, ...rows], [1, 2, 3, 5, 6, 7, 8]),
    ...notShown(measured, maxLossPoints),
    ...(nonFinite.samples === 0 ? [] : [notFinite(nonFinite, chosenOn)]),
    best === null ? 'no codec keeps the limits: nothing was written' : `* written to ${folder}`,
  ];
}

/** Codecs that look good enough and are not taken need a word, and what to do. */
function notShown(measured: readonly MeasuredRow[], limit: number): string[] {
  const open = measured.filter(
    ({ upperLossPoints, samplesToShow }) => upperLossPoints > limit && samplesToShow !== null,
  );
  return open.map(
    ({ label, samplesToShow }) =>
      `${label}: what was seen is within the limit, but may be luck; about ${aboutSamples(samplesToShow ?? 0)} samples that judge could show it, or --confidence ask less`,
  );
}

/** Upwards, to two digits: 547 is 550. */
function aboutSamples(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, count))) - 1);
  return Math.ceil(count / step) * step;
}

function notFinite({ values, samples }: CalibratedCut['nonFinite'], chosenOn: number): string {
  if (samples === chosenOn) {
    return `every sample that chooses holds NaN or infinity, ${values} values in all: only lossless brings them back`;
  }
  return `${samples} samples hold ${values} values that are NaN or infinite: such tensors go lossless`;
}

function interval({ lossInterval: { low, high } }: PairedLoss): string {
  return `${low.toFixed(2)} to ${high.toFixed(2)}`;
}

function whole([row]: readonly MeasuredRow[]): string {
  return row === undefined ? 'not measured' : `${row.loss.wholePoints.toFixed(2)} %`;
}

function overview(cuts: readonly CalibratedCut[]): string[] {
  const rows = cuts.map(({ cut, best, measured }) => {
    const row = measured.find(({ label }) => label === best);
    const name = cut.map(printable).join(', ');
    if (row === undefined) return [name, 'none', '', '', ''];
    const { bytesPerFrame, bitsPerValue, loss } = row;
    return [
      name,
      row.label,
      formatBytes(Math.round(bytesPerFrame)),
      bitsPerValue.toFixed(3),
      loss.lossPoints.toFixed(2),
    ];
  });
  return table([['cut', 'codec', 'frame', 'bits/value', 'loss'], ...rows], [2, 3, 4]);
}
