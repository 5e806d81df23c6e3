// The look of the demo's page, beside what all pages share.
import { Html } from '../page/html.ts';
import { BASE_STYLE } from '../page/style.ts';

export const STYLE: Html = new Html(`${BASE_STYLE.text}
.parts{list-style:none;margin:0 0 8px;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:18px}
.part-card{min-width:0}
.truth{font-weight:650;font-size:14px;margin:0 0 4px}
.differs{font-weight:650;color:var(--lose);font-size:13px;margin-left:6px}
.views{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:6px}
.views figure{margin:0;min-width:0}
.views img{width:100%;height:auto;display:block;border-radius:6px;border:1px solid var(--line)}
.views figcaption{font-size:12px;color:var(--dim);margin-top:3px;overflow-wrap:anywhere}
.views .none{color:var(--dim);font-size:13px}
.answer{display:block;font-weight:650;color:var(--ink);font-variant-numeric:tabular-nums}
.v-ng{color:var(--lose)}.v-pass{color:var(--win)}
.swatch{display:inline-block;width:12px;height:12px;border-radius:3px;vertical-align:-1px}
.swatch.outline{border:2px solid #ffd600;background:#555}.swatch.found{background:#ff283c}
.run{border-top:1px solid var(--line);margin-top:26px;padding-top:20px}
.link{font-size:16px;margin:0 0 14px}
section.model{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:28px;margin:24px 0}
.input{color:var(--dim);font-size:14px;margin:2px 0 18px}
.verdict{border-left:5px solid var(--tone);padding:2px 0 2px 18px;margin:0 0 30px}
.verdict .headline{font-size:20px;line-height:1.35;font-weight:650;margin:0 0 8px;max-width:none}
.verdict .badge{color:var(--tone);font-weight:700;font-size:13px;letter-spacing:.06em;text-transform:uppercase;margin:0 0 2px}
.verdict ul{margin:0;padding-left:18px}
.verdict li{margin:2px 0;max-width:80ch}
.split-wins{--tone:var(--win)}.split-loses{--tone:var(--lose)}.tie,.no-data{--tone:var(--tie)}
.dots .row{min-height:32px}
.row{display:grid;grid-template-columns:250px minmax(0,1fr) 150px;gap:0 16px;align-items:center}
.value{font-size:14px;font-variant-numeric:tabular-nums;white-space:nowrap}
.p50{fill:var(--bar)}.p50.best{fill:var(--best)}.p99{fill:var(--p99)}
.thread{stroke:var(--p99);stroke-width:2}
.up{fill:var(--bar)}.down{fill:var(--card);stroke:var(--ink);stroke-width:2}
@media (max-width:720px){
.parts{grid-template-columns:1fr}
section.model{padding:20px 16px;border-radius:12px}
.verdict{padding-left:14px}
.verdict .headline{font-size:18px}
.row{grid-template-columns:minmax(0,1fr) max-content;gap:0 12px;margin-bottom:8px}
.row svg{grid-column:1/-1;grid-row:2}
.row.axis .value{grid-column:2;grid-row:1;text-align:right}
}
@media print{body{background:#fff}section.model{break-inside:auto;border:0;padding:0}.figure,.verdict,.fall,.row{break-inside:avoid}}
`);
