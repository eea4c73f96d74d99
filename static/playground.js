/* The playground: another model brings its defaults, unless somebody set a value of their own. */
"use strict";

const FIELDS = ["temperature", "top_p", "top_k", "max_output_tokens"];
let shown = null;

const chosen = () => document.getElementById("id_target")?.selectedOptions[0];

document.addEventListener("DOMContentLoaded", () => { shown = chosen(); });

document.addEventListener("change", (event) => {
  if (event.target.id !== "id_target") return;
  for (const name of FIELDS) {
    const input = document.getElementById(`id_${name}`);
    if (input.value === shown?.getAttribute(`data-${name}`)) input.value = chosen().getAttribute(`data-${name}`);
  }
  shown = chosen();
});

/* What was wrong is no longer said while the next try is under way. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id !== "ask") return;
  for (const error of event.target.querySelectorAll("p.error")) error.remove();
  for (const field of event.target.querySelectorAll('[aria-invalid="true"]')) field.removeAttribute("aria-invalid");
});

/* After a refusal the first wrong field has the focus; after an answer the prompt, ready to be changed, unless
   the person has gone on to another field meanwhile. What else arrives on the page, as at the bell, moves nothing. */
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const form = document.getElementById("ask");
  if (!form || !target.closest("#turns, #ask")) return;
  shown = chosen();
  const wrong = form.querySelector('[aria-invalid="true"]');
  const idle = [document.body, form.querySelector("button.primary")].includes(document.activeElement);
  if (wrong || idle) (wrong ?? document.getElementById("id_prompt")).focus({ preventScroll: true });
});
