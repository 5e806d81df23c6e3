// The report of an evaluation -> lines for a terminal.
import type { GroupReport, Interval, Measured, Rate, TaskReport, VerdictRates } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';
import { formatBytes, table } from '../units.ts';
import type { EvaluationReport } from './report.ts';

export function evaluationText(report: EvaluationReport): string[] {
  const { task, traffic, cascade, against } = report;
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
    ...(cascade === null ? [] : ['', ...cascadeLines(cascade)]),
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
  const { passBelow, ngAbove } = verdicts;
  return [`verdicts   PASS below ${passBelow}, NG from ${ngAbove} on, REVIEW between`, ...rateTable(verdicts)];
}

function rateTable({ escape, overkill, goodNotPassed, review }: VerdictRates): string[] {
  return table(
    [
      rateRow('escape', 'defective parts that got PASS', escape),
      rateRow('overkill', 'good parts that got NG', overkill),
      rateRow('good, not passed', 'good parts that got NG or REVIEW', goodNotPassed),
      rateRow('review load', 'parts that a person must look at', review),
    ],
    [1, 2],
  );
}

function rateRow(name: string, meaning: string, { count, of, share, interval }: Rate): string[] {
  return [
    name,
    share === null ? '-' : `${(100 * share).toFixed(1)} %`,
    `${count} of ${of}`,
    `95 %: ${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)} %`,
    meaning,
  ];
}

function cascadeLines(cascade: NonNullable<EvaluationReport['cascade']>): string[] {
  const { small, sureBelow, sureAbove, escalated, rates, escapesAdded, escapesAvoided } = cascade;
  return [
    `cascade    ${printable(small.file)} first; scores from ${sureBelow} to ${sureAbove} go on to the model`,
    ...table(
      [
        rateRow('escalated', 'parts that the model had to judge', escalated),
        rateRow('escapes added', 'defective parts passed that the model alone does not pass', escapesAdded),
        rateRow('escapes avoided', 'the other way round', escapesAvoided),
      ],
      [1, 2],
    ),
    ...rateTable(rates),
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
