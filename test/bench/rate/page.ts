// A rate report -> one HTML page that needs nothing else: a chart and a table for each model.
import { formatBytes, Html, html, PLAN_STYLE, scrolling, section } from '@kerf/cli';
import { FAMILIES, rateChart, SHAPES } from './chart.ts';
import type { RateReport, RateRow, SubjectRates } from './result.ts';
import { bitsText, loadText, lossText, timesText, waysOf } from './text.ts';

const STYLE = new Html(`${PLAN_STYLE.text}
.goal{stroke:var(--win);stroke-width:1.5;stroke-dasharray:6 4}
.curve.rate{stroke-width:1.75;opacity:.7}
.interval{stroke:var(--dim);stroke-width:1.5}
.way{stroke:var(--card);stroke-width:1.5}
.way.levels{fill:var(--edge)}.way.uint8{fill:var(--bar)}.way.plain{fill:var(--card);stroke:var(--bar);stroke-width:2}
.way.jpeg{fill:var(--cloud)}.way.webp{fill:var(--link)}.way.cross{fill:none;stroke:var(--ink);stroke-width:2.5}
.beyond{fill:var(--dim)}
.cut-number{font-size:10.5px;font-weight:700;text-anchor:middle;fill:#fff;paint-order:stroke;stroke:#16202a;stroke-width:2px}
table.rates td{white-space:nowrap}
.cut-number.plain{fill:var(--ink);stroke:var(--card)}
table.rates th[scope=row]{text-align:left;font-weight:500}
table.rates tbody tr.group th{padding-top:16px;font-weight:700;text-align:left}
`);

export function ratePage(report: RateReport): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>kerf: rate against accuracy</title>
<style>${STYLE}</style>
</head>
<body>
<header><p class="brand">kerf bench</p><h1>What a frame costs, and what it loses</h1>
<p>Each mark is one way to send a frame: the activation of a cut in one of kerf's codecs, or the input as an image. Further
left is smaller, further down is more accurate. Loss is against the whole model on the same samples, none of which any codec
was chosen on; bars are 95 % intervals.</p></header>
<main>
${report.subjects.map(subjectSection)}
<section class="part"><h2>How it was measured</h2><p class="note">${methodText(report)}</p></section>
</main>
</body>
</html>
`;
  return page.text;
}

function subjectSection(subject: SubjectRates, index: number): Html {
  const { name, metric, wholePoints, samples, calibratedOn, cuts } = subject;
  const about = `${metric} of the whole model ${wholePoints.toFixed(1)} on ${samples} held-out samples; levels calibrated on ${calibratedOn} others. ${subject.note === null ? '' : `${subject.note} `}The dashed line is half a point.`;
  const list = cuts.map(({ label }, at) => html`<span><b>${at + 1}</b> ${label}</span> `);
  const legend = (Object.keys(FAMILIES) as RateRow['family'][]).map(
    (family) =>
      html`<span><svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">${SHAPES[family]}</svg> ${FAMILIES[family]}</span> `,
  );
  return section(
    { id: `subject-${index}`, title: name, note: about },
    html`<figure class="figure"><p class="legend">${legend}</p><p class="legend">${list}</p>${rateChart(subject)}</figure>${rateTable(subject)}`,
  );
}

function rateTable(subject: SubjectRates): Html {
  const bodies = waysOf(subject).map(
    ({ title, rows }) => html`<tr class="group"><th colspan="8" scope="rowgroup">${title}</th></tr>${rows.map(rowOf)}`,
  );
  return scrolling(
    subject.name,
    html`<table class="rates"><thead><tr><th scope="col">way</th><th scope="col">bytes a frame</th><th scope="col">bits a value</th><th scope="col">order-0 entropy</th><th scope="col">encode / decode</th><th scope="col">in Chromium</th><th scope="col">points lost</th><th scope="col">95 %</th></tr></thead><tbody>${bodies}</tbody></table>`,
  );
}

function rowOf(row: RateRow): Html {
  const { times, browser, lossInterval } = row;
  return html`<tr><th scope="row">${row.label}</th><td>${formatBytes(Math.round(row.bytesPerFrame))}</td><td>${bitsText(row.bitsPerValue)}</td><td>${bitsText(row.entropyBits)}</td><td>${timesText(times)}</td><td>${timesText(browser)}</td><td>${lossText(row.lossPoints)}</td><td>${lossText(lossInterval.low)} to ${lossText(lossInterval.high)}</td></tr>`;
}

function methodText({ processor, cores, load, node, chromium, missing, isFull }: RateReport): string {
  const left = missing.map(({ name, reason }) => ` Not measured: ${name} (${reason}).`).join('');
  const browser = chromium === null ? 'no Chromium' : `Chromium ${chromium}`;
  return `npm run bench -- rate${isFull ? ' --full' : ''}, on ${processor}, Node ${node}, ${browser}, one thread. Times are medians of milliseconds for one frame. Chromium's are those of its own image coders, and of kerf's codecs, whose bytes were checked to be the same as Node's. test/bench/METHODOLOGY.md says more.${loadText(load, cores).replaceAll('**', '')}${left}`;
}
