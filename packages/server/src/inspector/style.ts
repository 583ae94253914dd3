/** One stylesheet for all pages. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1c2024, #e8eaec);
  --quiet: light-dark(#5b6670, #9aa5af);
  --line: light-dark(#e1e5e9, #2c3338);
  --paper: light-dark(#ffffff, #14181b);
  --raised: light-dark(#f6f8fa, #1b2024);
  --accent: light-dark(#0b6e75, #5cc8cf);
  --alarm: light-dark(#b3261e, #ff8a80);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif;
}
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
header, main { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 24px;
  align-items: baseline;
  padding-top: 20px;
  padding-bottom: 12px;
}
header strong { font-weight: 600; }
nav { display: flex; gap: 20px; }
nav a[aria-current] { color: var(--ink); font-weight: 600; }
header .who { margin-left: auto; color: var(--quiet); }
.rule { border-bottom: 1px solid var(--line); }
h1 { font-size: 24px; line-height: 1.25; margin: 28px 0 20px; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 36px 0 8px; }
p { margin: 8px 0; max-width: 68ch; }
.quiet { color: var(--quiet); }
.alarm { color: var(--alarm); }
dl.facts { display: flex; flex-wrap: wrap; gap: 16px 40px; margin: 0; }
dl.facts div { min-width: 96px; }
dl.facts dt { color: var(--quiet); font-size: 13px; }
dl.facts dd { margin: 0; font-size: 18px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 8px 14px; white-space: nowrap; vertical-align: top; }
th { color: var(--quiet); font-size: 13px; font-weight: 500; background: var(--raised); }
tbody tr + tr td, thead + tbody td { border-top: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.wide { white-space: normal; min-width: 24ch; overflow-wrap: anywhere; }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: 12px; align-items: end; margin: 12px 0; }
label { display: grid; gap: 4px; color: var(--quiet); font-size: 13px; }
input, select, button {
  font: inherit;
  color: var(--ink);
  background: var(--paper);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 6px 10px;
}
button { background: var(--raised); cursor: pointer; }
.next { margin: 12px 0 40px; }
main { padding-bottom: 64px; }
@media (max-width: 600px) {
  header, main { padding-left: 16px; padding-right: 16px; }
  header .who { margin-left: 0; }
  th, td { padding: 8px 10px; }
}
`
