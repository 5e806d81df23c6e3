// A demo's result -> one HTML page that needs nothing else: no script, no font, no network.
import { formatDifference, formatMs } from '../page/format.ts';
import { type Html, html } from '../page/html.ts';
import { PATTERNS, PLACE_LEGEND } from '../page/waterfall.ts';
import { bytesChart, latencyChart, spansChart } from './charts.ts';
import { gallery } from './gallery.ts';
import type { DemoModel, DemoReport, DemoRow, DemoRun } from './report.ts';
import { STYLE } from './report-style.ts';
import { codecText, linkText } from './report-text.ts';
import { type DemoVerdict, judge } from './verdict.ts';

/** Below this many frames the 99th percentile is the slowest one. */
const FRAMES_OF_P99 = 100;

/**
 * The report as a page. Every text of the report is escaped, and the page's own policy forbids scripts and the network.
 * @throws {KerfError} INVALID_ARGUMENT when the picture is not a base64 data URI of a PNG, JPEG or WebP.
 */
export function renderHtml(report: DemoReport): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>kerf demo: where should this inspection run?</title>
<style>${STYLE}</style>
</head>
<body>
${PATTERNS}
${intro(report)}
<main>
${report.models.map(modelSection)}
</main>
${colophon(report)}
</body>
</html>
`;
  return page.text;
}

function intro({ machine, madeAt }: DemoReport): Html {
  const cores = `${machine.logicalCores} ${machine.logicalCores === 1 ? 'core' : 'cores'}`;
  return html`<header>
<p class="brand">kerf demo</p>
<h1>Where should this inspection run?</h1>
<p>Parts are looked at by two networks that find defects. Each ran whole on the edge, whole in the cloud, and cut in two, with what crosses sent as it is and with a calibrated codec. This page shows what each way cost on this machine and these links, and what it changed in the answers.</p>
<dl class="facts">
<dt>Edge</dt><dd>${machine.edge}</dd>
<dt>Cloud</dt><dd>${machine.cloud}</dd>
<dt>Machine</dt><dd>${machine.processor}, ${cores}, ${(machine.memoryBytes / 1e9).toFixed(1)} GB memory, ${machine.system}</dd>
<dt>Made</dt><dd><time datetime="${madeAt}">${madeAt.replace('T', ' ').replace(/(:\d\d)(\.\d+)?Z$/, '$1 UTC')}</time></dd>
</dl>
</header>`;
}

const BADGES: Readonly<Record<DemoVerdict['kind'], string>> = {
  'split-wins': 'Verdict: split',
  'split-loses': 'Verdict: do not split',
  tie: 'Verdict: a tie',
  'no-data': 'No verdict',
};

function modelSection(model: DemoModel, at: number): Html {
  const id = `model-${at + 1}`;
  return html`<section class="model" aria-labelledby="${id}">
<h2 id="${id}">${model.title}</h2>
<p class="input">Input [${model.inputShape.join(', ')}]. ${codecText(model.codec)}</p>
${gallery(model)}
${model.runs.map((run) => runSection(model, run))}
</section>`;
}

function runSection(model: DemoModel, run: DemoRun): Html {
  const verdict = judge(run);
  const measured = run.rows.filter((row) => row.framesMeasured > 0);
  const withSpans = measured.filter((row) => row.spans.some((span) => span.medianMs > 0));
  return html`<div class="run">
<h3 class="link">${linkText(run.link)}</h3>
<div class="verdict ${verdict.kind}">
<p class="badge">${BADGES[verdict.kind]}</p>
<p class="headline">${verdict.headline}</p>
<ul>${verdict.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
</div>
${measured.length === 0 ? html`` : charts(measured, withSpans)}
${numbersTable(model, run)}
</div>`;
}

function charts(measured: readonly DemoRow[], withSpans: readonly DemoRow[]): Html {
  const falls =
    withSpans.length === 0
      ? html``
      : html`<figure class="figure"><figcaption><h3>Where the time goes</h3><p class="note">Median of each step, in ms, in order.</p>${PLACE_LEGEND}</figcaption>${spansChart(withSpans)}</figure>`;
  return html`<figure class="figure"><figcaption><h3>Latency of a frame</h3><p class="note">Thick bar: p50. Thin bar: p99. In ms; shorter is better.</p></figcaption>${latencyChart(measured)}</figure>
${falls}
<figure class="figure"><figcaption><h3>Bytes of a frame</h3><p class="note">Disc: sent to the cloud. Ring: sent back. The scale is logarithmic: each line is ten times the one before.</p></figcaption>${bytesChart(measured)}</figure>`;
}

function numbersTable(model: DemoModel, { rows, link }: DemoRun): Html {
  const measured = rows.filter((row) => row.framesMeasured > 0);
  const fastestMs = Math.min(...measured.map((row) => row.p50Ms));
  const fewFrames = measured.some((row) => row.framesMeasured < FRAMES_OF_P99);
  const notes = [
    ...rows.flatMap((row) => (row.note === undefined ? [] : [html`<p class="note">${row.label}: ${row.note}</p>`])),
    fewFrames ? html`<p class="note">With fewer than ${FRAMES_OF_P99} frames, p99 is the slowest frame.</p>` : html``,
  ];
  return html`<div class="scroll" role="region" aria-label="All numbers of ${model.title}, ${linkText(link)}" tabindex="0"><table>
<caption>All numbers</caption>
<thead><tr><th scope="col">placement</th><th scope="col">p50 ms</th><th scope="col">p99 ms</th><th scope="col">bytes up</th><th scope="col">bytes down</th><th scope="col">largest<br>difference</th><th scope="col">same<br>verdicts</th><th scope="col">pixel<br>IoU %</th><th scope="col">loses</th><th scope="col">frames</th></tr></thead>
<tbody>${rows.map((row) => tableRow(row, row.p50Ms === fastestMs))}</tbody>
</table></div>${notes}`;
}

function tableRow(row: DemoRow, isFastest: boolean): Html {
  const label = html`<th scope="row">${row.label}</th>`;
  if (row.framesMeasured === 0) return html`<tr>${label}<td colspan="9">not measured</td></tr>`;
  const cells = [
    formatMs(row.p50Ms),
    formatMs(row.p99Ms),
    row.bytesUpPerFrame.toLocaleString('en'),
    row.bytesDownPerFrame.toLocaleString('en'),
    formatDifference(row.maxAbsDifference),
    row.sameVerdicts === null ? '–' : `${row.sameVerdicts} of ${row.parts}`,
    row.pixelIou === null ? '–' : row.pixelIou.toFixed(1),
    row.lossy ? 'yes' : 'no',
    String(row.framesMeasured),
  ];
  return html`<tr class="${isFastest ? 'best' : ''}">${label}${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}

function colophon(report: DemoReport): Html {
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  return html`<footer>
<h2>How it was measured</h2>
${report.method.map((paragraph) => html`<p>${paragraph}</p>`)}
<p>The difference is the largest one between a probability (a pixel of the mask, or the score) and that of the whole model on the same pixels. The verdict compares medians; closer than 5 % counts as a tie. What a faster uplink or a slower edge would change is calculated from these figures, one condition at a time, not measured.</p>
<h2>Versions</h2>
<p><code>${versions.join(' · ')}</code></p>
</footer>`;
}
