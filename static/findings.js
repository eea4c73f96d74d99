/* What the adviser found is drawn where it was found.

   An element with data-evidence="CHART" is about the steps data-from to data-to of that chart: while a person
   points at it, or has the focus in it, the chart hears the event "evidence" with {start, end, text}, and null
   when that is over. A press of its [aria-pressed] button keeps the band. */
"use strict";

function pointedAt() {
  const pressed = document.querySelector("[data-evidence]:has([aria-pressed='true'])");
  const focused = document.activeElement?.closest("[data-evidence]");
  return document.querySelector("[data-evidence]:hover") ?? focused ?? pressed;
}

let shown = null;
function showEvidence() {
  const finding = pointedAt();
  const { from, to, text } = finding?.dataset ?? {};
  const band = finding && { start: Number(from), end: Number(to), text };
  if (JSON.stringify(band) === JSON.stringify(shown)) return;
  shown = band;
  document.getElementById("loss")?.dispatchEvent(new CustomEvent("evidence", { detail: band }));
}

for (const name of ["mouseover", "mouseout", "focusin", "focusout", "htmx:afterSettle"]) {
  document.addEventListener(name, () => setTimeout(showEvidence));
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-evidence] [aria-pressed]");
  if (!button) return;
  const on = button.getAttribute("aria-pressed") !== "true";
  for (const other of document.querySelectorAll("[data-evidence] [aria-pressed='true']")) other.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-pressed", String(on));
  showEvidence();
});
