/* The loss chart by keyboard: the arrow keys go from point to point, and each is said.

   Left and right: one point; Page up and Page down: a tenth of what is shown; Home and End: its ends;
   + and -: zoom in and out about the point; 0: the whole curve. */
"use strict";

{
  const ZOOM = { "+": 0.5, "=": 0.5, "-": 2 };

  /* Indices of the points in view: the first, and one after the last. */
  function inView({ columns, view }) {
    if (view.start === null) return [0, columns.steps.length];
    const [low, high] = [view.start, view.end].map((value) => curveFigure.stepAt(columns, view.x, value));
    const first = columns.steps.findIndex((step) => step >= low);
    const end = columns.steps.findLastIndex((step) => step <= high) + 1;
    return first < 0 || end <= first ? [0, columns.steps.length] : [first, end];
  }

  function target(key, at, [first, end]) {
    const leap = Math.max(Math.round((end - first) / 10), 1);
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - leap, PageDown: at + leap, Home: first, End: end - 1 };
    return key in moves ? Math.min(Math.max(moves[key], first), end - 1) : null;
  }

  function words(chart, index) {
    const { columns, frame } = chart;
    const { at, ...names } = frame.words;
    const parts = [`${names.loss} ${curveFigure.number(columns.losses[index])}`, `${names.smoothed} ${curveFigure.number(columns.smoothed[index])}`];
    const measured = columns.validation.steps.indexOf(columns.steps[index]);
    if (measured >= 0) parts.push(`${names.held_out} ${curveFigure.number(columns.validation.losses[measured])}`);
    return `${curveFigure.whereabouts(columns, index, frame.words)}: ${parts.join(", ")}`;
  }

  function point(chart, index) {
    chart.cursor = chart.columns.steps[index];
    const [line] = chart.data;
    Plotly.Fx.hover(chart, { xval: line.x[index], yval: line.y[index] ?? 0 }, ["xy"]);
    document.getElementById("curve-cursor").textContent = words(chart, index);
  }

  function zoom(chart, factor) {
    const { columns, view } = chart;
    const whole = view.start === null ? chart.layout.xaxis.range.map((value) => value * chart.unit) : [view.start, view.end];
    const centre = chart.cursor === undefined ? (whole[0] + whole[1]) / 2 : curveFigure.place(columns, view.x, chart.cursor);
    const half = (whole[1] - whole[0]) * factor / 2;
    chart.zoomTo(centre - half, centre + half);
  }

  document.addEventListener("keydown", (event) => {
    const chart = event.target.closest?.("[data-curve][data-drawn]");
    if (!chart || event.ctrlKey || event.metaKey || event.altKey || !chart.columns.steps.length) return;
    if (event.key in ZOOM) zoom(chart, ZOOM[event.key]);
    else if (event.key === "0") chart.zoomTo(null, null);
    else {
      const range = inView(chart);
      const now = chart.columns.steps.findIndex((step) => step >= (chart.cursor ?? Infinity));
      const index = target(event.key, now < 0 ? range[1] : now, range);
      if (index === null) return;
      point(chart, index);
    }
    event.preventDefault();
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.("[data-curve][data-drawn]")) Plotly.Fx.unhover(event.target);
  });
}
