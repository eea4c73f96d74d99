/* The loss chart of a job's page: what it shows, how it is zoomed, and how it grows while the job runs.

   <div data-curve="ADDRESS" data-frame="ID"> is drawn from the columns that ADDRESS answers with, for the part that is
   looked at: a zoom asks for that part anew, with all its extremes. An element with data-points that arrives later
   brings what is new. What the person chose stays: in the address of the page, and for the next job in localStorage. */
"use strict";

{
  const USUAL = { smoothing: "ema", weight: null, scale: "linear", x: "step", speed: "off" };
  const ALLOWED = { smoothing: ["ema", "time", "gaussian"], scale: ["linear", "log"], x: ["step", "epoch", "time"], speed: ["off", "on"] };
  const KEPT = "tuneboard.curve";
  const CROWDED = 3000; // points: the picture is fetched anew, thinned
  const CURVE_CONFIG = { responsive: true, displayModeBar: false, doubleClick: false, showSendToCloud: false };

  const theChart = () => document.querySelector("[data-curve]");
  const real = (text) => (text !== null && text !== "" && Number.isFinite(Number(text)) ? Number(text) : null);

  function remembered() {
    try {
      return JSON.parse(localStorage.getItem(KEPT)) ?? {};
    } catch {
      return {}; // somebody else wrote there, or storage is switched off
    }
  }

  function firstView(chart) {
    const address = new URLSearchParams(location.search);
    const kept = remembered();
    const view = { start: null, end: null, yrange: null, evidence: null };
    for (const [name, usual] of Object.entries(USUAL)) {
      const wanted = address.get(name) ?? kept[name];
      view[name] = ALLOWED[name]?.includes(wanted) ? wanted : usual;
    }
    const weight = real(address.get("weight")) ?? real(kept.weight ?? null);
    view.weight = weight !== null && weight >= 0 && weight <= 0.999 ? weight : Number(chart.dataset.weight);
    const [start, end] = [real(address.get("start")), real(address.get("end"))];
    if (start !== null && end !== null && start < end) Object.assign(view, { start, end });
    return view;
  }

  /* Only what differs from the usual stands in the address. */
  function remember(chart) {
    const { view } = chart;
    const address = new URL(location);
    const chosen = { ...view, weight: view.weight === Number(chart.dataset.weight) ? null : view.weight };
    for (const name of [...Object.keys(USUAL), "start", "end"]) {
      if (chosen[name] === null || chosen[name] === USUAL[name]) address.searchParams.delete(name);
      else address.searchParams.set(name, chosen[name]);
    }
    history.replaceState(history.state, "", address);
    try {
      localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(Object.keys(USUAL).map((name) => [name, chosen[name]]))));
    } catch { /* storage is switched off: the address has it */ }
  }

  async function columnsOf(chart) {
    const { x, start, end, smoothing, weight } = chart.view;
    const asked = new URLSearchParams({ x, smoothing, weight });
    if (start !== null) [["start", start], ["end", end]].forEach(([name, value]) => asked.set(name, value));
    chart.asking?.abort();
    chart.asking = new AbortController();
    const answer = await fetch(`${chart.dataset.curve}?${asked}`, { signal: chart.asking.signal });
    if (!answer.ok) throw new Error(`the curve could not be fetched: ${answer.status}`);
    return answer.json();
  }

  async function open(chart) {
    chart.frame = JSON.parse(document.getElementById(chart.dataset.frame).textContent);
    chart.view = firstView(chart);
    try {
      const [, columns] = await Promise.all([loadPlotly(), columnsOf(chart)]);
      chart.columns = columns;
      chart.classList.remove("waiting");
      chart.querySelector(".placeholder")?.remove();
      await render(chart);
      chart.dataset.drawn = "";
    } catch (error) {
      chart.textContent = chart.dataset.failed;
      console.error(error);
      return;
    }
    chart.on("plotly_relayout", (changed) => zoomed(chart, changed));
    chart.on("plotly_doubleclick", () => chart.zoomTo(null, null));
    chart.addEventListener("evidence", ({ detail }) => {
      chart.view.evidence = detail;
      after(chart, () => render(chart));
    });
    chart.zoomTo = (start, end) => show(chart, { start, end, yrange: null });
    syncControls(chart);
    document.getElementById("curve-controls").hidden = false;
  }

  async function render(chart) {
    chart.coloured ??= { ...withColours(chart.frame), words: chart.frame.words };
    const { data, layout, size } = curveFigure.build(chart.coloured, chart.columns, chart.view);
    chart.unit = size;
    await Plotly.react(chart, data, layout, CURVE_CONFIG);
    const note = document.getElementById("curve-note");
    const { steps, of } = chart.columns;
    note.textContent = (steps.length < of ? note.dataset.thinned : note.dataset.whole)
      .replace("{0}", steps.length.toLocaleString()).replace("{1}", of.toLocaleString());
  }

  /* Fetches what the view needs and draws it. A newer wish replaces an older one that is still on its way. */
  function load(chart) {
    return columnsOf(chart).then((columns) => after(chart, () => {
      chart.columns = columns;
      return render(chart);
    })).catch((error) => {
      if (error.name !== "AbortError") console.error(error);
    });
  }

  /* Changes what is shown. Another scale or panel needs no new points. */
  function show(chart, changes) {
    const moved = ["x", "start", "end", "smoothing", "weight"].some((name) => name in changes && changes[name] !== chart.view[name]);
    if (changes.x && changes.x !== chart.view.x && chart.view.start !== null) {
      const carried = (value) => curveFigure.place(chart.columns, changes.x, curveFigure.stepAt(chart.columns, chart.view.x, value));
      changes = { ...changes, start: carried(chart.view.start), end: carried(chart.view.end) };
    }
    Object.assign(chart.view, "scale" in changes ? { yrange: null } : {}, changes);
    syncControls(chart);
    remember(chart);
    if (moved) load(chart);
    else after(chart, () => render(chart));
  }

  function zoomed(chart, changed) {
    const [start, end] = [changed["xaxis.range[0]"], changed["xaxis.range[1]"]];
    const yrange = "yaxis.range[0]" in changed ? [changed["yaxis.range[0]"], changed["yaxis.range[1]"]] : null;
    if (start !== undefined) show(chart, { start: start * chart.unit, end: end * chart.unit, yrange });
    else if (yrange) show(chart, { ...(chart.view.start === null ? wholeRange(chart) : {}), yrange });
  }

  function wholeRange(chart) {
    const [start, end] = chart.layout.xaxis.range.map((value) => value * chart.unit);
    return { start, end };
  }

  /* What a poll brought. A zoomed view into the past stays as it is: a reset fetches the whole curve. */
  function grow(chart, news) {
    if (news.restart) return load(chart);
    const { columns, view } = chart;
    const seen = columns.steps.at(-1) ?? 0;
    const fresh = news.steps.filter((step) => step > seen);
    columns.validation = news.validation;
    if (view.end !== null && curveFigure.place(columns, view.x, seen) > view.end) return render(chart);
    const from = columns.steps.findIndex((step) => step >= (news.steps[0] ?? Infinity));
    for (const name of ["steps", "losses", "smoothed", "times"]) {
      columns[name] = (from < 0 ? columns[name] : columns[name].slice(0, from)).concat(news[name]);
    }
    if (fresh.length) for (const name of ["steps", "rates"]) columns.throughput[name].push(...news.throughput[name]);
    columns.of += fresh.length;
    return columns.steps.length > CROWDED ? load(chart) : render(chart);
  }

  function syncControls({ view }) {
    for (const button of document.querySelectorAll("[data-shows]")) {
      const [name, value] = button.dataset.shows.split("=");
      button.setAttribute("aria-pressed", String(view[name] === value));
    }
    const slider = document.getElementById("curve-weight");
    slider.value = -Math.log10(1 - view.weight);
    const words = view.weight.toFixed(view.weight > 0.99 ? 3 : 2);
    slider.setAttribute("aria-valuetext", words);
    slider.nextElementSibling.textContent = words;
    document.querySelector('[data-does="reset"]').disabled = view.start === null;
  }

  const ACTIONS = {
    reset: (chart) => chart.zoomTo(null, null),
    fullscreen: () => (document.fullscreenElement ? document.exitFullscreen() : document.getElementById("curve").requestFullscreen()),
    png: (chart) => picture(chart, "png"),
    svg: (chart) => picture(chart, "svg"),
  };

  /* As it is on the page, on the page's own ground: what is transparent is black in many a viewer. */
  function picture(chart, format) {
    const { data, layout } = chart;
    const filename = `${chart.dataset.name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "job"}-loss`;
    const size = { width: Math.max(chart.clientWidth, 640), height: Math.max(chart.clientHeight, 380) };
    Plotly.downloadImage({ data, layout: { ...layout, paper_bgcolor: chart.coloured.colours.paper } }, { ...size, format, filename, scale: format === "png" ? 2 : 1 });
  }

  document.addEventListener("click", (event) => {
    const chart = theChart();
    const button = chart?.view && event.target.closest("[data-shows], [data-does]");
    if (!button) return;
    const { shows, otherwise, does } = button.dataset;
    if (does) ACTIONS[does](chart);
    if (shows) show(chart, Object.fromEntries([(otherwise && button.getAttribute("aria-pressed") === "true" ? otherwise : shows).split("=")]));
  });

  let waiting;
  document.addEventListener("input", ({ target }) => {
    if (target.id !== "curve-weight") return;
    const weight = Math.min(1 - 10 ** -Number(target.value), 0.999);
    const chart = theChart();
    chart.view.weight = weight;
    syncControls(chart);
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      remember(chart);
      load(chart);
    }, 60);
  });

  document.addEventListener("fullscreenchange", () => {
    const chart = theChart();
    document.querySelector('[data-does="fullscreen"]')?.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
    if (chart && "drawn" in chart.dataset) Plotly.Plots.resize(chart);
  });

  /* The poll is told how the new points are to be smoothed. */
  document.addEventListener("htmx:configRequest", ({ target, detail }) => {
    const view = target.id === "live" && theChart()?.view;
    if (view) Object.assign(detail.parameters, { smoothing: view.smoothing, weight: view.weight });
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    const chart = theChart();
    if (!chart || !("drawn" in chart.dataset)) return;
    chart.coloured = null;
    after(chart, () => render(chart));
  });

  document.addEventListener("DOMContentLoaded", () => htmx.onLoad((root) => {
    const chart = theChart();
    if (chart && !chart.frame) after(chart, () => open(chart));
    const source = root.matches("[data-points]") ? root : root.querySelector("[data-points]");
    if (chart && source) after(chart, () => "drawn" in chart.dataset && grow(chart, JSON.parse(source.dataset.points)));
  }));
}
