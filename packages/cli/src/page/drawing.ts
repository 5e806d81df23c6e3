// Parts of charts: drawings in percentages that stretch with the page, while their letters do not.
import { type Html, html } from './html.ts';
import { percent } from './ticks.ts';

/** A drawing as wide as the page; `alternative` is what it says, in words. */
export function svg(content: Html | readonly Html[], height: number, alternative: string): Html {
  return html`<svg width="100%" height="${height}" role="img" aria-label="${alternative}">${content}</svg>`;
}

export function gridLine(share: number, height: number): Html {
  return html`<line x1="${percent(share)}" x2="${percent(share)}" y1="0" y2="${height}" class="grid"/>`;
}

export interface AxisLabel {
  readonly share: number;
  readonly text: string;
}

/** Labels under a drawing. On a phone there is room for five; of more, every other one goes, counted from the last. */
export function axisDrawing(labels: readonly AxisLabel[]): Html {
  const last = labels.length - 1;
  const texts = labels.map(({ share, text }, at) => {
    const anchor = at === 0 ? 'start' : at === last ? 'end' : 'middle';
    const kind = last > 4 && at > 0 && (last - at) % 2 === 1 ? 'tick minor' : 'tick';
    return html`<text x="${percent(share)}" y="13" text-anchor="${anchor}" class="${kind}">${text}</text>`;
  });
  return html`<svg width="100%" height="18" aria-hidden="true">${texts}</svg>`;
}
