/* Draws plotly figures made on the server.

   <div data-figure="ID"> is drawn from the JSON in #ID; "var(--NAME)" in a figure is the style sheet's colour,
   which plotly cannot look up by itself. The loss chart of a job's page has more to it: curve.js. */
"use strict";

const CONFIG = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false,
  modeBarButtons: [["toImage", "zoom2d", "resetScale2d"]],
};

let plotlyLoaded;
function loadPlotly() {
  plotlyLoaded ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="plotly"]').content;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.js did not load"));
    document.head.append(script);
  });
  return plotlyLoaded;
}

/* The browser works out light-dark() only for real properties, so a colour is read from one. */
const probe = document.createElement("span");
function colour(value) {
  document.body.append(probe);
  probe.style.color = value;
  const seen = getComputedStyle(probe).color;
  probe.remove();
  return seen;
}

function withColours(value) {
  if (typeof value === "string") return value.startsWith("var(--") ? colour(value) : value;
  if (Array.isArray(value)) return value.map(withColours);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withColours(item)]));
  }
  return value;
}

async function draw(chart) {
  const source = document.getElementById(chart.dataset.figure);
  const figure = JSON.parse(source.textContent);
  chart.figure = figure;
  try {
    const Plotly = await loadPlotly();
    chart.classList.remove("waiting");
    chart.querySelector(".placeholder")?.remove();
    await Plotly.newPlot(chart, structuredClone(withColours(figure.data)), withColours(figure.layout), CONFIG);
    chart.dataset.drawn = "";
  } catch (error) {
    chart.textContent = chart.dataset.failed;
    console.error(error);
  }
}

/* Each piece of work on a chart waits for the one before. */
function after(chart, work) {
  chart.work = (chart.work ?? Promise.resolve()).then(work).catch((error) => console.error(error));
}

function scan(root) {
  for (const chart of root.querySelectorAll("[data-figure]:not([data-drawn])")) after(chart, () => draw(chart));
}
document.addEventListener("DOMContentLoaded", () => htmx.onLoad(scan));

/* Another colour scheme means other colours: the same data, drawn again. */
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of document.querySelectorAll("[data-figure][data-drawn]")) {
    Plotly.react(chart, chart.data.map((trace, index) => ({ ...trace, ...withColours(recolour(chart.figure.data[index])) })),
      { ...chart.layout, ...withColours(recolour(chart.figure.layout)) }, CONFIG);
  }
});

function recolour(part) {
  const { x, y, ...rest } = part;
  return rest;
}
