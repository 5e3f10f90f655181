"""The look of every card and of the ticket: one style sheet, both themes, no JavaScript.

Colours are ``--hy-*`` variables under the class ``hy``: JupyterLab's own first, a literal second, so that a card is
readable in a saved page too. Dark values hold where JupyterLab says that its theme is dark; where there is no
JupyterLab, the reader's system decides.
"""

_LIGHT = """
  --hy-page: var(--jp-layout-color0, #fff);
  --hy-ink: var(--jp-ui-font-color0, #000);
  --hy-text: color-mix(in srgb, var(--hy-ink) 88%, var(--hy-page));
  --hy-muted: color-mix(in srgb, var(--hy-ink) 64%, var(--hy-page));
  --hy-band: color-mix(in srgb, var(--hy-ink) 4%, var(--hy-page));
  --hy-track: color-mix(in srgb, var(--hy-ink) 12%, var(--hy-page));
  --hy-line: var(--jp-border-color2, #e0e0e0);
  --hy-edge: var(--jp-border-color1, #bdbdbd);
  --hy-buy: var(--jp-brand-color1, #1976d2);
  --hy-buy-text: var(--jp-brand-color1, #1976d2);
  --hy-sell: var(--jp-error-color1, #d32f2f);
  --hy-sell-text: var(--jp-error-color1, #d32f2f);
  --hy-bad: var(--jp-error-color1, #d32f2f);
  --hy-warn: color-mix(in srgb, var(--jp-warn-color0, #e65100) 80%, #000);
  --hy-good: var(--jp-success-color0, #1b5e20);
  --hy-sim: color-mix(in srgb, var(--jp-info-color0, #006064) 100%, #000);
"""

_DARK = """
  --hy-page: var(--jp-layout-color0, #212121);
  --hy-ink: var(--jp-ui-font-color0, #fff);
  --hy-line: var(--jp-border-color2, #424242);
  --hy-edge: var(--jp-border-color1, #616161);
  --hy-buy: var(--jp-brand-color0, #1976d2);
  --hy-buy-text: var(--jp-brand-color2, #64b5f6);
  --hy-sell: var(--jp-error-color0, #d32f2f);
  --hy-sell-text: var(--jp-error-color2, #e57373);
  --hy-bad: var(--jp-error-color2, #e57373);
  --hy-warn: var(--jp-warn-color2, #ffb74d);
  --hy-good: var(--jp-success-color2, #81c784);
  --hy-sim: var(--jp-info-color2, #4dd0e1);
"""

_THEMES = f"""
.hy {{{_LIGHT}  --hy-live: #ad1457; --hy-data: #2f80d8; --hy-grey: #808080; }}
body[data-jp-theme-light="false"] .hy {{{_DARK}}}
@media (prefers-color-scheme: dark) {{ body:not([data-jp-theme-light]) .hy {{{_DARK}}} }}
.hy.hy-buy {{ --hy-side: var(--hy-buy); --hy-side-text: var(--hy-buy-text); --hy-edge-style: solid; }}
.hy.hy-sell {{ --hy-side: var(--hy-sell); --hy-side-text: var(--hy-sell-text); --hy-edge-style: dashed; }}
"""

_CARD = """
.hy { --hy-side: var(--hy-edge); --hy-side-text: var(--hy-text); --hy-edge-style: solid;
  color: var(--hy-text); font: 400 13px/1.4 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI",
  sans-serif);
  font-variant-numeric: tabular-nums; }
.hy *, .hy *::before { box-sizing: border-box; }
.hy-card { background: var(--hy-page); border: 1px solid var(--hy-edge); border-left: 4px var(--hy-edge-style)
  var(--hy-side); border-radius: 3px; max-width: 1100px; container-type: inline-size; overflow: hidden; }
.hy-head { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; min-height: 42px; padding: 6px 12px;
  border-bottom: 1px solid var(--hy-line); }
.hy-name { font-size: 15px; font-weight: 600; color: var(--hy-ink); }
.hy-muted { color: var(--hy-muted); }
.hy-label { font-size: 11px; color: var(--hy-muted); }
.hy-right { margin-left: auto; display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; }
.hy-badge { font-size: 11px; font-weight: 600; letter-spacing: .05em; padding: 1px 8px;
  border-radius: 3px; border: 1px dashed var(--hy-sim); color: var(--hy-sim); }
.hy-badge-paper { border-style: solid; border-color: var(--hy-warn); color: var(--hy-warn); }
.hy-badge-live { border: 1px solid var(--hy-live); background: var(--hy-live); color: #fff; }
.hy-live-band { background: var(--hy-live); color: #fff; padding: 4px 16px; }
.hy-side { background: var(--hy-side); color: #fff; font-weight: 600; font-size: 15px; line-height: 28px;
  padding: 0 10px;
  border-radius: 3px; white-space: nowrap; }
.hy-state { font-weight: 600; white-space: nowrap; }
.hy-good { color: var(--hy-good); } .hy-bad { color: var(--hy-bad); } .hy-warn { color: var(--hy-warn); }
.hy-pane { padding: 10px 16px 12px; min-width: 0; }
.hy-pane + .hy-pane { border-top: 1px solid var(--hy-line); }
.hy-split { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
  border-top: 1px solid var(--hy-line); }
.hy-split > .hy-pane + .hy-pane { border-top: 0; border-left: 1px solid var(--hy-line); }
.hy-split + .hy-pane { border-top: 1px solid var(--hy-line); }
.hy-split.hy-halves { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); border-top: 0; }
.hy-lead { margin: 0 0 8px; font-weight: 600; }
.hy p { margin-block: 0 6px; }
.hy-title { font-size: 12px; display: flex; flex-wrap: wrap; gap: 0 8px; margin-bottom: 6px; }
.hy-title b { color: var(--hy-ink); font-weight: 600; }
.hy-foot { display: flex; flex-wrap: wrap; gap: 2px 16px; background: var(--hy-band);
  border-top: 1px solid var(--hy-line);
  padding: 10px 16px; }
.hy-note { margin: 6px 0 0; padding-left: 16px; text-indent: -16px; font-size: 12px; }
.hy-note::before { content: "!"; color: var(--hy-warn); font-weight: 600; display: inline-block; width: 16px;
  text-indent: 0; }
.hy :focus-visible { outline: 2px solid var(--hy-buy-text); outline-offset: 1px; }
"""

_TABLE = """
.hy table.hy-table { border-collapse: collapse; border: 0; width: 100%; margin: 0; font-size: 12px;
  table-layout: auto;
  color: var(--hy-text); }
.hy .hy-table tr, .hy .hy-table tbody tr:nth-child(n) { background: transparent; }
.hy .hy-table th, .hy .hy-table td { border: 0; height: 23px; padding: 0 0 0 12px; text-align: right;
  font-weight: 400;
  white-space: nowrap; vertical-align: middle; max-width: none; }
.hy .hy-table th:first-child, .hy .hy-table td:first-child { padding-left: 0; text-align: left; }
.hy .hy-table thead th { color: var(--hy-muted); font-size: 11px; }
.hy .hy-table tbody tr > * { border-top: 1px solid var(--hy-line); }
.hy .hy-table .hy-left { text-align: left; }
.hy .hy-table .hy-wrap { white-space: normal; }
.hy .hy-table tbody tr.hy-now > * { background: var(--hy-band); font-weight: 600; }
.hy .hy-table tbody tr.hy-now > :first-child { box-shadow: inset 3px 0 var(--hy-side); padding-left: 8px; }
.hy-strong { font-weight: 600 !important; }
.hy-scroll { overflow-x: auto; }
.hy small { font-size: 11px; color: var(--hy-muted); font-weight: 400; }
.hy details { margin-top: 4px; }
.hy summary { cursor: pointer; font-size: 11px; color: var(--hy-muted); padding: 4px 0; }
.hy-refusal { border: 1px solid color-mix(in srgb, var(--hy-bad) 55%, var(--hy-page));
  border-left: 3px solid var(--hy-bad);
  background: color-mix(in srgb, var(--hy-bad) 6%, var(--hy-page)); border-radius: 3px; padding: 6px 10px;
  margin: 0 0 6px; }
.hy-refusal b { font-weight: 600; } .hy-refusal p { margin: 0; font-size: 12px; }
.hy-use { display: block; width: 56px; height: 6px; border-radius: 3px; background: var(--hy-track); overflow: hidden;
  margin-left: auto; }
.hy-use > i { display: block; height: 100%; background: var(--hy-muted); }
"""

_FIGURES = """
.hy-big { font-size: 20px; font-weight: 600; color: var(--hy-ink); line-height: 1.3; }
.hy-figures { display: grid; margin: 0; grid-template-columns: repeat(4, minmax(0, auto)); gap: 4px 24px;
  align-content: start; }
.hy-figures > div { white-space: nowrap; }
.hy-row { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 12px; }
.hy-bar { position: relative; height: 20px; margin: 22px 0 8px; background: var(--hy-track); border-radius: 3px; }
.hy-bar > i { position: absolute; top: 0; bottom: 0; }
.hy-filled { background: var(--hy-side); border-radius: 3px 0 0 3px; }
.hy-over .hy-filled { background: var(--hy-muted); }
.hy-working { background: repeating-linear-gradient(-45deg, var(--hy-side) 0 4px, transparent 4px 7px); }
.hy-due { position: absolute; top: -4px; bottom: -4px; width: 2px; margin-left: -1px; background: var(--hy-ink); }
.hy-due > span { position: absolute; bottom: 100%; left: 50%; transform: translateX(-50%); font-size: 11px;
  white-space: nowrap; }
.hy-due-first > span { left: 0; transform: none; } .hy-due-last > span { left: auto; right: 0; transform: none; }
.hy-time { display: flex; gap: 8px; align-items: center; font-size: 11px; }
.hy-time > span:nth-child(2) { flex: 1; height: 4px; border-radius: 2px; background: var(--hy-track);
  overflow: hidden; }
.hy-time i { display: block; height: 100%; background: var(--hy-muted); }
.hy-interval { position: relative; height: 6px; border-radius: 3px; background: var(--hy-track); margin: 14px 0; }
.hy-interval > i { position: absolute; top: 0; bottom: 0; background: color-mix(in srgb, var(--hy-data) 60%,
  var(--hy-page)); }
.hy-interval > b { position: absolute; top: -3px; width: 12px; height: 12px; margin-left: -6px; border-radius: 50%;
  background: var(--hy-data); border: 2px solid var(--hy-page); }
.hy-interval > s { position: absolute; top: -6px; bottom: -6px; width: 2px; margin-left: -1px;
  background: var(--hy-ink); }
.hy-cross-sign { display: inline-block; width: 2px; height: 12px; background: var(--hy-ink); vertical-align: -2px; }
.hy-dots { letter-spacing: 2px; color: var(--hy-muted); }
.hy-picture { display: block; width: 100%; height: auto; margin: 0 0 6px; }
.hy-picture text { fill: var(--hy-muted); font-size: 11px; }
.hy-picture .hy-p-strong { fill: var(--hy-text); font-weight: 600;
  font-size: 12px; }
.hy-p-grid { stroke: var(--hy-line); } .hy-p-window { fill: var(--hy-data); fill-opacity: .14; }
.hy-p-stage { fill: none; stroke: var(--hy-data); stroke-width: 3; stroke-linejoin: miter; }
.hy-p-limit { stroke: var(--hy-warn); stroke-dasharray: 7 5; stroke-width: 1.5; } .hy-p-mid { stroke: var(--hy-grey);
  stroke-dasharray: 2 3; }
.hy-quote { display: flex; margin: 0; flex-wrap: wrap; background: var(--hy-band);
  border-bottom: 1px solid var(--hy-line); }
.hy-quote > div { padding: 6px 14px; border-right: 1px solid var(--hy-line); white-space: nowrap; }
.hy-quote > div:last-child { border-right: 0; }
.hy-quote b { font-size: 15px; font-weight: 600; color: var(--hy-ink); }
@container (max-width: 700px) { .hy-split, .hy-split.hy-halves { grid-template-columns: minmax(0, 1fr); }
  .hy-split > .hy-pane + .hy-pane { border-left: 0; border-top: 1px solid var(--hy-line); }
  .hy-optional { display: none; } .hy-figures { grid-template-columns: repeat(2, minmax(0, auto)); } }
"""

_TICKET = """
.hy-ticket { background: var(--hy-page); border: 1px solid var(--hy-edge); border-left: 4px var(--hy-edge-style)
  var(--hy-side); border-radius: 3px; max-width: 1100px; container-type: inline-size; }
.hy-ticket .widget-box, .hy-ticket.widget-box { overflow: visible; margin: 0; }
.hy-ticket .jupyter-widgets { margin: 0; max-width: 100%; }
.hy-ticket .widget-html-content, .hy-ticket .widget-html { width: 100%; line-height: inherit; }
.hy-ticket .widget-html { display: block; }
.hy-ticket .hy-top { flex-direction: row; align-items: center; border-bottom: 1px solid var(--hy-line);
  padding-right: 12px;
  flex-wrap: nowrap; }
.hy-ticket .hy-top > .widget-html { flex: 1 1 auto; width: auto; min-width: 0; }
.hy-ticket .hy-top .hy-head { border: 0; }
.hy-ticket .hy-body { display: grid; grid-template-columns: 304px minmax(0, 1fr); align-items: stretch; }
.hy-ticket .hy-form { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 8px 12px;
  padding: 12px;
  align-content: start; border-right: 1px solid var(--hy-line); }
.hy-ticket .hy-form > * { display: flex; flex-direction: column; align-items: stretch; height: auto; width: 100%; }
.hy-ticket .hy-form > .hy-wide { grid-column: 1 / -1; }
.hy-ticket .hy-form > .widget-html { border-top: 1px solid var(--hy-line); padding-top: 10px; margin-top: 4px; }
.hy-ticket .hy-form .widget-label { width: auto; text-align: left; font-size: 11px; line-height: 16px; height: 18px;
  color: var(--hy-muted); margin: 0; padding: 0; }
.hy-ticket .hy-form input { height: 28px; width: 100%; font-size: 13px; font-weight: 600;
  border: 1px solid var(--hy-edge);
  border-radius: 3px; background: var(--hy-page); color: var(--hy-text); flex: none;
  font-variant-numeric: tabular-nums; }
.hy-ticket .widget-toggle-buttons .btn-group, .hy-ticket .widget-toggle-buttons > div { display: flex;
  flex-wrap: nowrap; }
.hy-ticket .widget-toggle-button { flex: 1 1 0; width: auto; margin: 0; height: 28px;
  border: 1px solid var(--hy-edge);
  background: var(--hy-page); color: var(--hy-text); font-size: 13px; line-height: 26px; padding: 0 4px;
  box-shadow: none; }
.hy-ticket .widget-toggle-button.mod-active { background: var(--hy-track); font-weight: 600; box-shadow: none; }
.hy-ticket .hy-sides .widget-toggle-button { height: 36px; line-height: 34px; font-size: 15px; font-weight: 600; }
.hy-ticket .hy-sides .widget-toggle-button:first-child { color: var(--hy-buy-text); }
.hy-ticket .hy-sides .widget-toggle-button:last-child { color: var(--hy-sell-text); }
.hy-ticket .hy-sides .widget-toggle-button.mod-active { background: var(--hy-side); color: #fff;
  border-color: var(--hy-side); }
.hy-ticket .hy-actions { flex-direction: row; align-items: center; gap: 12px; background: var(--hy-band);
  border-top: 1px solid var(--hy-line); padding: 10px 16px; min-height: 56px; }
.hy-ticket .hy-actions > .widget-html { flex: 1 1 auto; width: auto; min-width: 0; }
.hy-ticket .hy-push { width: auto; height: 28px; line-height: 26px; padding: 0 14px; border: 1px solid var(--hy-edge);
  border-radius: 3px; background: var(--hy-page); color: var(--hy-text); font-weight: 600; flex: none;
  box-shadow: none; }
.hy-ticket .hy-push:disabled { color: var(--hy-muted); background: var(--hy-band); opacity: 1; }
.hy-ticket .hy-send:enabled { background: var(--hy-side); border-color: var(--hy-side); color: #fff; }
.hy-ticket .hy-kill { color: var(--hy-bad); border-color: var(--hy-bad); }
.hy-ticket .hy-push:focus-visible { outline: 2px solid var(--hy-buy-text); outline-offset: 1px; }
.hy-ticket .hy-execution .hy-card { border: 0; border-top: 1px solid var(--hy-edge); border-radius: 0; }
.hy-empty { color: var(--hy-muted); padding: 48px 24px; text-align: center; }
@container (max-width: 700px) { .hy-ticket .hy-body { grid-template-columns: minmax(0, 1fr); }
  .hy-ticket .hy-form { border-right: 0; border-bottom: 1px solid var(--hy-line); }
  .hy-ticket .hy-actions { flex-wrap: wrap; } }
"""

STYLE = f"<style>{_THEMES}{_CARD}{_TABLE}{_FIGURES}{_TICKET}</style>"
"""The style sheet as an HTML element; once on a page is enough, more do no harm."""
