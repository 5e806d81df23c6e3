// The look that all pages of kerf share: one sheet, light, dark and high contrast, phone to desktop, no fonts or files from elsewhere.
import { Html } from './html.ts';

export const BASE_STYLE: Html = new Html(`
:root{color-scheme:light dark;--page:#f6f7f8;--card:#fff;--ink:#16202a;--dim:#5b6773;--line:#dfe4e8;--grid:#e8ecef;
--edge:#0f766e;--link:#e0a030;--cloud:#5b55c8;--hatch:#16202a55;--bar:#7b8fa3;--best:#0f766e;--p99:#c3ced8;
--win:#0f766e;--lose:#b4491d;--tie:#5b6773;--disc:#ffffffe6;--numeral:#16202a}
@media (prefers-color-scheme:dark){:root{--page:#0f1418;--card:#171e24;--ink:#e8edf1;--dim:#9aa7b3;--line:#2a343d;--grid:#242d35;
--edge:#2dd4bf;--link:#f0b84c;--cloud:#8f8bf5;--hatch:#0f141877;--bar:#71869a;--best:#2dd4bf;--p99:#3c4a57;
--win:#2dd4bf;--lose:#ff9a6b;--tie:#9aa7b3;--disc:#0f1418d9;--numeral:#e8edf1}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
-webkit-text-size-adjust:100%}
main,header,footer{max-width:1080px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
h1{font-size:30px;line-height:1.2;margin:4px 0 10px;letter-spacing:-.02em}
h2{font-size:22px;line-height:1.25;margin:0;letter-spacing:-.01em}
h3{font-size:16px;margin:0 0 2px}
p{margin:0 0 10px;max-width:72ch}
.brand{font-weight:700;letter-spacing:.08em;text-transform:uppercase;font-size:13px;color:var(--dim)}
.dim,.note{color:var(--dim)}
.note{font-size:14px}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:14px 0 0;font-size:15px}
.facts dt{color:var(--dim)}
.facts dd{margin:0;overflow-wrap:anywhere}
figure{margin:0}
.figure{margin:0 0 30px}
.figure figcaption{margin-bottom:10px}
.name{font-size:15px;line-height:1.3;overflow-wrap:anywhere}
.mark{display:inline-block;font-size:12px;font-weight:650;color:var(--win);border:1px solid currentColor;border-radius:99px;padding:0 7px;line-height:1.5}
svg{display:block;overflow:visible}
.defs{position:absolute}
.grid{stroke:var(--grid);stroke-width:1}
.link{fill:var(--link)}.cloud{fill:var(--cloud)}.hatch{fill:var(--hatch)}
.segment{stroke:var(--card);stroke-width:1.5}
.disc{fill:var(--disc)}
.numeral{fill:var(--numeral);font-size:11px;font-weight:650;text-anchor:middle}
.tick{fill:var(--dim);font-size:12px;font-variant-numeric:tabular-nums}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px;color:var(--dim);margin:4px 0 8px}
.legend span{display:inline-flex;align-items:center;gap:7px}
.fall{margin-bottom:18px}
.fall .name{margin-bottom:3px}
.fall ol{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0 0;padding:0;font-size:13.5px;color:var(--dim)}
.fall li{white-space:nowrap;font-variant-numeric:tabular-nums}
.fall li b{color:var(--ink);font-weight:600}
.fall i{font-style:normal;display:inline-block;min-width:17px;padding:0 4px;margin-right:6px;text-align:center;font-size:11px;line-height:17px;border-radius:9px;border:1.5px solid var(--dim);color:var(--ink)}
.fall li.edge i{border-color:var(--edge)}.fall li.link i{border-color:var(--link)}.fall li.cloud i{border-color:var(--cloud)}
.scroll{overflow-x:auto;margin:0 -28px;padding:0 28px}
.scroll:focus-visible{outline:2px solid var(--best);outline-offset:-2px}
table{border-collapse:collapse;width:100%;font-size:14.5px;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:700;font-size:16px;padding-bottom:6px}
th,td{padding:7px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
td:last-child,th:last-child{padding-right:0}
thead th{color:var(--dim);font-weight:600;font-size:13px;vertical-align:bottom}
tbody th{font-weight:500}
td[colspan]{text-align:left;color:var(--dim)}
tr.best th,tr.best td{font-weight:700}
footer{padding-bottom:56px}
footer h2{font-size:18px;margin:26px 0 8px}
footer p{font-size:15px}
.scroll+.note{margin-top:12px}
code{font:13.5px ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.torn{fill:var(--card)}
@media (max-width:720px){
main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
h1{font-size:25px}
.tick.minor{display:none}
tbody th{white-space:normal;min-width:112px;max-width:150px;overflow-wrap:anywhere}
.scroll{margin:0 -16px;padding:0 16px}
}
@media (prefers-contrast:more){:root{--dim:var(--ink);--line:var(--ink);--grid:var(--dim)}}
@media (forced-colors:active){:root{--page:Canvas;--card:Canvas;--ink:CanvasText;--dim:CanvasText;--line:CanvasText;--grid:GrayText;
--edge:CanvasText;--link:Canvas;--cloud:Canvas;--hatch:CanvasText;--bar:CanvasText;--best:Highlight;--p99:GrayText;--win:CanvasText;--lose:CanvasText;
--tie:CanvasText;--disc:Canvas;--numeral:CanvasText}.segment{stroke:CanvasText}}
`);
