// A plan -> the top of its page: the verdict, a frame's way through the choice, and the choice beside the alternatives.
import { formatMs } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import { calibrationText, codingSentences } from '../codec-sentences.ts';
import type { PlannedReport, PlanRow } from '../report.ts';
import { bytesText, count, goalFigure, linkText, type Placement } from './words.ts';

export function verdictSection(report: PlannedReport): Html {
  const { model, reasons, verdict, warnings } = report;
  return html`<header>
<p class="brand">kerf plan</p>
<p class="asked">Where should <b>${model.file}</b> run?</p>
<h1>${verdict}</h1>
${reasons.length === 0 ? html`` : html`<ul class="reasons">${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
${frameWay(report)}
${alternatives(report)}
${codingBlock(report)}
${warnings.map((warning) => html`<p class="warning"><b>Note.</b> ${optionsWhole(warning)}</p>`)}
<p class="intro">A model can run on the device beside the machine (the <b>edge</b>), on a server (the <b>cloud</b>), or be cut in two: the <b>head</b> runs on the edge, the <b>tail</b> in the cloud, and what the head made crosses the link in between. This page compares them for one model, two devices and one link.</p>
</header>`;
}

/** A line may end before an option, not at its hyphens. */
function optionsWhole(text: string): Html {
  const parts = text.split(/(--[a-z][a-z-]*)/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<span class="mark">${part}</span>` : html`${part}`))}`;
}

/** Edge, link and cloud side by side, with what a frame costs in each when the choice is followed. */
function frameWay(report: PlannedReport): Html {
  const { choice, model, link } = report;
  const { placement, headNodes, uplinkBytes, downlinkBytes } = choice;
  const nodes = {
    edge: { edge: model.nodes, split: headNodes, cloud: 0 }[placement],
    cloud: { edge: 0, split: model.nodes - headNodes, cloud: model.nodes }[placement],
  };
  const part = { edge: 'the head', cloud: 'the tail' };
  const runs = (side: 'edge' | 'cloud'): string => {
    if (nodes[side] === 0) return 'runs nothing';
    return placement === 'split' ? `${part[side]}: ${count(nodes[side], 'node')}` : `all ${count(nodes[side], 'node')}`;
  };
  const stop = (side: 'edge' | 'cloud', title: string, device: PlannedReport['edge']): Html => {
    const isIdle = nodes[side] === 0 && partMs(choice, side) === 0;
    return html`<li class="stop ${side}${isIdle ? ' idle' : ''}"><span class="where">${title}</span><b>${isIdle ? '0' : formatMs(partMs(choice, side))} ms</b><span>${runs(side)}</span><span class="dim">${device.name}</span></li>`;
  };
  const sent =
    placement === 'edge'
      ? html`<li class="hop idle"><span class="where">Link</span><b>not used</b><span>nothing is sent</span></li>`
      : html`<li class="hop"><span class="where">Link</span><b>${formatMs(partMs(choice, 'link'))} ms</b><span>${bytesText(uplinkBytes)} up, ${bytesText(downlinkBytes)} back</span><span class="dim">${linkText({ link })}</span></li>`;
  return html`<ol class="way" aria-label="The way of a frame">${stop('edge', 'Edge', report.edge)}${sent}${stop('cloud', 'Cloud', report.cloud)}</ol>`;
}

function partMs({ parts }: PlanRow, place: 'edge' | 'link' | 'cloud'): number {
  return parts.reduce((sum, part) => (part.place === place ? sum + part.ms : sum), 0);
}

const TITLES: Readonly<Record<Placement, string>> = { edge: 'Edge only', cloud: 'Cloud only', split: 'Best split' };

/** The best of each placement, the choice marked. */
function alternatives(report: PlannedReport): Html {
  const { bestOf, choice } = report;
  const most = Math.max(...Object.values(bestOf).map((row: PlanRow | null) => row?.latencyMs ?? 0));
  const tile = (placement: Placement): Html => {
    const row = placement === choice.placement ? choice : bestOf[placement];
    if (row === null) {
      return html`<li class="tile none"><span class="where">${TITLES[placement]}</span><b class="big">–</b><span class="dim">no candidate keeps the constraints</span></li>`;
    }
    const { value, unit } = goalFigure(row, report);
    const isChoice = placement === choice.placement;
    const share = most > 0 ? Math.max(1, (row.latencyMs / most) * 100) : 0;
    const badge = isChoice ? html` <span class="mark">the choice</span>` : html``;
    const measured =
      row.measured === null ? html`` : html`<span>measured: <b>${formatMs(row.measured.p50Ms)} ms</b></span>`;
    return html`<li class="tile ${placement}${isChoice ? ' chosen' : ''}"><span class="where">${TITLES[placement]}${badge}</span><span><b class="big">${value}</b> ${unit}</span><span class="track" aria-hidden="true"><span class="fill" style="width:${share.toFixed(1)}%"></span></span>${measured}<span>${row.uplinkBytes === 0 ? 'sends nothing' : `sends ${bytesText(row.uplinkBytes)}`}${isChoice ? '' : comparison(row, report)}</span>${lossLine(row)}<span class="dim label">${row.label}</span></li>`;
  };
  return html`<ul class="tiles" aria-label="The best of each placement">${(['edge', 'split', 'cloud'] as const).map(tile)}</ul>`;
}

function codingBlock(report: PlannedReport): Html {
  const sentences = codingSentences(report);
  if (sentences.length === 0) return html``;
  return html`<div class="coding">${sentences.map((sentence) => html`<p>${sentence}</p>`)}</div>`;
}

/** What the codec costs, where it may cost something. */
function lossLine({ loss, calibration }: PlanRow): Html {
  if (loss === 0 && calibration === null) return html``;
  if (calibration === null)
    return html`<span>loses ${loss === null ? 'nobody knows how much' : `${loss} points`}</span>`;
  return html`<span>loses ${calibrationText(calibration)}</span>`;
}

/** How much worse than the choice, in the goal's measure. */
function comparison(row: PlanRow, { choice, goal }: PlannedReport): string {
  const ratio = goal === 'latency' ? row.latencyMs / choice.latencyMs : choice.framesPerSecond / row.framesPerSecond;
  if (!Number.isFinite(ratio) || ratio <= 0) return '';
  if (ratio < 1.005) return ', as good as the choice';
  const times = ratio < 1.095 ? `${((ratio - 1) * 100).toFixed(0)} %` : `${ratio.toFixed(ratio < 9.95 ? 1 : 0)} times`;
  return goal === 'latency'
    ? `, ${ratio < 1.095 ? `${times} slower` : `${times} the choice's time`}`
    : `, ${ratio < 1.095 ? `${times} fewer` : `${times} fewer frames`}`;
}
