/* Draws plotly figures made on the server.

   <div data-figure="ID"> is drawn from the JSON in #ID; "var(--NAME)" in a figure is the style sheet's colour,
   which plotly cannot look up by itself. An element with data-points-for="ID" that arrives later holds new points of that chart in
   data-points: they are added without redrawing, and a zoomed view stays where the person left it. */
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
    label(chart);
  } catch (error) {
    chart.textContent = chart.dataset.failed;
    console.error(error);
  }
}

/* The loss of the last step stands at the line's end: the number that the page's head shows, too. */
function label(chart) {
  const [line] = chart.data;
  const last = line.x.length - 1;
  if (last < 0 || line.y[last] === null) return;
  const others = (chart.layout.annotations || []).filter((note) => note.name !== "last");
  Plotly.relayout(chart, {
    annotations: [...others, {
      name: "last", x: line.x[last], y: line.y[last], text: shortened(line.y[last]),
      showarrow: false, xanchor: "left", xshift: 6, font: { color: colour("var(--trace-1)") },
    }],
  });
}

function shortened(loss) {
  return Math.abs(loss) < 0.1 ? String(Number(loss.toPrecision(3))) : loss.toFixed(2);
}

async function extend(chart, points) {
  await validate(chart, points.validation);
  if (points.restart) await Plotly.restyle(chart, { x: [[], []], y: [[], []] }, [0, 1]);
  const seen = chart.data[0].x.at(-1) ?? 0;
  const first = points.steps.findIndex((step) => step > seen);
  if (first < 0) return;
  const steps = points.steps.slice(first);
  const values = [points.losses.slice(first), points.smoothed.slice(first)];
  await Plotly.extendTraces(chart, { x: [steps, steps], y: values }, [0, 1]);
  label(chart);
}

/* The losses over held-out examples are few, one an epoch: they come all of them, each time. */
async function validate(chart, { steps, losses }) {
  if (chart.data.length > 2 && steps.length !== chart.data[2].x.length) {
    await Plotly.restyle(chart, { x: [steps], y: [losses] }, [2]);
  }
}

/* Points may come while the chart is still being drawn: each piece of work on a chart waits for the one before. */
function after(chart, work) {
  chart.work = (chart.work ?? Promise.resolve()).then(work).catch((error) => console.error(error));
}

function scan(root) {
  for (const chart of root.querySelectorAll("[data-figure]:not([data-drawn])")) after(chart, () => draw(chart));
  const sources = root.matches("[data-points-for]") ? [root] : root.querySelectorAll("[data-points-for]");
  for (const source of sources) {
    const chart = document.getElementById(source.dataset.pointsFor);
    if (chart) after(chart, () => "drawn" in chart.dataset && extend(chart, JSON.parse(source.dataset.points)));
  }
}
document.addEventListener("DOMContentLoaded", () => htmx.onLoad(scan));

/* Another colour scheme means other colours: the same data, drawn again. */
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of document.querySelectorAll("[data-drawn]")) {
    Plotly.react(chart, chart.data.map((trace, index) => ({ ...trace, ...withColours(recolour(chart.figure.data[index])) })),
      { ...chart.layout, ...withColours(recolour(chart.figure.layout)) }, CONFIG).then(() => label(chart));
  }
});

function recolour(part) {
  const { x, y, annotations, ...rest } = part;
  return rest;
}
