// What the sections of a plan's page have in common: figures with their units, short names, the placements in words.
import { formatMs, formatRate } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import { formatBytes } from '../../units.ts';
import type { PlannedReport, PlanRow } from '../report.ts';

export type Placement = PlanRow['placement'];

/** Names longer than this are shortened where a drawing has no room for them. */
const SHORT = 34;

export function shortName(name: string, most = SHORT): string {
  const letters = Array.from(name);
  if (letters.length <= most) return name;
  const end = Math.floor((most - 1) * 0.6);
  return `${letters.slice(0, most - 1 - end).join('')}…${letters.slice(-end).join('')}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

export function bytesText(bytes: number | null): string {
  return bytes === null ? '?' : formatBytes(Math.round(bytes));
}

/** What the goal counts, of one placement: `81 ms` or `12.3 frames/s`. */
export function goalFigure(row: PlanRow, { goal }: Pick<PlannedReport, 'goal'>): { value: string; unit: string } {
  if (goal === 'latency') return { value: formatMs(row.latencyMs), unit: 'ms a frame' };
  const { framesPerSecond: rate } = row;
  return {
    value: Number.isFinite(rate) ? rate.toFixed(rate < 99.95 ? 1 : 0) : 'any number of',
    unit: 'frames a second',
  };
}

export const PLACEMENT_NAMES: Readonly<Record<Placement, string>> = {
  edge: 'edge only',
  cloud: 'cloud only',
  split: 'split',
};

/** A name and a number, as the page writes them wherever they stand beside one another. */
export function fact(name: string, value: Html | string): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

export interface SectionParts {
  readonly id: string;
  readonly title: string;
  readonly note: Html | string;
}

/** A part of the page under a heading and a sentence that says what it shows. */
export function section({ id, title, note }: SectionParts, content: Html | readonly Html[]): Html {
  return html`<section class="part" aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
<p class="note">${note}</p>
${content}
</section>`;
}

/** A table that scrolls sideways where it is wider than the page. */
export function scrolling(label: string, table: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;
}

export function linkText({ link }: Pick<PlannedReport, 'link'>): string {
  const { uplinkBitsPerSecond: up, downlinkBitsPerSecond: down, roundTripMs } = link;
  const back = down === up ? 'up and down' : `up, ${formatRate(down)} down`;
  return `${formatRate(up)} ${back}, ${Number(roundTripMs.toFixed(2))} ms round trip`;
}
