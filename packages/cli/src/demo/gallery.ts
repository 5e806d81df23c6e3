// The parts of a demo -> a gallery: each part with its true defect, and what whole and split made of it, side by side.
import { KerfError } from '@kerf/protocol';
import { type Html, html } from '../page/html.ts';
import type { DemoAnswer, DemoModel, DemoPart, DemoPicture } from './report.ts';

const DATA_URI = /^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/;

/** @throws {KerfError} INVALID_ARGUMENT when a picture is not a base64 data URI of a PNG, JPEG or WebP. */
export function gallery({ parts, codec }: DemoModel): Html {
  if (parts.length === 0) return html`<p>No part was answered.</p>`;
  return html`<ul class="parts" aria-label="The parts, and what whole and split made of them">${parts.map((part) => card(part, codec.label))}</ul>
<p class="note"><span class="swatch outline"></span> the true defect. <span class="swatch found"></span> pixels that the model calls defective. The number is the model's score.</p>`;
}

function card({ truth, picture, whole, split }: DemoPart, codec: string): Html {
  const name = truth === '' ? 'part' : truth.replaceAll('_', ' ');
  const differs = split !== null && split.verdict !== whole.verdict;
  return html`<li class="part-card"><p class="truth">${name}${differs ? html` <span class="differs">verdicts differ</span>` : html``}</p>
<div class="views">${view(picture, html`truth`)}${view(whole.picture, html`whole ${answer(whole)}`)}${
    split === null
      ? html`<figure><p class="none">not answered</p></figure>`
      : view(split.picture, html`split, ${codec} ${answer(split)}`)
  }</div></li>`;
}

function view({ dataUri, width, height, description }: DemoPicture, caption: Html): Html {
  if (!DATA_URI.test(dataUri)) {
    throw new KerfError('INVALID_ARGUMENT', 'a picture must be a base64 data URI of a PNG, JPEG or WebP image');
  }
  return html`<figure><img src="${dataUri}" width="${width}" height="${height}" alt="${description}"><figcaption>${caption}</figcaption></figure>`;
}

function answer({ verdict, score }: DemoAnswer): Html {
  const text = score.toFixed(2);
  return verdict === null
    ? html`<span class="answer">${text}</span>`
    : html`<span class="answer v-${verdict.toLowerCase()}">${verdict} ${text}</span>`;
}
