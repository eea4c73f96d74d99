/* The lists of jobs and of models: their keys, and what is selected. Rows are replaced one by one while the list lives; what a person
   has ticked in them is put back. */
"use strict";

const rowTicks = () => [...document.querySelectorAll("#rows .tick input[type=checkbox]")];

function countTicked() {
  const ticked = rowTicks().filter((tick) => tick.checked).length;
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = ticked;
  const all = document.getElementById("tick-all");
  if (!all) return;
  all.checked = ticked > 0 && ticked === rowTicks().length;
  all.indeterminate = ticked > 0 && !all.checked;
}

function tickAll(checked) {
  for (const tick of rowTicks()) tick.checked = checked;
  countTicked();
}

document.addEventListener("change", (event) => {
  if (event.target.id === "tick-all") tickAll(event.target.checked);
  else if (event.target.closest("#rows .tick")) countTicked();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-clears]")) return;
  tickAll(false);
  (document.getElementById("tick-all") ?? rowTicks()[0]).focus();
});
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const shown = event.detail.target.querySelector?.(".tick input[type=checkbox]");
  const coming = event.detail.fragment.querySelector(".tick input[type=checkbox]");
  if (shown?.checked && coming) coming.checked = true;
});
document.addEventListener("htmx:afterSettle", countTicked);
document.addEventListener("DOMContentLoaded", countTicked);
window.addEventListener("pageshow", countTicked);

/* What narrows the list is folded away where it would stand above it. */
document.addEventListener("DOMContentLoaded", () => {
  if (!matchMedia("(max-width: 899.98px)").matches) return;
  for (const panel of document.querySelectorAll("[data-folds]")) panel.open = false;
});

/* j and k go from row to row (or card to card), x selects, s stars; Enter opens by itself: the link has the focus. */
function goOn(way) {
  const links = [...document.querySelectorAll("#rows .name a")];
  const row = document.activeElement.closest("#rows > *");
  const here = row ? links.indexOf(row.querySelector(".name a")) : -1;
  const next = here < 0 ? 0 : Math.min(Math.max(here + way, 0), links.length - 1);
  links[next]?.focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") goOn(event.key === "j" ? 1 : -1);
  const row = document.activeElement.closest("#rows > *");
  if (event.key === "x") row?.querySelector(".tick input[type=checkbox]").click();
  if (event.key === "s") row?.querySelector("[data-star]")?.click();
});
