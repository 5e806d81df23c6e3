// The report of an evaluation -> lines for a terminal.
import type { GroupReport, Interval, Measured, Rate, TaskReport } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';
import { formatBytes, table } from '../units.ts';
import type { EvaluationReport } from './report.ts';

export function evaluationText(report: EvaluationReport): string[] {
  const { task, traffic, against } = report;
  const groups = groupTable(task);
  return [
    `model      ${printable(report.model.file)}`,
    `placement  ${report.placement}`,
    `samples    ${task.samples} of ${printable(report.samples.folder)}`,
    ...(traffic === null ? [] : [`sent       ${sent(traffic)}`]),
    '',
    ...table(figures(task), [1]),
    ...(task.verdicts === null ? [] : ['', ...verdictLines(task.verdicts)]),
    ...(groups.length === 0 ? [] : ['', ...groups]),
    ...(against === null ? [] : ['', ...lossLines(against)]),
  ];
}

function sent({ bytesPerFrame, bitsPerValue, nonFinite }: NonNullable<EvaluationReport['traffic']>): string {
  const rate = bitsPerValue === null ? '' : `, ${bitsPerValue.toFixed(3)} bits per value`;
  const found = nonFinite === 0 ? '' : `; ${nonFinite} values were NaN or infinite: such tensors went lossless`;
  return `${formatBytes(Math.round(bytesPerFrame))} per frame${rate}${found}`;
}

function figures({ metric, pixelAuroc, imageAuroc }: TaskReport): string[][] {
  const area = (name: string, measured: Measured | null): string[][] =>
    measured === null ? [] : [[name, measured.value.toFixed(4), between(measured.interval, 4)]];
  return [
    ...(metric === null ? [] : [[metric.name, `${metric.points.toFixed(2)} %`, between(metric.interval, 2)]]),
    ...area('pixel AUROC', pixelAuroc),
    ...area('image AUROC', imageAuroc),
  ];
}

function between({ low, high }: Interval, digits: number): string {
  return `95 %: ${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}

function verdictLines(verdicts: NonNullable<TaskReport['verdicts']>): string[] {
  const { passBelow, ngAbove, escape, overkill, goodNotPassed, review } = verdicts;
  const row = (name: string, meaning: string, { count, of, share, interval }: Rate): string[] => [
    name,
    share === null ? '-' : `${(100 * share).toFixed(1)} %`,
    `${count} of ${of}`,
    `95 %: ${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)} %`,
    meaning,
  ];
  return [
    `verdicts   PASS below ${passBelow}, NG from ${ngAbove} on, REVIEW between`,
    ...table(
      [
        row('escape', 'defective parts that got PASS', escape),
        row('overkill', 'good parts that got NG', overkill),
        row('good, not passed', 'good parts that got NG or REVIEW', goodNotPassed),
        row('review load', 'parts that a person must look at', review),
      ],
      [1, 2],
    ),
  ];
}

function groupTable({ groups, kind, metric }: TaskReport): string[] {
  if (groups.length === 0) return [];
  const hasVerdicts = groups.some(({ verdicts }) => verdicts !== null);
  const hasArea = groups.some(({ imageAuroc }) => imageAuroc !== null);
  const head = [
    kind === 'class' ? 'class' : 'kind',
    'samples',
    ...(metric === null ? [] : [metric.name]),
    ...(hasArea ? ['image AUROC'] : []),
    ...(hasVerdicts ? ['PASS', 'REVIEW', 'NG'] : []),
  ];
  const row = (group: GroupReport): string[] => [
    printable(group.name),
    String(group.samples),
    ...(metric === null ? [] : [group.points === null ? '-' : `${group.points.toFixed(1)} %`]),
    ...(hasArea ? [group.imageAuroc === null ? '-' : group.imageAuroc.toFixed(3)] : []),
    ...(group.verdicts === null ? [] : [group.verdicts.pass, group.verdicts.review, group.verdicts.ng].map(String)),
  ];
  return table([head, ...groups.map(row)], [1, 2, 3, 4, 5, 6]);
}

function lossLines(against: NonNullable<EvaluationReport['against']>): string[] {
  const { model, metric, wholePoints, lossPoints, lossInterval } = against;
  const { low, high } = lossInterval;
  return [
    `against    ${printable(model.file)}, the whole model on the inputs as they are: ${metric} ${wholePoints.toFixed(2)} %`,
    `loss       ${lossPoints.toFixed(2)} points, 95 %: ${low.toFixed(2)} to ${high.toFixed(2)}, same samples`,
  ];
}
