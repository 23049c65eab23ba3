"""The style of the page: light and dark, phone to desktop, screen and paper."""

from __future__ import annotations

STYLE = """
:root{--ground:#fff;--raised:#f6f7f9;--ink:#1a1d21;--soft:#5b6470;--rule:#dfe3e8;--accent:#0b6aa8;
--warn:#8a3b00;--warn-ground:#fff3e6;--good:#00664a;--loss:#b3400a;color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14171b;--raised:#1d2127;--ink:#e8eaed;--soft:#a0a9b4;
--rule:#333a43;--accent:#7cc4f2;--warn:#ffb077;--warn-ground:#38230f;--good:#4fd0a5;--loss:#ff9a63;color-scheme:dark}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:1180px;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{margin:0;font-size:1.05rem;letter-spacing:.02em;color:var(--soft);font-weight:600}
h2{margin:0 0 .6rem;font-size:1.25rem;line-height:1.25}
h3{margin:1.6rem 0 .4rem;font-size:1rem}
p{margin:.4rem 0}
.subject{font-size:1.05rem;color:var(--soft)}
.lead{margin:.5rem 0 .8rem;font-size:1.45rem;line-height:1.3;font-weight:600;max-width:46rem;text-wrap:balance}
nav{position:sticky;top:0;z-index:3;display:flex;gap:1.1rem;overflow-x:auto;margin:0 -1rem;padding:.55rem 1rem;
background:var(--ground);border-bottom:1px solid var(--rule);white-space:nowrap;scrollbar-width:none}
nav a{color:var(--accent);text-decoration:none}
nav a:hover{text-decoration:underline}
section,.pair>figure{margin:2.4rem 0 0;scroll-margin-top:3rem}
figure{margin:0}
.caption,figcaption,.note{color:var(--soft);font-size:.85rem;max-width:62rem}
.warning{margin:1rem 0;padding:.7rem 1rem;border-left:4px solid var(--warn);background:var(--warn-ground);
color:var(--ink)}
.warning h2{color:var(--warn)}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
pre{margin:.3rem 0;padding:.7rem .9rem;background:var(--raised);border-radius:6px;white-space:pre-wrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.2rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}

.scroll{overflow-x:auto;margin:0 -1rem;padding:0 1rem}
.scroll:focus-visible{outline:2px solid var(--accent)}
table{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:.34rem .6rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:middle}
th.right,td.right{text-align:right;white-space:nowrap}
thead th{vertical-align:bottom;color:var(--soft);font-size:.82rem;font-weight:600;line-height:1.25}
tbody th,tfoot th{font-weight:500}
tfoot th,tfoot td{font-weight:600;border-bottom:0}
tr>:first-child{position:sticky;left:0;z-index:1;padding-left:0;background:var(--ground)}
tbody tr:hover>*{background:var(--raised)}
th button{all:unset;cursor:pointer;display:inline;font:inherit}
th button:hover{color:var(--ink)}
th button:focus-visible{outline:2px solid var(--accent)}
th[aria-sort] button{color:var(--ink)}
th[aria-sort=ascending] button::after{content:" \\25B2"}
th[aria-sort=descending] button::after{content:" \\25BC"}
td.words{color:var(--soft);font-size:.85rem;min-width:12rem}
table.tasks{font-size:.9rem}
table.tasks th,table.tasks td{padding:.18rem .5rem}
table.tasks tr>:first-child{padding-left:0;min-width:6.5rem;max-width:10.5rem}
table.tasks .above{display:block;max-width:6.5rem;margin-left:auto;font-weight:500}
td.loss{color:var(--loss)}
td.ceiling{color:var(--soft)}
td.way{min-width:8rem;width:24%}
td.course{min-width:7rem;width:20%}
.proofs{margin:.7rem 0;padding-left:1.1rem;font-size:.9rem}
.named{display:inline-flex;align-items:baseline;gap:.45rem}
.league .named{min-width:8.5rem}
.badge{display:inline-block;flex:none;min-width:1.35em;height:1.35em;padding:0 .25em;border-radius:1em;
background:var(--c);color:var(--i);font-size:.78em;line-height:1.35em;font-weight:700;text-align:center}
.bar{display:inline-block;min-width:3.6rem;padding-bottom:4px;background:linear-gradient(var(--c),var(--c))
0 100%/var(--v) 3px no-repeat,linear-gradient(var(--soft),var(--soft)) var(--k,-9rem) 100%/2px 5px no-repeat,
linear-gradient(var(--rule),var(--rule)) 0 100%/100% 3px no-repeat}
.best{font-weight:700}
.star{display:inline-block;width:0}
.verdict{font-weight:600}
.verdict.exact{color:var(--good)}
.verdict.forgets,.verdict.changed{color:var(--loss)}
.verdict.kept,.verdict.open{color:var(--soft)}

.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:0 3rem}
.chart{padding:0 32px 0 44px}
.axis{margin:.2rem 0 .7rem -40px;color:var(--soft);font-size:.82rem}
.axis.x{margin:26px 0 .5rem;text-align:right}
svg{overflow:visible}
.plot{display:block;width:100%}
.plot text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.lines,.at{overflow:visible}
.tick{fill:var(--soft);text-anchor:middle}
.tick.up{text-anchor:end}
.grid{stroke:var(--rule);stroke-width:1}
.break{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}
.reference{stroke:var(--soft);stroke-width:1;stroke-dasharray:6 4}
.curve{fill:none;stroke:var(--c);stroke-linejoin:round;stroke-linecap:round}
.dash1{stroke-dasharray:8 5}
.dash2{stroke-dasharray:2 5}
.tie{stroke:var(--c);stroke-width:1;stroke-dasharray:none;opacity:.75}
.whisker{stroke:var(--c);stroke-width:1.5;stroke-dasharray:none;opacity:.4}
.dot{fill:var(--c);stroke:none}
.ring{fill:var(--ground);stroke:var(--c);stroke-width:2;stroke-dasharray:none}
.moved{stroke:var(--c);stroke-width:2.5;stroke-dasharray:none;opacity:.6}
.mark circle{fill:var(--c);stroke:var(--ground);stroke-width:1.5;stroke-dasharray:none}
.mark text{fill:var(--i);font-size:10.5px;font-weight:700;text-anchor:middle}
.spark{display:block;width:100%;stroke-width:1.6px}

.maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr));gap:1.4rem 2rem;margin-top:1rem}
.maps figcaption{color:var(--ink);font-size:.92rem;margin-bottom:.1rem}
.matrix{display:block;width:100%;height:auto}
.matrix .empty{fill:var(--raised)}
.matrix .failed{fill:var(--ground);stroke:var(--loss);stroke-width:1.4}
.matrix rect:not(.empty):hover{stroke:var(--ink);stroke-width:1.5}
.number{fill:var(--soft);font:10px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;text-anchor:middle}
.number.down{text-anchor:end}
.key{white-space:nowrap;margin-right:.8rem}
.ramp{display:inline-block;width:7rem;height:.7rem;vertical-align:-.05rem;border-radius:2px}
.swatch{display:inline-block;width:.8rem;height:.8rem;vertical-align:-.1rem}
.swatch.empty{background:var(--raised);outline:1px solid var(--rule)}
.swatch.failed{border:2px solid var(--loss)}
.readout{display:none}
.readout.on{display:block;position:sticky;bottom:0;margin:.8rem -1rem 0;padding:.5rem 1rem;background:var(--raised);
border-top:1px solid var(--rule);font-size:.85rem;overflow-wrap:anywhere}

@media (max-width:600px){body{padding-top:1rem;font-size:14px}.lead{font-size:1.2rem}dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.5rem}th,td{padding:.34rem .45rem}td.course,td.way{min-width:5.5rem}.minor{display:none}
table.tasks{font-size:.85rem}table.tasks th,table.tasks td{padding:.2rem .3rem}
table.tasks tr>:first-child{min-width:7.4rem}}
@media print{*{print-color-adjust:exact;-webkit-print-color-adjust:exact}body{max-width:none;padding:0;font-size:9.5pt}
nav,.readout{display:none!important}.scroll{overflow:visible;margin:0;padding:0}figure,tr,pre{break-inside:avoid}
h2,h3{break-after:avoid}tr>:first-child{position:static}table{font-size:8pt}th,td{padding:.12rem .3rem}
.maps{grid-template-columns:repeat(3,1fr)}td.words{min-width:0}.bar{min-width:2.6rem}}
"""
