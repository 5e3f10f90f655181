// Draws the figures of a report, and fits them to the paper before it is printed.
"use strict";
const places = [];
for (const { id, data, layout } of JSON.parse(document.getElementById("hydra-figures").textContent)) {
  const place = document.getElementById(id);
  Plotly.newPlot(place, data, layout, { displaylogo: false, responsive: true });
  places.push(place);
}
const PAPER_WIDTH = 680;
addEventListener("beforeprint", () => places.forEach((place) => Plotly.relayout(place, { width: PAPER_WIDTH })));
addEventListener("afterprint", () => places.forEach((place) => Plotly.relayout(place, { width: null })));
