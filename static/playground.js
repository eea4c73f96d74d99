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

/* An answer is shown while it is made: its text comes first, in a template, and then the turn that takes its place. */
const DRAFT = /^<template data-draft>[^]*?<\/template>/;

function showDraft(come) {
  const draft = document.getElementById("draft");
  const parsed = new DOMParser().parseFromString(come, "text/html").querySelector("template[data-draft]");
  draft.querySelector(".answer").textContent = parsed?.content.textContent ?? "";
  draft.hidden = !draft.querySelector(".answer").textContent;
}

document.addEventListener("htmx:beforeSend", ({ target, detail: { xhr } }) => {
  if (target.id !== "ask") return;
  document.querySelector("#draft .prompt").textContent = document.getElementById("id_prompt").value;
  xhr.addEventListener("progress", () => showDraft(xhr.responseText));
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!DRAFT.test(detail.serverResponse)) return;
  document.getElementById("draft").hidden = true;
  detail.serverResponse = detail.serverResponse.replace(DRAFT, "");
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-stop]")) htmx.trigger("#ask", "htmx:abort");
});
/* What was stopped stays as far as it came; so does what broke off on its way. */
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const draft = document.getElementById("draft");
  if (target.id !== "ask" || detail.successful || draft.hidden) return;
  const kept = draft.cloneNode(true);
  kept.removeAttribute("id");
  kept.className = "turn";
  kept.querySelector("[data-stopped]").hidden = false;
  document.getElementById("turns").append(kept);
  draft.hidden = true;
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
