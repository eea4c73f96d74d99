/* Draws the loss curves of several jobs in one chart (#overlay), from columns of numbers that the server sends.

   The table is the legend: its rows name the jobs, their colours and whether they are shown. What is chosen stands in
   the form #view, and so in the address: the link restores the view. A row whose data-stamp changed has news, and only
   its curve is asked for. Pointing at a row, or at a line of the parallel coordinates, brings out the same job in all
   charts. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const chart = document.getElementById("overlay");
  if (chart) overlay(chart, document.getElementById("view"));
  document.addEventListener("mouseover", (event) => point(event.target));
  document.addEventListener("focusin", (event) => point(event.target));
  htmx.onLoad(listen);
});

/* The curves by job, as they came. */
const curves = new Map();

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function overlay(chart, view) {
  const layout = JSON.parse(document.getElementById("overlay-layout").textContent);
  const redraw = () => show(chart, view, layout).catch((error) => fail(chart, error));
  const load = (jobs) => fetchCurves(chart, view, jobs).then(redraw).catch((error) => fail(chart, error));
  let waiting;
  view.addEventListener("input", ({ target }) => {
    if (target.name === "smooth") {
      clearTimeout(waiting);
      waiting = setTimeout(() => load([...curves.keys()]), 150);
    } else if (target.name === "x" || target.name === "scale") {
      redraw();
    } else if (target.dataset.shows) {
      const off = [...view.querySelectorAll("[data-shows]:not(:checked)")].map((box) => box.dataset.shows);
      document.getElementById("hidden").value = off.join(",");
      redraw();
    } else {
      return;
    }
    remember(view);
  });
  document.addEventListener("htmx:afterSettle", () => {
    const news = rows().filter((row) => curves.get(row.dataset.job)?.stamp !== row.dataset.stamp);
    if (news.length) load(news.map((row) => row.dataset.job));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  load(rows().map((row) => row.dataset.job));
}

function rows() {
  return [...document.querySelectorAll("#comparison tr[data-job]")];
}

function fail(chart, error) {
  if (!("drawn" in chart.dataset)) chart.textContent = chart.dataset.failed;
  console.error(error);
}

async function fetchCurves(chart, view, jobs) {
  const smooth = new FormData(view).get("smooth");
  const together = rows().length;
  const address = `${chart.dataset.series}?jobs=${jobs.join(",")}&smooth=${smooth}&together=${together}`;
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  for (const curve of await answer.json()) curves.set(String(curve.job), curve);
}

/* The address says what is seen, so that it can be kept, sent and reloaded. */
function remember(view) {
  const said = new URLSearchParams([...new FormData(view)].filter(([, value]) => value !== ""));
  history.replaceState(history.state, "", `${view.getAttribute("action")}?${said}`);
}

async function show(chart, view, layout) {
  const Plotly = await loadPlotly();
  const chosen = new FormData(view);
  const [step, epoch, since, clock, loss, heldOut] = chart.dataset.titles.split("|");
  const axis = chosen.get("x");
  const longest = Math.max(1, ...[...curves.values()].map((curve) => curve.times.at(-1) ?? 0));
  const [seconds, unit] = UNITS.find(([size]) => longest >= 2 * size) ?? UNITS.at(-1);
  const places = {
    step: (curve, part) => part.steps,
    epoch: (curve, part) => part.steps.map((at) => at * curve.epochs_a_step),
    relative: (curve, part) => part.times.map((time) => time / seconds),
    wall: (curve, part) => part.times.map((time) => new Date((curve.began + time) * 1000).toISOString()),
  };
  const title = { step, epoch, relative: `${since} (${unit})`, wall: clock }[axis];
  const seen = rows().filter((row) => curves.has(row.dataset.job) && row.querySelector("[data-shows]").checked);
  const traces = seen.flatMap((row) => {
    const curve = curves.get(row.dataset.job);
    return drawn(curve, row, (part) => places[axis](curve, part), chosen.get("smooth"), heldOut);
  });
  const ticks = chosen.get("scale") === "log" ? logarithmic(traces) : null;
  chart.classList.remove("waiting");
  chart.querySelector(".placeholder")?.remove();
  await Plotly.react(chart, traces, framed(layout, axis, ticks, [title, loss]), CONFIG);
  chart.dataset.drawn = "";
}

/* plotly reads tags in a name. */
function plain(name) {
  return name.replaceAll("<", "&lt;");
}

function drawn(curve, row, place, smooth, heldOut) {
  const tint = colour(`var(${row.dataset.colour})`);
  const line = { color: tint, width: 2, dash: row.dataset.dash || "solid" };
  const common = { mode: "lines", name: plain(curve.name), meta: curve.job, hovertemplate: "%{y:.4g}", type: "scatter" };
  const x = place(curve);
  const traces = [];
  const smoothed = Number(smooth) > 0;
  if (smoothed) {
    traces.push({ ...common, x, y: curve.losses, line: { ...line, width: 1 }, opacity: 0.25, hoverinfo: "skip", hovertemplate: null });
  }
  traces.push({ ...common, x, y: smoothed ? curve.smoothed : curve.losses, line });
  if (curve.held_out.steps.length) {
    traces.push({
      ...common, name: `${plain(curve.name)}, ${heldOut}`, mode: "lines+markers", x: place(curve.held_out), y: curve.held_out.losses,
      line: { color: tint, width: 1.5, dash: "dash" }, marker: { color: tint, size: 7, symbol: "diamond" },
    });
  }
  return traces;
}

/* Places the losses of `traces` on a logarithmic axis that is linear about zero, as the chart of one job does. */
function logarithmic(traces) {
  const { thresholdOf, symlog, logTicks } = curveFigure;
  const losses = traces.flatMap((trace) => trace.y);
  const threshold = thresholdOf(losses);
  for (const trace of traces) {
    trace.customdata = trace.y;
    trace.y = trace.y.map((loss) => (loss === null ? null : symlog(loss, threshold)));
    if (trace.hovertemplate) trace.hovertemplate = "%{customdata:.4g}";
  }
  const ticks = logTicks(losses, threshold);
  return { tickvals: ticks.map((tick) => symlog(tick, threshold)), ticktext: ticks.map((tick) => curveFigure.number(tick)) };
}

/* A zoomed view stays where it is while the axes stay what they are. */
function framed(layout, axis, ticks, [below, beside]) {
  const note = { xref: "paper", yref: "paper", showarrow: false };
  const whole = withColours(layout);
  const type = axis === "wall" ? "date" : "linear";
  return {
    ...whole,
    uirevision: `${axis} ${ticks ? "log" : "linear"}`,
    xaxis: { ...whole.xaxis, type, ...(axis === "wall" ? {} : { rangemode: "tozero" }) },
    yaxis: { ...whole.yaxis, ...(ticks ?? { rangemode: "tozero" }) },
    annotations: [
      { ...note, x: 0, y: 1, text: beside, xanchor: "right", yanchor: "bottom", xshift: -6, yshift: 6 },
      { ...note, x: 1, y: 0, text: below, xanchor: "right", yanchor: "top", yshift: -22 },
    ],
  };
}

/* The parallel coordinates say which of their lines is pointed at. */
function listen(root) {
  const lines = (root.matches("#parallel-part") ? root : root.querySelector("#parallel-part"))?.querySelector(".chart");
  if (!lines || lines.heard) return;
  lines.heard = true;
  after(lines, () => {
    lines.on("plotly_hover", ({ points }) => highlight(String(points[0].data.meta)));
    lines.on("plotly_unhover", () => highlight(null));
  });
}

function point(target) {
  if (!(target instanceof Element)) return;
  const row = target.closest("tr[data-job]");
  if (row || target.closest("table")) highlight(row?.dataset.job ?? null);
}

let pointed = null;
function highlight(job) {
  if (job === pointed) return;
  pointed = job;
  for (const row of document.querySelectorAll("tr[data-job]")) row.classList.toggle("pointed", row.dataset.job === job);
  for (const chart of document.querySelectorAll("#overlay[data-drawn], #parallel-part [data-drawn]")) {
    const usual = chart.data.map((trace) => (trace.usual ??= { opacity: trace.opacity ?? 1 }));
    const opacity = chart.data.map((trace, index) => (
      job === null || String(trace.meta) === job ? usual[index].opacity : usual[index].opacity * 0.2));
    Plotly.restyle(chart, { opacity });
  }
}
