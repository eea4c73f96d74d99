/* Another dataset, other defaults: a field that still holds what was assumed for the dataset chosen before follows. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const source = document.getElementById("assumptions");
  const dataset = document.getElementById("id_dataset");
  if (!source || !dataset) return;
  const assumptions = JSON.parse(source.textContent);
  let before = assumptions[dataset.value];
  dataset.addEventListener("change", () => {
    const now = assumptions[dataset.value];
    for (const [name, value] of Object.entries(now ?? {})) {
      const field = document.getElementById(`id_${name}`);
      if (before && Number(field.value) === before[name]) field.value = value;
    }
    before = now;
  });
});
