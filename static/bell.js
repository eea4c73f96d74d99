/* The bell asks for news of its own every 20 seconds while the page is seen, and at once when it is seen again. */
"use strict";

const BELL_PAUSE = 20_000;
let bellAsked = Date.now();

function ringBell() {
  if (document.hidden || Date.now() - bellAsked < BELL_PAUSE) return;
  bellAsked = Date.now();
  const bell = document.getElementById("bell");
  if (bell) htmx.trigger(bell, "ring");
}
setInterval(ringBell, 1_000);
document.addEventListener("visibilitychange", ringBell);
