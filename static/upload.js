/* The upload form: files dropped on it, a size told before sending, a bar with a number while sending. */
"use strict";

const zoneOf = (event) => event.target.closest?.(".drop");

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", name === "dragover");
  });
}

document.addEventListener("drop", (event) => {
  const input = zoneOf(event)?.querySelector("input[type=file]");
  if (!input || !event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-limit]");
  if (!form || event.target.type !== "file") return;
  const tooLarge = event.target.files[0]?.size > Number(form.dataset.limit);
  form.querySelector("[data-too-large]").hidden = !tooLarge;
  form.querySelector("button.primary").disabled = tooLarge;
});

/* htmx tells of what is sent and of what comes back; all of the file is sent once. */
document.addEventListener("htmx:xhr:progress", (event) => {
  const line = event.target.closest("form[data-limit]")?.querySelector(".progress-line");
  const { lengthComputable, loaded, total } = event.detail;
  if (!line || !lengthComputable || line.dataset.sent) return;
  const percent = Math.floor((100 * loaded) / total);
  line.hidden = false;
  line.querySelector("progress").value = percent;
  line.querySelector("span").textContent = loaded < total ? `${percent} %` : line.dataset.reading;
  if (loaded === total) line.dataset.sent = "true";
});

document.addEventListener("htmx:afterRequest", (event) => {
  const line = event.target.closest("form[data-limit]")?.querySelector(".progress-line");
  if (!line || event.detail.successful) return;
  line.hidden = true;
  delete line.dataset.sent;
});

/* What is wrong is beside its field: the focus goes there. */
document.addEventListener("htmx:afterSettle", ({ target }) => {
  target.closest("#upload")?.querySelector('[aria-invalid="true"]')?.focus();
});
