// What would change the decision -> number lines of uplink and round trip, and what the constraints cost.
import { axisDrawing } from '../../page/drawing.ts';
import { formatAboutRate, formatMs, formatRate } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import { logScale, percent } from '../../page/ticks.ts';
import { FILLS } from '../../page/waterfall.ts';
import type { PlanChange, PlannedReport } from '../report.ts';
import { goalFigure, type Placement, section } from './words.ts';

interface Parameter {
  readonly name: PlanChange['parameter'];
  readonly title: string;
  /** Ends of the number line unless the values lie outside. */
  readonly range: readonly [number, number];
  readonly format: (value: number) => string;
  /** A value that was calculated. */
  readonly about: (value: number) => string;
  readonly less: string;
  readonly more: string;
}

const formatSpan = (ms: number): string => `${Number(ms.toPrecision(2))} ms`;

const PARAMETERS: readonly Parameter[] = [
  {
    name: 'uplinkBitsPerSecond',
    title: 'Uplink',
    range: [1e5, 1e9],
    format: formatRate,
    about: formatAboutRate,
    less: 'slower uplink',
    more: 'faster uplink',
  },
  {
    name: 'roundTripMs',
    title: 'Round trip',
    range: [1, 1000],
    format: (ms) => `${Number(ms.toFixed(2))} ms`,
    about: (ms) => `about ${formatSpan(ms)}`,
    less: 'shorter round trip',
    more: 'longer round trip',
  },
];

export function changeSection(report: PlannedReport): Html {
  return section(
    {
      id: 'changes',
      title: 'What would change this?',
      note: 'Each line moves one condition and leaves all others as they are. The pin is where you are now.',
    },
    [html`<div class="pair">${PARAMETERS.map((parameter) => numberLine(parameter, report))}</div>`, costs(report)],
  );
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly label: string | null;
  readonly isNow: boolean;
}

function numberLine(parameter: Parameter, report: PlannedReport): Html {
  const { name, title, range, format } = parameter;
  const now = report.link[name];
  const change = (direction: PlanChange['direction']): PlanChange | undefined =>
    report.changes.find((one) => one.parameter === name && one.direction === direction);
  const [below, above] = [change('below'), change('above')];
  const near = [now, below?.value, above?.value].flatMap((value) =>
    value === undefined ? [] : [value / 1.5, value * 1.5],
  );
  const scale = logScale([...range, ...near]);
  const stretches: Stretch[] = [
    ...(below === undefined ? [] : [{ from: scale.least, to: below.value, label: below.becomes, isNow: false }]),
    { from: below?.value ?? scale.least, to: above?.value ?? scale.most, label: report.choice.label, isNow: true },
    ...(above === undefined ? [] : [{ from: above.value, to: scale.most, label: above.becomes, isNow: false }]),
  ];
  const bars = stretches.map(({ from, to, label, isNow }) => {
    const [start, end] = [scale.share(from), scale.share(to)];
    return html`<rect x="${percent(start)}" width="${percent(end - start)}" y="20" height="${isNow ? 20 : 14}" fill="${fillOf(label, report)}" class="segment"/>`;
  });
  const pin = html`<svg x="${percent(scale.share(now))}" overflow="visible" class="pin"><path d="M0 42V8"/><circle cx="0" cy="8" r="5"/></svg>`;
  const ticks = scale.ticks.map((tick) => ({ share: scale.share(tick), text: format(tick).replace(/ .*/, '') }));
  const unit = name === 'roundTripMs' ? 'ms' : 'bit/s';
  const labels =
    name === 'roundTripMs' ? ticks : scale.ticks.map((tick) => ({ share: scale.share(tick), text: shortRate(tick) }));
  return html`<div class="line"><h3>${title} <span class="dim">now ${format(now)}</span></h3>
<svg width="100%" height="46" role="img" aria-label="${title} on a logarithmic scale in ${unit}; the list below says what is best where">${bars}${pin}</svg>${axisDrawing(labels)}
<ul class="what">${sentences(parameter, below, above, report)}</ul></div>`;
}

function shortRate(bitsPerSecond: number): string {
  return formatRate(bitsPerSecond).replace('bit/s', '').trim();
}

function sentences(
  { about, less, more }: Parameter,
  below: PlanChange | undefined,
  above: PlanChange | undefined,
  report: PlannedReport,
): Html[] {
  const swatch = (label: string | null): Html =>
    html`<svg width="16" height="12" aria-hidden="true" class="swatch"><rect width="16" height="12" fill="${fillOf(label, report)}"/></svg>`;
  const line = (change: PlanChange | undefined, word: string, side: string): Html => {
    if (change === undefined) return html`<li><span class="swatch"></span><span>No ${side} changes it.</span></li>`;
    const becomes =
      change.becomes === null ? html`<b>nothing</b> keeps the constraints` : html`<b>${change.becomes}</b> is best`;
    return html`<li>${swatch(change.becomes)}<span>${word} <b>${about(change.value)}</b>: ${becomes}.</span></li>`;
  };
  return [line(below, 'Below', less), line(above, 'Above', more)];
}

function fillOf(label: string | null, report: PlannedReport): string {
  if (label === null) return 'var(--p99)';
  return { edge: FILLS.edge, cloud: FILLS.cloud, split: 'url(#stripes-split)' }[placementOf(label, report)];
}

/** The placement of a label that stands somewhere in the report. */
function placementOf(label: string, report: PlannedReport): Placement {
  const { bestOf, choice, curve, front, runnerUp } = report;
  const known = [choice, runnerUp, ...Object.values(bestOf), ...front, ...curve.reigns];
  const found = known.find((one) => one?.label === label)?.placement;
  return found ?? (/^(edge|cloud)\b/i.exec(label)?.[1]?.toLowerCase() as Placement | undefined) ?? 'split';
}

const CONSTRAINT_NAMES: Readonly<Record<keyof PlannedReport['constraints'], string>> = {
  keepOnEdge: 'what must stay on the edge',
  noRawInput: 'that no raw input may leave the edge',
  maxEdgeWeightsBytes: 'the limit on weights on the edge',
  deadlineMs: 'the deadline',
  maxLoss: 'the limit on loss',
};

export function constraintName(name: keyof PlannedReport['constraints']): string {
  return CONSTRAINT_NAMES[name];
}

/** The binding constraint and the distance to the best possible. */
function costs(report: PlannedReport): Html {
  const { binding, choice, constraints, gapMs, goal } = report;
  const isFree = Object.keys(constraints).length === 0;
  const free = isFree
    ? 'No constraint was set.'
    : 'The constraints cost nothing: the choice would be the same without any one of them.';
  let cost = html`<p>${free}</p>`;
  if (binding !== null) {
    const [without, own] = [goalFigure(binding.without, report), goalFigure(choice, report)];
    cost = html`<p>The constraint that costs most is <b>${constraintName(binding.constraint)}</b>: without it <b>${binding.without.label}</b> would be best, with ${without.value} ${without.unit} instead of ${own.value}.</p>`;
  }
  const gap =
    gapMs === 0
      ? html`<p>No other placement of this model can be better on these figures: that is proven.</p>`
      : html`<p>The choice is at most <b>${formatMs(gapMs)} ms</b> ${goal === 'latency' ? 'a frame' : 'between frames'} away from the best possible on these figures.</p>`;
  return html`<div class="costs">${cost}${gap}</div>`;
}
