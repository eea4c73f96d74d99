/* Small behaviours every page shares: keys, menus, the tick that live regions poll by. */
"use strict";

/* A region with data-live="MS" asks for news that often, while the page is seen and htmx has no request of
   its own under way. Each answer without news makes it wait longer; news brings a new region, which begins anew.
   htmx's own trigger filters need eval, which the Content-Security-Policy forbids. */
const PATIENCE = [1, 2, 5, 10];
function tick() {
  count();
  if (document.hidden) return;
  for (const region of document.querySelectorAll("[data-live]")) {
    region.dataset.asked ??= Date.now(); // what it shows has just come
    const patience = PATIENCE[Math.min(Number(region.dataset.quiet || 0), PATIENCE.length - 1)];
    if (Date.now() >= Number(region.dataset.asked) + Number(region.dataset.live) * patience) {
      region.dataset.asked = Date.now();
      htmx.trigger(region, "tick");
    }
  }
}
setInterval(tick, 250);
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target.matches?.("[data-live]") && detail.xhr.status !== 200) target.dataset.quiet = Number(target.dataset.quiet || 0) + 1;
});
/* Who comes back to a page wants to see it as it is now. */
document.addEventListener("visibilitychange", () => {
  for (const region of document.querySelectorAll("[data-live]")) Object.assign(region.dataset, { quiet: 0, asked: 0 });
  tick();
});

/* A time with data-age="SECONDS", its age when it came, goes on counting. */
function count() {
  for (const time of document.querySelectorAll("[data-age]")) {
    time.since ??= Date.now() - Number(time.dataset.age) * 1000;
    const age = Math.floor((Date.now() - time.since) / 1000);
    const [seconds, minutes, hours] = time.dataset.spans.split("|");
    const [span, size] = age < 60 ? [seconds, 1] : age < 3600 ? [minutes, 60] : [hours, 3600];
    const words = time.dataset.ago.replace("%(time)s", span.replace("%(n)s", Math.floor(age / size)));
    if (time.textContent !== words) time.textContent = words;
  }
}

/* Keys: single letters, and two in a row after g. Never while somebody types. */
let prefix = "";
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && typing?.form) {
    event.preventDefault();
    typing.form.requestSubmit();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = document.getElementById("keys");
  if (event.key === "?" && dialog) {
    dialog.showModal();
    return;
  }
  const keys = prefix ? `${prefix} ${event.key}` : event.key;
  prefix = !prefix && event.key === "g" ? "g" : "";
  const link = document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
  if (link && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    if (link.matches("input")) link.select();
    else link.click();
  }
});

/* A menu closes when the person looks elsewhere, and gives the focus back on Esc. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/* What arrives while a button is pressed may move it from under the pointer; the press is meant for it all the same.
   Who draws the pointer away takes the press back. */
const STILL = 8; // pixels
document.addEventListener("pointerdown", ({ target, button, pointerId, clientX, clientY }) => {
  const pressed = button === 0 && target.closest?.("button");
  if (!pressed) return;
  pressed.setPointerCapture(pointerId);
  const draw = (event) => {
    if (Math.hypot(event.clientX - clientX, event.clientY - clientY) > STILL && pressed.hasPointerCapture(pointerId)) pressed.releasePointerCapture(pointerId);
  };
  pressed.addEventListener("pointermove", draw);
  pressed.addEventListener("lostpointercapture", () => pressed.removeEventListener("pointermove", draw), { once: true });
});

/* Dialogs: a button with data-opens="ID" opens one. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
});

/* A dialog that htmx fills opens by that; closed, it gives the focus back to what opened it. */
document.addEventListener("htmx:afterSwap", ({ target }) => {
  const dialog = target.closest?.("dialog");
  if (dialog && !dialog.open) dialog.showModal();
});

/* Copying: a button with data-copies="ID" copies that element's text and says so. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  const label = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = label; }, 1500);
});

/* A list with data-follows="ID" keeps its end in view while that box is ticked. */
function follow(list) {
  if (document.getElementById(list.dataset.follows)?.checked) list.scrollTop = list.scrollHeight;
}
document.addEventListener("htmx:afterSettle", () => document.querySelectorAll("[data-follows]").forEach(follow));
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-follows]").forEach(follow));
document.addEventListener("change", (event) => {
  const list = event.target.id && document.querySelector(`[data-follows="${CSS.escape(event.target.id)}"]`);
  if (list) follow(list);
});

/* A form's request that came to nothing: its [data-broken] says so, until the next try. */
for (const name of ["htmx:beforeRequest", "htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    const broken = event.target.querySelector?.("[data-broken]");
    if (broken) broken.hidden = name === "htmx:beforeRequest";
  });
}

/* A button that is switched off while its request is under way loses the focus: it gets it back, unless it went on. */
document.addEventListener("htmx:beforeRequest", ({ target }) => {
  target.pressed = target.contains(document.activeElement) ? document.activeElement : null;
});
document.addEventListener("htmx:afterRequest", ({ target }) => {
  if (target.pressed?.isConnected && document.activeElement === document.body) target.pressed.focus({ preventScroll: true });
});

/* The first field with an error has the focus, so that it is read out and can be mended at once. */
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector('[aria-invalid="true"]')?.focus();
});
