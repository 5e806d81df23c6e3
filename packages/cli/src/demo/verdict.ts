// Measured placements -> which one to take, what holds the split back, and what would change the answer.

import {
  formatAboutRate,
  formatDifference,
  formatMs,
  formatRate,
  formatSettingMs,
  formatTimes,
} from '../page/format.ts';
import { formatBytes } from '../units.ts';
import type { DemoLink, DemoRow, DemoRun, SpanPlace } from './report.ts';

/** Medians closer than this are not told apart. */
const TIE_RATIO = 1.05;
/** What-if questions are asked up to this factor; beyond it they are not about the same installation. */
const MAX_FACTOR = 1_000;
const FACTOR_STEP = 1.02;

/** The answer in data and in plain words. */
export interface DemoVerdict {
  readonly kind: 'split-wins' | 'split-loses' | 'tie' | 'no-data';
  /** Labels of the rows compared; null where there is none. */
  readonly bestSplit: string | null;
  readonly bestWhole: string | null;
  /** One sentence that can stand alone. */
  readonly headline: string;
  /** Short sentences, most important first. */
  readonly reasons: readonly string[];
}

/** Judges one model on one link. Pure: the same rows give the same words. */
export function judge({ link, rows }: DemoRun): DemoVerdict {
  const measured = rows.filter((row) => row.framesMeasured > 0);
  const split = fastest(measured.filter((row) => row.placement === 'split'));
  const whole = fastest(measured.filter((row) => row.placement !== 'split'));
  if (split === null || whole === null) return withoutData(split, whole);
  const lossNote = describeLoss(measured);
  const names = { bestSplit: split.label, bestWhole: whole.label };
  const slower = split.p50Ms / whole.p50Ms;
  const largestCost = `The split's largest cost is ${bindingTerm(split, link).text}.`;
  if (slower > TIE_RATIO) {
    return {
      ...names,
      kind: 'split-loses',
      headline: `Do not split here: ${whole.label} is ${formatTimes(slower)} faster than the best split.`,
      reasons: [
        comparison(whole, split),
        largestCost,
        ...wouldPay(measured, link),
        ...amongLossless(measured, split, whole),
        ...lossNote,
      ],
    };
  }
  if (slower < 1 / TIE_RATIO) {
    return {
      ...names,
      kind: 'split-wins',
      headline: `Split here: ${split.label} is ${formatTimes(1 / slower)} faster than ${whole.label}, the best without a split.`,
      reasons: [
        comparison(split, whole),
        largestCost,
        ...slowTail(split, whole),
        ...staysBest(measured, link),
        ...lossNote,
      ],
    };
  }
  return {
    ...names,
    kind: 'tie',
    headline: `No clear winner: ${whole.label} and ${split.label} are within 5 %.`,
    reasons: [
      comparison(whole, split),
      whole.placement === 'edge'
        ? 'Prefer edge only: it needs no link.'
        : `Prefer ${lessSent(split, whole).label}: it sends less.`,
      largestCost,
      ...lossNote,
    ],
  };
}

/** The rows at hand answer one side only, or none. */
function withoutData(split: DemoRow | null, whole: DemoRow | null): DemoVerdict {
  const missing = split === null ? 'split' : 'placement without a split';
  return {
    kind: 'no-data',
    bestSplit: split?.label ?? null,
    bestWhole: whole?.label ?? null,
    headline: `No verdict: no ${missing} could be measured.`,
    reasons: ['A verdict needs at least one split and one whole placement with measured frames.'],
  };
}

function fastest(rows: readonly DemoRow[]): DemoRow | null {
  return rows.reduce<DemoRow | null>((best, row) => (best === null || row.p50Ms < best.p50Ms ? row : best), null);
}

function lessSent(a: DemoRow, b: DemoRow): DemoRow {
  return a.bytesUpPerFrame <= b.bytesUpPerFrame ? a : b;
}

function comparison(first: DemoRow, second: DemoRow): string {
  return `${firstUpper(describe(first))}; ${describe(second)}.`;
}

function describe(row: DemoRow): string {
  const sent = row.bytesUpPerFrame === 0 ? 'sends nothing' : `sends ${formatBytes(row.bytesUpPerFrame)}`;
  return `${row.label} takes ${formatMs(row.p50Ms)} ms and ${sent}`;
}

/** A better median that comes with a worse p99 is worth a sentence. */
function slowTail(split: DemoRow, whole: DemoRow): string[] {
  if (split.p99Ms <= whole.p99Ms) return [];
  return [`Its slow frames are slower, though: p99 ${formatMs(split.p99Ms)} ms against ${formatMs(whole.p99Ms)} ms.`];
}

/** JPEG and few levels win on bytes because they lose something: say by how much that changes the answers. */
function describeLoss(rows: readonly DemoRow[]): string[] {
  const lossy = rows.filter((row) => row.lossy);
  const worst = lossy.reduce<DemoRow | null>(
    (most, row) => (most === null || row.maxAbsDifference > most.maxAbsDifference ? row : most),
    null,
  );
  if (worst === null) return [];
  const apart = Math.max(0, ...rows.filter((row) => !row.lossy).map((row) => row.maxAbsDifference));
  const others = apart === 0 ? 'give exactly the same outputs' : `differ by at most ${formatDifference(apart)}`;
  const names = firstUpper(lossy.map((row) => row.label).join(' and '));
  return [
    `${names} ${lossy.length === 1 ? 'is' : 'are'} lossy: a probability moves by up to ` +
      `${formatDifference(worst.maxAbsDifference)} (${worst.label}). The others ${others}.`,
    ...changedVerdicts(lossy),
  ];
}

/** Of the parts shown. */
function changedVerdicts(lossy: readonly DemoRow[]): string[] {
  const judged = lossy.filter(({ sameVerdicts, parts }) => sameVerdicts !== null && parts > 0);
  const changed = judged.filter(({ sameVerdicts, parts }) => sameVerdicts !== parts);
  if (judged.length === 0) return [];
  if (changed.length === 0) return ['Every part gets the verdict of the whole model all the same.'];
  return changed.map(
    ({ label, sameVerdicts, parts }) =>
      `${firstUpper(label)} gives ${parts - (sameVerdicts ?? 0)} of ${parts} parts another verdict than the whole model.`,
  );
}

/** A split that loses to a lossy picture may still be the best where the picture must arrive as it is. */
function amongLossless(rows: readonly DemoRow[], split: DemoRow, whole: DemoRow): string[] {
  const lossless = fastest(rows.filter((row) => row.placement !== 'split' && !row.lossy));
  if (!whole.lossy || lossless === null || lossless.p50Ms <= split.p50Ms * TIE_RATIO) return [];
  const codec = split.lossy ? ' Its codec loses something too, in a measure that calibration keeps.' : '';
  return [
    `Where no lossy picture may be sent, split: ${split.label} is ${formatTimes(lossless.p50Ms / split.p50Ms)} faster than ${lossless.label}.${codec}`,
  ];
}

interface Term {
  readonly ms: number;
  readonly text: string;
}

/** Where most of a row's time goes, with the figures that explain it. */
export function bindingTerm(row: DemoRow, link: DemoLink): Term {
  const uplinkMs = (row.bytesUpPerFrame * 8_000) / link.uplinkBitsPerSecond;
  const downlinkMs = (row.bytesDownPerFrame * 8_000) / link.downlinkBitsPerSecond;
  const edgeMs = placeMs(row, 'edge');
  const cloudMs = placeMs(row, 'cloud');
  const waitMs = Math.max(0, row.p50Ms - edgeMs - cloudMs - uplinkMs - downlinkMs);
  const at = (bits: number) => `at ${formatRate(bits)}`;
  const terms: Term[] = [
    {
      ms: uplinkMs,
      text: `the uplink: ${formatBytes(row.bytesUpPerFrame)} ${at(link.uplinkBitsPerSecond)} are ${formatMs(uplinkMs)} ms`,
    },
    {
      ms: downlinkMs,
      text: `the downlink: ${formatBytes(row.bytesDownPerFrame)} ${at(link.downlinkBitsPerSecond)} are ${formatMs(downlinkMs)} ms`,
    },
    { ms: edgeMs, text: `work on the edge: ${formatMs(edgeMs)} ms` },
    { ms: cloudMs, text: `work in the cloud: ${formatMs(cloudMs)} ms` },
    { ms: waitMs, text: `the round trip of ${formatSettingMs(link.roundTripMs)} and waiting: ${formatMs(waitMs)} ms` },
  ];
  return terms.reduce((most, term) => (term.ms > most.ms ? term : most));
}

function placeMs(row: DemoRow, place: SpanPlace): number {
  return row.spans.reduce((sum, span) => (span.place === place ? sum + span.medianMs : sum), 0);
}

/** What a frame would cost were the uplink `factor` times as fast and all else as measured. */
function withUplink(link: DemoLink): Cost {
  return (row, factor) => row.p50Ms - sendMs(row, link) * (1 - 1 / factor);
}

/** The same with both directions `factor` times as fast. */
function withLink(link: DemoLink): Cost {
  return (row, factor) => {
    const bothMs = Math.min(
      row.p50Ms,
      sendMs(row, link) + (row.bytesDownPerFrame * 8_000) / link.downlinkBitsPerSecond,
    );
    return row.p50Ms - bothMs * (1 - 1 / factor);
  };
}

/** What the uplink's rate makes of a frame's latency. */
function sendMs(row: DemoRow, link: DemoLink): number {
  return Math.min(row.p50Ms, (row.bytesUpPerFrame * 8_000) / link.uplinkBitsPerSecond);
}

/** What a frame would cost were the edge `factor` times as slow and all else as measured. */
const withSlowerEdge: Cost = (row, factor) => row.p50Ms + placeMs(row, 'edge') * (factor - 1);

/** When a split would be the fastest: one condition changed at a time. */
function wouldPay(rows: readonly DemoRow[], link: DemoLink): string[] {
  const uplink = firstFactor((factor) => splitLead(rows, withUplink(link), factor) > TIE_RATIO);
  const edge = firstFactor((factor) => splitLead(rows, withSlowerEdge, factor) > TIE_RATIO);
  const answers: string[] = [];
  if (uplink !== null) answers.push(`with an uplink of ${formatAboutRate(link.uplinkBitsPerSecond * uplink)} or more`);
  else {
    const both = firstFactor((factor) => splitLead(rows, withLink(link), factor) > TIE_RATIO);
    if (both !== null) answers.push(`on a link ${formatTimes(both)} as fast both ways`);
  }
  if (edge !== null) answers.push(`on an edge device ${formatTimes(edge)} slower than this one`);
  if (answers.length === 0) {
    return ['By calculation neither a faster link nor a slower edge device alone would make a split the fastest.'];
  }
  return [`By calculation a split would be the fastest ${answers.join(', or ')}.`];
}

/** Between which uplinks a split that wins goes on to win. */
function staysBest(rows: readonly DemoRow[], link: DemoLink): string[] {
  const cost = withUplink(link);
  const slower = firstFactor((factor) => splitLead(rows, cost, 1 / factor) < 1);
  const faster = firstFactor((factor) => splitLead(rows, cost, factor) < 1);
  const ends: string[] = [];
  if (slower !== null) ends.push(`down to ${formatAboutRate(link.uplinkBitsPerSecond / slower)}`);
  if (faster !== null) ends.push(`up to ${formatAboutRate(link.uplinkBitsPerSecond * faster)}`);
  if (ends.length === 0) return ['By calculation no other uplink rate alone would change that.'];
  return [`By calculation a split stays the fastest with an uplink ${ends.join(' and ')}.`];
}

type Cost = (row: DemoRow, factor: number) => number;

/** Best whole placement / best split: above 1 the split is ahead. */
function splitLead(rows: readonly DemoRow[], cost: Cost, factor: number): number {
  const best = (split: boolean) =>
    Math.min(...rows.filter((row) => (row.placement === 'split') === split).map((row) => cost(row, factor)));
  return best(false) / best(true);
}

/** The smallest factor above 1 that fulfils `condition`; null when none up to {@link MAX_FACTOR} does. */
function firstFactor(condition: (factor: number) => boolean): number | null {
  for (let factor = FACTOR_STEP; factor <= MAX_FACTOR; factor *= FACTOR_STEP) {
    if (condition(factor)) return factor;
  }
  return null;
}

function firstUpper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
