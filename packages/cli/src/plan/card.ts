// A report of `kerf plan` -> the card: what to do, why, what each placement takes and what would change it. Lines of text.
import { wrap } from '../demo/report-text.ts';
import { formatMs, formatRate, formatSettingMs } from '../page/format.ts';
import { formatBytes, table } from '../units.ts';
import { codingSentences } from './codec-sentences.ts';
import type { PlanDevice, PlannedReport, PlanRow, UnsatisfiableReport } from './report.ts';
import { constraintText, constraintTexts, speed, waysOut } from './sentences.ts';

const COLUMNS = 110;
/** Rows of the Pareto front that are shown. */
const MAX_FRONT = 8;

export function planCard(report: PlannedReport): string[] {
  const { gapMs, goal } = report;
  return printable([
    ...headLines(report),
    '',
    ...paragraph(report.verdict),
    ...report.reasons.flatMap((reason) => paragraph(reason, '  ')),
    '',
    ...placementLines(report),
    '',
    ...codingLines(report),
    ...bindingLines(report),
    ...changeLines(report),
    ...paragraph(
      gapMs === 0
        ? 'Proven: by these costs no other placement is better.'
        : `Not proven best: by these costs a better placement could save up to ${formatMs(gapMs)} ms more` +
            `${goal === 'latency' ? '' : ' between frames'}.`,
    ),
    ...frontLines(report),
    ...measurementLines(report),
    ...(report.warnings.length === 0 ? [] : ['', 'Worth knowing:']),
    ...report.warnings.flatMap((text) => bullet(text)),
  ]);
}

/** Names come from models and profiles: they may not move the cursor or break a line. */
function printable(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/\p{Cc}/gu, '\ufffd').trimEnd());
}

function paragraph(text: string, indent = ''): string[] {
  return wrap(text, COLUMNS, indent);
}

function bullet(text: string): string[] {
  return wrap(text, COLUMNS - 2).map((line, at) => `${at === 0 ? '- ' : '  '}${line}`);
}

function headLines(report: PlannedReport): string[] {
  const { model, link, constraints, goal } = report;
  const shapes = Object.entries(report.inputShapes).map(([name, shape]) => `${name} [${shape.join(', ')}]`);
  const jitter = link.jitterMs > 0 ? `, jitter ${formatSettingMs(link.jitterMs)}` : '';
  const every = link.frameIntervalMs === undefined ? '' : `, a frame every ${formatSettingMs(link.frameIntervalMs)}`;
  const origin = link.date === null ? '' : `, measured ${link.date.slice(0, 10)}`;
  const limits = constraintTexts(constraints);
  const rows: [string, string][] = [
    [
      'model',
      `${model.file}, ${formatBytes(model.bytes)}, ${model.nodes} nodes${shapes.length === 0 ? '' : `, input ${shapes.join(', ')}`}`,
    ],
    ['edge', deviceText(report.edge)],
    ['cloud', deviceText(report.cloud)],
    [
      'link',
      `${formatRate(link.uplinkBitsPerSecond)} up, ${formatRate(link.downlinkBitsPerSecond)} down, ` +
        `${formatSettingMs(link.roundTripMs)} round trip${jitter}${every}${origin}`,
    ],
    ['goal', goal === 'latency' ? 'least time a frame' : 'most frames per second'],
    ...limits.map((text, at): [string, string] => [at === 0 ? 'limits' : '', text]),
  ];
  return rows.flatMap(([name, text]) =>
    wrap(text, COLUMNS - 8).map((line, at) => `${(at === 0 ? name : '').padEnd(8)}${line}`),
  );
}

function deviceText({ name, processor, provider, date, wholeMs }: PlanDevice): string {
  const whole = wholeMs === null ? 'no time of the whole model' : `whole model ${formatMs(wholeMs)} ms`;
  return `${name} (${processor}, ${provider}): ${whole}, profiled ${date.slice(0, 10)}`;
}

/** Columns of milliseconds, by the parts that they add up. */
const PARTS: readonly (readonly [head: string, parts: readonly string[]])[] = [
  ['edge', ['edge compute', 'encode']],
  ['uplink', ['uplink']],
  ['round trip', ['round trip', 'session']],
  ['cloud', ['wait', 'decode', 'cloud compute']],
  ['downlink', ['downlink']],
];

function placementLines(report: PlannedReport): string[] {
  const { goal, bestOf, choice, runnerUp } = report;
  const named: [string, PlanRow | null][] = [
    ['choice', choice],
    ['runner-up', runnerUp],
    ['best edge', bestOf.edge],
    ['best cloud', bestOf.cloud],
    ['best split', bestOf.split],
  ];
  const rows = new Map<string, { row: PlanRow; roles: string[] }>();
  for (const [role, row] of named) {
    if (row === null) continue;
    const known = rows.get(row.label);
    if (known === undefined) rows.set(row.label, { row, roles: [role] });
    else known.roles.push(role);
  }
  const isThroughput = goal === 'throughput';
  const withLoss = [...rows.values()].some(({ row }) => row.loss !== 0);
  const head = ['', 'placement', ...(isThroughput ? ['frames/s'] : []), 'ms', '99 %', '|'];
  const cells = [...rows.values()].map(({ row, roles }) => [
    roles.filter((role, at) => at === 0 || !role.startsWith('runner')).join(', '),
    row.label,
    ...(isThroughput ? [formatMs(row.framesPerSecond)] : []),
    formatMs(row.latencyMs),
    formatMs(row.p99Ms),
    '|',
    ...PARTS.map(([, parts]) => partCell(row, parts)),
    row.placement === 'edge' ? '-' : formatBytes(row.uplinkBytes),
    ...(withLoss ? [lossCell(row)] : []),
    originOf(row),
  ]);
  const columns = (isThroughput ? 10 : 9) + (withLoss ? 1 : 0);
  const numbers = Array.from({ length: columns }, (_, at) => at + 2);
  return [
    ...table(
      [[...head, ...PARTS.map(([name]) => name), 'sent', ...(withLoss ? ['loss'] : []), 'times'], ...cells],
      numbers,
    ),
    ...paragraph(
      'ms: what a usual frame takes (median); right of the line, what it is made of. 99 %: 99 of 100 frames take at most this. ' +
        'Round trip: with session and gateway. raw: values as they are, not compressed.' +
        (withLoss ? ' loss: points of accuracy, ? where nobody has measured it.' : ''),
      '  ',
    ),
  ];
}

function codingLines(report: PlannedReport): string[] {
  const sentences = codingSentences(report).flatMap((text) => paragraph(text));
  return sentences.length === 0 ? [] : [...sentences, ''];
}

function partCell({ parts }: PlanRow, names: readonly string[]): string {
  const found = parts.filter(({ name }) => names.includes(name));
  return found.length === 0 ? '-' : formatMs(found.reduce((sum, { ms }) => sum + ms, 0));
}

function lossCell({ loss }: PlanRow): string {
  return loss === null ? '?' : String(Number(loss.toFixed(2)));
}

function originOf({ source, measured }: PlanRow): string {
  if (measured !== null) return 'run here';
  const known = [source.edge, source.cloud].filter((one) => one !== 'none');
  if (known.every((one) => one === 'measured')) return 'measured';
  return known.every((one) => one === 'nodes') ? 'calculated' : 'partly measured';
}

function bindingLines({ binding, constraints, goal, choice }: PlannedReport): string[] {
  if (binding === null) return [];
  const { constraint, without } = binding;
  return paragraph(
    `What costs most is the limit: ${constraintText(constraint, constraints)}. Without it: ${without.label}, ` +
      `${speed(without, goal)} instead of ${speed(choice, goal)}.`,
  );
}

function changeLines({ changes, choice, link, measurement }: PlannedReport): string[] {
  if (changes.length === 0) {
    const downlink = formatRate(link.downlinkBitsPerSecond);
    return paragraph(
      `No other uplink or round trip would change the choice (${choice.label}), with the downlink at ${downlink}.`,
    );
  }
  return [
    measurement === null ? 'What would change it:' : 'What would change it, by the predictions before measuring:',
    ...changes.map(({ parameter, direction, value, becomes }) => {
      const what =
        parameter === 'uplinkBitsPerSecond'
          ? `uplink ${direction} ${formatRate(value)}`
          : `round trip ${direction} ${formatMs(value)} ms`;
      return `  ${what}: ${becomes ?? 'nothing keeps the limits'}`;
    }),
  ];
}

function frontLines({ front }: PlannedReport): string[] {
  if (front.length < 2) return [];
  const rows = front
    .slice(0, MAX_FRONT)
    .map((row) => [
      row.label,
      formatMs(row.latencyMs),
      formatBytes(row.uplinkBytes),
      formatMs(row.cloudMs),
      lossCell(row),
    ]);
  const more = front.length - rows.length;
  return [
    '',
    'Trade-offs: each is better than all others here in time, bytes sent, time in the cloud or points lost.',
    ...table([['placement', 'ms', 'sent', 'cloud ms', 'loss'], ...rows], [1, 2, 3, 4]).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more, see --json`] : []),
  ];
}

function measurementLines({ measurement }: PlannedReport): string[] {
  if (measurement === null) return [];
  const { how, correction, insteadOf, rows } = measurement;
  const cells = rows.flatMap(({ label, measured }) =>
    measured === null
      ? []
      : [
          [
            label,
            formatMs(measured.p50Ms),
            formatMs(measured.p99Ms),
            String(measured.frames),
            formatBytes(measured.bytesUpPerFrame),
          ],
        ],
  );
  return [
    '',
    ...paragraph(`Measured: ${how}`),
    ...table([['placement', 'p50 ms', 'p99 ms', 'frames', 'sent'], ...cells], [1, 2, 3, 4]).map((line) => `  ${line}`),
    ...paragraph(
      `Measured times are ${correction.toFixed(2)} times the predicted ones (median); those not measured were corrected by that.` +
        (insteadOf === null ? '' : ` Measuring changed the choice: before it was ${insteadOf}.`),
    ),
  ];
}

export function unsatisfiableCard(report: UnsatisfiableReport): string[] {
  return printable([...paragraph(report.verdict), ...waysOut(report).flatMap((text) => paragraph(`- ${text}`))]);
}
