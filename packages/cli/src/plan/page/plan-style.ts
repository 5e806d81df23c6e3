// The look of a plan's page, beside what all pages share.
import { Html } from '../../page/html.ts';
import { BASE_STYLE } from '../../page/style.ts';

export const PLAN_STYLE: Html = new Html(`${BASE_STYLE.text}
main,header{max-width:1120px}
main{padding-bottom:72px}
header{padding-bottom:8px}
.asked{font-size:18px;color:var(--dim);margin:0;overflow-wrap:anywhere}
.asked b{color:var(--ink)}
h1{font-size:clamp(24px,4.2vw,40px);line-height:1.15;margin:6px 0 14px;letter-spacing:-.025em;max-width:26em;overflow-wrap:anywhere;text-wrap:balance}
.reasons{margin:0 0 24px;padding-left:20px;max-width:76ch}
.reasons li{margin:3px 0}
.coding{border-left:4px solid var(--win);padding:2px 0 2px 12px;margin:18px 0 0;font-size:15px;max-width:82ch;overflow-wrap:anywhere}
.coding p{margin:4px 0}
.warning{border-left:4px solid var(--lose);padding:2px 0 2px 12px;margin:14px 0 0;font-size:15px;max-width:82ch;overflow-wrap:anywhere}
.intro{color:var(--dim);font-size:15px;max-width:82ch;margin-top:18px}
.intro b{color:var(--ink)}
.where{font-weight:700;font-size:13px;letter-spacing:.05em;text-transform:uppercase;color:var(--dim)}
.way{list-style:none;display:grid;grid-template-columns:1fr 1fr 1fr;gap:0;margin:0 0 16px;padding:0}
.way li{display:flex;flex-direction:column;gap:1px;padding:14px 20px 16px;min-width:0;overflow-wrap:anywhere;font-size:14px;line-height:1.4}
.way b{font-size:24px;line-height:1.25;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.stop{background:var(--card);border:1px solid var(--line);border-top:8px solid var(--edge);border-radius:10px}
.stop.cloud{border-top:8px dotted var(--cloud)}
.stop.idle{border-style:dashed;border-color:var(--line);background:none}
.idle b{color:var(--dim);font-weight:500}
.hop{position:relative;text-align:center;align-items:center}
.hop:before,.hop:after{content:"";position:absolute;left:0;right:0;top:0;height:8px;background:repeating-linear-gradient(135deg,var(--link) 0 6px,var(--hop) 6px 9px)}
.hop:after{left:auto;right:-1px;top:-5px;width:0;height:0;background:none;border:9px solid transparent;border-left:14px solid var(--link);border-right:0}
.hop.idle:before{background:none;border-top:2px dashed var(--line);top:4px;height:0}
.hop.idle:after{display:none}
.tiles{list-style:none;display:grid;grid-template-columns:1fr 1fr 1fr;gap:14px;margin:0;padding:0}
.tile{display:flex;flex-direction:column;gap:3px;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 18px;font-size:14px;min-width:0;overflow-wrap:anywhere}
.tile.chosen{border:2px solid var(--win);padding:13px 17px}
.tile.none{background:none;border-style:dashed}
.tile .big{font-size:28px;line-height:1.2;letter-spacing:-.015em;font-variant-numeric:tabular-nums}
.tile .label{font-size:13px}
.track{display:block;height:8px;border-radius:4px;background:var(--grid);margin:3px 0 5px;overflow:hidden}
.fill{display:block;height:100%;background:var(--bar);border-radius:4px}
.chosen .fill{background:var(--best)}
.part{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:26px 28px;margin:22px 0}
.part>.note{max-width:82ch;margin:4px 0 18px}
.part>p:last-child{margin-bottom:0}
.mark{white-space:nowrap}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:26px 48px}
.line{min-width:0}
.what,.reigns{list-style:none;margin:10px 0 0;padding:0;font-size:15px}
.what li,.reigns li{display:flex;gap:10px;align-items:baseline;margin:5px 0}
.what li>span,.reigns li>span{min-width:0;overflow-wrap:anywhere}
.swatch{flex:0 0 16px;width:16px;align-self:baseline}
.pin path{stroke:var(--ink);stroke-width:2.5}.pin circle{fill:var(--ink)}
.costs{margin-top:22px;padding-top:14px;border-top:1px solid var(--line)}
.costs p{margin:0 0 4px}
.edge-fill{fill:var(--edge)}
.plot{margin:12px 0 8px}
.canvas{padding-left:58px;touch-action:pan-y}
.canvas>svg{overflow:visible}
.axis-title{font-size:12.5px;color:var(--dim);margin:0 0 8px}
.axis-title.x{text-align:right;margin:2px 0 0}
.axis-title:empty{display:none}
.curve{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke:var(--ink)}
.curve.edge{stroke:var(--edge)}
.curve.cloud{stroke:var(--cloud-line);stroke-dasharray:2 5;stroke-width:3;stroke-linecap:round}
.curve.split{stroke:var(--ink);stroke-dasharray:11 5}
.curve.total{stroke-width:1.75}
.curve.thin{stroke-width:1;stroke:var(--dim)}
.reign{opacity:.09;fill:var(--ink)}.reign.edge{fill:var(--edge)}.reign.cloud{fill:var(--cloud)}.reign.split{fill:var(--link)}
.takeover{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
.now{stroke:var(--ink);stroke-width:2}
.cursor{stroke:var(--lose);stroke-width:1.5;display:none}
.probed .cursor{display:block}
.level{stroke:var(--ink);stroke-width:1.5}.level.edge{stroke-dasharray:8 4}.level.cloud{stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:2.5}
.figure-text{font-size:12.5px;fill:var(--ink);font-variant-numeric:tabular-nums}
.strong{font-weight:700}
.halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.mark-clean{fill:var(--ink)}.mark-fused{fill:var(--card);stroke:var(--ink);stroke-width:1.25}.mark-refused{stroke:var(--lose);stroke-width:1.5;fill:none}
.probe{border-top:1px solid var(--line);margin-top:12px;padding-top:12px;font-size:14px}
.probe[hidden]{display:none}
.probe label{display:flex;gap:14px;align-items:center;color:var(--dim)}
.probe label span{flex:none}
.probe input{flex:1;min-width:0;accent-color:var(--lose)}
.probe output{display:flex;flex-wrap:wrap;gap:2px 18px;margin-top:6px;min-height:42px;align-content:flex-start;color:var(--dim);font-variant-numeric:tabular-nums}
.probe output b{color:var(--ink);overflow-wrap:anywhere}
.cuts h3{margin-top:18px}
.cuts .plot{margin-bottom:4px}
.reigns{margin-top:6px}
.reigns .range{flex:0 0 210px;color:var(--dim);font-variant-numeric:tabular-nums}
details.more{margin-top:16px}
summary{cursor:pointer}
details.more>summary{font-weight:600;font-size:15px;padding:4px 0}
details.more .scroll{max-height:440px;overflow:auto;margin-top:8px}
summary:focus-visible,input:focus-visible{outline:2px solid var(--best);outline-offset:2px}
.scroll thead th{position:sticky;top:0;background:var(--card)}
table.front td:first-child{color:var(--dim)}
table.front th[scope=row]{text-align:left;white-space:normal;min-width:190px;overflow-wrap:anywhere}
table.front thead th:nth-child(2){text-align:left}
td:last-child{white-space:normal}
.least{font-size:12px;color:var(--dim)}
.dot{stroke:var(--card);stroke-width:2}.dot.edge{fill:var(--edge)}.dot.split{fill:url(#stripes-split)}.dot.cloud{fill:url(#dots-cloud)}.dot.chosen{stroke:var(--ink);stroke-width:3}
.dot-number{font-size:11.5px;font-weight:700;text-anchor:middle;fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:4px}
.graph{font-size:14px;margin-top:10px}
.g-row{display:grid;grid-template-columns:max-content minmax(0,1fr) 90px 84px 92px 92px;gap:0 12px;align-items:center;height:30px;list-style:none}
.g-head{grid-template-columns:1fr 84px 92px 92px;height:auto;font-size:12.5px;color:var(--dim);padding-bottom:4px;border-bottom:1px solid var(--line)}
.g-head .g-rail{display:none}
.g-head .g-ms,.g-head .g-bytes{color:var(--dim)}
summary.g-row::-webkit-details-marker{display:none}
.g-name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.g-name b{font-weight:600}
.g-bytes,.g-ms{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.g-ms{color:var(--dim)}.g-ms.runs{color:var(--ink);font-weight:600}
.g-place{display:none}
.g-bar{height:6px;border-radius:3px;background:var(--grid)}
.g-fold>summary{background:var(--fold);border-radius:6px}
.g-fold>summary:hover{outline:1px solid var(--line)}
.g-fold[open]>summary .g-more{transform-box:fill-box;transform-origin:center;transform:rotate(180deg)}
.g-rail{overflow:visible}
.wire{fill:none;stroke:var(--wire);stroke-width:2}
.g-mark{stroke:var(--card);stroke-width:2}.g-mark.edge{fill:var(--edge)}.g-mark.cloud{fill:var(--cloud)}
.g-more{fill:var(--card)}
.g-side{font-size:14px;letter-spacing:.02em;margin:0;padding:12px 0 6px}
.g-inside,.g-cut{position:relative}
.g-pass{position:absolute;left:0;top:0;bottom:0;height:100%}
.g-inner{border-left:2px solid var(--line);padding:6px 0 10px 12px;margin-left:8px}
.g-inner .note{margin:2px 0 4px}
.g-times{list-style:none;columns:3;column-gap:28px;margin:8px 0 0;padding:0;font-size:13px;font-variant-numeric:tabular-nums}
.g-times li{break-inside:avoid;overflow-wrap:anywhere}
.g-cut{padding-top:12px;padding-bottom:12px;margin:2px 0;overflow-wrap:anywhere}
.g-cut:after{content:"";position:absolute;left:0;right:0;top:50%;border-top:3px dashed var(--lose);z-index:0}
.g-cut p,.g-cut ul{position:relative;z-index:1;background:var(--cutcard);margin:0;padding:0 14px}
.g-cut p{border:2px solid var(--lose);border-bottom:0;border-radius:8px 8px 0 0;padding-top:8px;max-width:none}
.g-cut ul{border:2px solid var(--lose);border-top:0;border-radius:0 0 8px 8px;padding-bottom:8px;list-style:none}
.g-cut-title{color:var(--lose);margin-right:8px}
.words{display:grid;grid-template-columns:1fr 1fr;gap:12px 40px;margin:0;font-size:15px}
.words dt{font-weight:700}.words dd{margin:0;color:var(--dim)}
.facts.wide{display:block;margin-top:16px}
.facts.wide>div{display:grid;grid-template-columns:120px 1fr;gap:4px 16px;padding:7px 0;border-top:1px solid var(--line)}
.facts code{font-size:12.5px}
:root{--wire:#93a3b1;--fold:#f2f5f7;--hop:#16202a55;--cloud-line:#5b55c8;--cutcard:#fff7f2}
@media (prefers-color-scheme:dark){:root{--wire:#5c6e7d;--fold:#1d262d;--hop:#0f141877;--cloud-line:#a9a6ff;--cutcard:#2a1f19}}
@media (max-width:720px){
.way,.tiles,.pair,.words{grid-template-columns:1fr}
.hop{padding:12px 20px}
.hop:before{left:0;right:auto;width:8px;height:auto;top:0;bottom:0}
.hop.idle:before{height:auto;border-top:0;border-left:2px dashed var(--line)}
.hop:after{display:none}
.part{padding:20px 16px;border-radius:12px}
.canvas{padding-left:46px}
.reigns li{flex-wrap:wrap;gap:0 10px}
.reigns .range{flex:1 1 auto}
.reigns li>span:last-child{flex:1 1 100%;padding-left:26px}
.g-row{grid-template-columns:max-content minmax(0,1fr) max-content;gap:0 8px}
.g-bar,.g-bytes,.g-ms:not(.runs),.g-head{display:none}
.g-times{columns:1}
.g-cut{padding-left:12px!important}
.probe label{flex-direction:column;align-items:stretch;gap:4px}
.facts.wide>div{grid-template-columns:1fr}
}
@media (forced-colors:active){:root{--wire:CanvasText;--fold:Canvas;--hop:CanvasText;--cloud-line:CanvasText;--cutcard:Canvas}.fill,.hop:before{forced-color-adjust:none;background:CanvasText}}
@media print{body,.part{background:#fff}.part{border:0;padding:0;break-inside:auto}.probe,.cursor{display:none!important}.tile,.way,.plot,.fall,.g-row,tr{break-inside:avoid}.scroll{overflow:visible}details.more .scroll{max-height:none}h2{break-after:avoid}}
`);
