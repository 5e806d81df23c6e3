// Placements with the parts of a frame's time -> bars of those parts end to end, numbered and listed.
import { axisDrawing, gridLine, svg } from './drawing.ts';
import { formatMs } from './format.ts';
import { type Html, html } from './html.ts';
import { formatTick, linearTicks, percent } from './ticks.ts';

export type Place = 'edge' | 'link' | 'cloud';

export interface Fall {
  readonly label: string;
  /** Such as `fastest`; '' for none. */
  readonly mark: string;
  readonly spans: readonly { readonly name: string; readonly place: Place; readonly ms: number }[];
}

/** Patterns tell the places apart without colour; referenced by all charts of a page, so put in once. */
export const PATTERNS: Html = html`<svg width="0" height="0" class="defs" aria-hidden="true"><defs>
<pattern id="hatch-link" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="link"/><rect width="2" height="6" class="hatch"/></pattern>
<pattern id="dots-cloud" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="cloud"/><circle cx="3" cy="3" r="1" class="hatch"/></pattern>
</defs></svg>`;

export const FILLS: Readonly<Record<Place, string>> = {
  edge: 'var(--edge)',
  link: 'url(#hatch-link)',
  cloud: 'url(#dots-cloud)',
};
/** A share of the bar that has room for a numeral even on a phone. */
const NUMERAL_SHARE = 0.05;

/** One linear scale from 0 for all. Bars that would pass `endMs` stop there and say so. */
export function waterfallChart(falls: readonly Fall[], endMs = Number.POSITIVE_INFINITY): Html {
  const ticks = linearTicks(Math.min(endMs, Math.max(...falls.map(sumOf))));
  const end = ticks.at(-1) ?? 1;
  const lines = falls.map((fall) => {
    const sum = sumOf(fall);
    const alternative = fall.spans.map((span) => `${span.name} (${span.place}) ${formatMs(span.ms)} ms`).join(', ');
    const list = fall.spans.map(
      (span, at) => html`<li class="${span.place}"><i>${at + 1}</i>${span.name} <b>${formatMs(span.ms)}</b></li>`,
    );
    const badge = fall.mark === '' ? html`` : html` <span class="mark">${fall.mark}</span>`;
    const torn = sum > end * 1.0001 ? TORN : html``;
    const drawing = svg(
      html`${ticks.map((tick) => gridLine(tick / end, 28))}${segments(fall, end)}${torn}`,
      28,
      alternative,
    );
    return html`<div class="fall"><div class="name">${fall.label} <span class="dim">${formatMs(sum)}</span>${badge}</div>${drawing}<ol>${list}</ol></div>`;
  });
  const labels = ticks.map((tick) => ({ share: tick / end, text: formatTick(tick) }));
  return html`<div class="chart falls">${lines}<div class="fall">${axisDrawing(labels)}</div></div>`;
}

/** The end of a bar that goes on beyond the picture. */
const TORN: Html = html`<svg x="100%" overflow="visible"><path d="M-20 1l5 6.5-5 6.5 5 6.5-5 6.5h7l5-6.5-5-6.5 5-6.5-5-6.5z" class="torn"/></svg>`;

function sumOf({ spans }: Fall): number {
  return spans.reduce((sum, span) => sum + span.ms, 0);
}

function segments({ spans }: Fall, end: number): Html[] {
  let startMs = 0;
  return spans.map((span, at) => {
    const from = Math.min(1, startMs / end);
    startMs += span.ms;
    const share = Math.min(1, startMs / end) - from;
    const middle = percent(from + share / 2);
    const numeral =
      share < NUMERAL_SHARE
        ? html``
        : html`<circle cx="${middle}" cy="14" r="8" class="disc"/><text x="${middle}" y="18" class="numeral">${at + 1}</text>`;
    return html`<rect x="${percent(from)}" y="3" width="${percent(share)}" height="22" fill="${FILLS[span.place]}" class="segment"/>${numeral}`;
  });
}

/** What the fills of a waterfall mean. */
export const PLACE_LEGEND: Html = html`<p class="legend">${(['edge', 'link', 'cloud'] as const).map(
  (place) =>
    html`<span><svg width="22" height="12" aria-hidden="true"><rect width="22" height="12" fill="${FILLS[place]}"/></svg> ${place}</span> `,
)}</p>`;
