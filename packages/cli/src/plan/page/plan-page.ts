// A plan's report -> one HTML page that needs nothing else: readable without its one small script, offline, in print.
import { Html, html } from '../../page/html.ts';
import { PATTERNS } from '../../page/waterfall.ts';
import type { PlannedReport, UnsatisfiableReport } from '../report.ts';
import { waysOut } from '../sentences.ts';
import { bandwidthSection } from './bandwidth-section.ts';
import { changeSection } from './change-section.ts';
import { cutsSection } from './cuts-section.ts';
import { frontSection } from './front-section.ts';
import { conflictText, glossarySection, methodSection } from './glossary-section.ts';
import { graphSection } from './graph-section.ts';
import { PLAN_STYLE } from './plan-style.ts';
import { PROBE_SCRIPT, scriptHash } from './probe-script.ts';
import { timeSection } from './time-section.ts';
import { verdictSection } from './verdict-section.ts';

/** Every text of the report is escaped; the page's own policy forbids the network and every script but its own. */
export function planPage(report: PlannedReport): string {
  const sections = [changeSection, timeSection, bandwidthSection, cutsSection, frontSection, graphSection];
  return frame(
    `kerf plan: ${report.model.file}`,
    html`${verdictSection(report)}
<main>
${sections.map((section) => section(report))}
${glossarySection()}
${methodSection(report)}
</main>
<script>${SCRIPT}</script>`,
  );
}

/** The page where nothing keeps all constraints. */
export function unsatisfiablePage(report: UnsatisfiableReport): string {
  return frame(
    'kerf plan: no placement',
    html`<header><p class="brand">kerf plan</p><h1>${report.verdict}</h1>
<p>No way of running this model keeps ${conflictText([...report.conflict])}. Loosen ${report.conflict.length === 1 ? 'it' : 'one of them'} and plan again.</p>
<ul>${waysOut(report).map((text) => html`<li>${text}</li>`)}</ul></header>`,
  );
}

/** A constant of this program: nothing of a report is in it. */
const SCRIPT = new Html(PROBE_SCRIPT);

const SPLIT_PATTERN: Html = html`<svg width="0" height="0" class="defs" aria-hidden="true"><defs><pattern id="stripes-split" width="12" height="12" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="12" height="12" class="cloud"/><rect width="6" height="12" class="edge-fill"/></pattern></defs></svg>`;

function frame(title: string, body: Html): string {
  const policy = `default-src 'none'; script-src '${scriptHash()}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<title>${title}</title>
<style>${PLAN_STYLE}</style>
</head>
<body>
${PATTERNS}
${SPLIT_PATTERN}
${body}
</body>
</html>
`;
  return page.text;
}
