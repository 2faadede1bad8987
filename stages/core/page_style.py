"""How the page of an iteration looks: light and dark, wide and narrow, on screen and on paper."""

_COLOURS = """
:root {
  color-scheme: light dark;
  --ink: #1c2733; --soft: #5d6a77; --line: #dfe4e9; --paper: #fff; --ground: #f3f5f7; --bar: #b9cfe0;
  --go: #226b47; --stop: #8f3d2b; --mark: #c3372b;
  --k0: #0b5c8a; --k1: #b3541e; --k2: #3f7d33; --k3: #7a4aa0;
  --k4: #b0892b; --k5: #a83a63; --k6: #2c8b87; --k7: #6b6b6b;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e6ebf0; --soft: #9aa7b4; --line: #2f3a45; --paper: #1a222b; --ground: #11171d; --bar: #35536b;
    --go: #2f8a5e; --stop: #b25542; --mark: #ff8577;
    --k0: #63b7ea; --k1: #f0945c; --k2: #86c979; --k3: #c39ce6;
    --k4: #e3c268; --k5: #ef86ad; --k6: #6fd0cb; --k7: #b3b3b3;
  }
  img { filter: brightness(.88); }
}
"""

_PAGE = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 1080px; margin: 28px auto 56px; padding: 0 18px; }
h1 { font-size: 28px; margin: 0; letter-spacing: -.015em; }
h2 { font-size: 17px; margin: 0 0 14px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 0 0 10px; }
a { color: var(--k0); }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
section { padding: 20px 22px; margin: 16px 0; }
.soft, .legend { color: var(--soft); }
.legend { font-size: 13px; margin: 14px 0 0; max-width: 100ch; }
.note { border-left: 3px solid var(--k4); padding-left: 12px; margin-top: 12px; }
.top { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: center; }
.badge { border-radius: 999px; padding: 2px 12px; font-weight: 600; white-space: nowrap; color: #fff; }
td .badge { display: inline-block; padding: 1px 9px; font-size: 12px; line-height: 1.5; }
.go { background: var(--go); } .stop { background: var(--stop); }
.reason { font-size: 17px; margin: 8px 0 4px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 14px; }
.tile b { display: block; font-size: 25px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile small { color: var(--soft); display: block; }
"""

_TABLES = """
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 9px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; }
th[title]:not([title=""]) { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
th:first-child, td:first-child { text-align: left; }
tbody tr:last-child td { border-bottom: 0; }
tfoot td { border-top: 2px solid var(--line); border-bottom: 0; font-weight: 600; }
tr.now td { font-weight: 650; }
.ends { font-size: 12px; }
.meter { display: inline-block; width: 54px; height: 8px; margin-right: 8px; }
.meter { border-radius: 4px; background: var(--line); }
.meter i { display: block; height: 8px; border-radius: 4px; background: var(--k0); }
dl { display: grid; grid-template-columns: minmax(110px, 220px) 1fr; gap: 4px 16px; margin: 10px 0; }
dt { color: var(--soft); overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); margin-top: 8px; }
ul.plain { margin: 0; padding-left: 20px; }
.stack { display: flex; height: 22px; border-radius: 6px; overflow: hidden; }
.stack i { display: block; min-width: 2px; }
.fates { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 10px 0 6px; padding: 0; }
.fates li { display: flex; align-items: center; gap: 6px; } .fates i { width: 12px; height: 12px; border-radius: 3px; }
.f0 { background: var(--bar); } .f1 { background: var(--k6); } .f2 { background: var(--k4); }
.f3 { background: var(--k5); } .f4 { background: var(--k2); } .f5 { background: var(--k0); }
.f6 { background: var(--k1); } .f7 { background: var(--k3); } .f8 { background: var(--k7); }
.f9 { background: var(--mark); }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 6px 28px; }
.counts { margin-bottom: 16px; }
.arms { max-width: 520px; margin-bottom: 10px; } .arms .count { grid-template-columns: 150px 1fr 40px; }
.count { display: grid; grid-template-columns: 104px 1fr 34px; gap: 8px; align-items: center; font-size: 14px; }
.count i { display: block; height: 9px; border-radius: 4px; background: var(--bar); }
.count b { text-align: right; white-space: nowrap; font-weight: 600; font-variant-numeric: tabular-nums; }
"""

_CHARTS = """
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); }
.charts { gap: 18px 26px; margin-bottom: 16px; }
.chart > svg { width: 100%; height: auto; display: block; }
.chart text { font-size: 12px; fill: var(--soft); } .chart text.value { fill: var(--k0); font-weight: 650; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 6px; padding: 0; font-size: 14px; }
.key li { display: flex; align-items: center; gap: 7px; } .key svg { width: 26px; height: 8px; }
line { stroke-width: 2.4; }
line.ends { stroke-width: 1.4; stroke-dasharray: none; opacity: .55; }
line.grid { stroke: var(--line); stroke-width: 1; }
line.target { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
line.k0 { stroke: var(--k0); } circle.k0 { fill: var(--k0); }
line.k1 { stroke: var(--k1); stroke-dasharray: 7 4; } circle.k1 { fill: var(--k1); }
line.k2 { stroke: var(--k2); stroke-dasharray: 2 4; } circle.k2 { fill: var(--k2); }
line.k3 { stroke: var(--k3); stroke-dasharray: 9 3 2 3; } circle.k3 { fill: var(--k3); }
line.k4 { stroke: var(--k4); } circle.k4 { fill: var(--k4); }
line.k5 { stroke: var(--k5); stroke-dasharray: 7 4; } circle.k5 { fill: var(--k5); }
line.k6 { stroke: var(--k6); stroke-dasharray: 2 4; } circle.k6 { fill: var(--k6); }
line.k7 { stroke: var(--k7); stroke-dasharray: 9 3 2 3; } circle.k7 { fill: var(--k7); }
"""

_PICTURES = """
.shots { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 16px; }
.shots.wide { grid-template-columns: repeat(auto-fill, minmax(215px, 1fr)); gap: 20px; }
figure { margin: 0; font-size: 13px; line-height: 1.4; position: relative; break-inside: avoid; }
figure img, .blank { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #fff; }
figure img, .blank { border: 1px solid var(--line); border-radius: 8px; }
.blank { display: grid; place-items: center; color: #5d6a77; }
figcaption { margin-top: 6px; overflow-wrap: anywhere; }
figcaption b { display: block; font-size: 14px; }
figcaption span { display: block; color: var(--soft); }
.rank { position: absolute; left: 8px; top: 8px; border-radius: 6px; padding: 0 7px; }
.rank { background: #1c2733; color: #fff; font-weight: 650; }
"""

_PAPER = """
@media screen and (max-width: 560px) {
  main { padding: 0 10px; margin-top: 16px; } section { padding: 16px 14px; border-radius: 10px; }
  .shots { grid-template-columns: repeat(2, 1fr); gap: 12px; } .shots.wide { grid-template-columns: 1fr; }
  .chart text { font-size: 14px; }
  .tiles { grid-template-columns: repeat(3, 1fr); } .tile b { font-size: 21px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; }
}
@media print {
  :root { color-scheme: light; } body { background: #fff; font-size: 12px; } main { max-width: none; margin: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { border: 0; padding: 0; margin: 18px 0; } .charts { grid-template-columns: 1fr 1fr; }
  .scroll { overflow: visible; } th, td { padding: 3px 5px; } .tiles { grid-template-columns: repeat(6, 1fr); }
  tr, .chart, figure { break-inside: avoid; } h2 { break-after: avoid; }
  .shots { grid-template-columns: repeat(5, 1fr); } .shots.wide { grid-template-columns: repeat(3, 1fr); }
}
"""

STYLE = _COLOURS + _PAGE + _TABLES + _CHARTS + _PICTURES + _PAPER
