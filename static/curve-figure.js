/* A curve's columns, and what the person wants to see of them, as a plotly figure. Nothing here touches the page.

   Columns come from /jobs/PK/curve/, the frame (styles, words) from dashboard/charts/loss.py. `view` is
   { x: "step" | "epoch" | "time", scale: "linear" | "log", speed: "on" | "off", start, end, yrange, evidence };
   start and end are in steps, epochs or seconds. */
"use strict";

const curveFigure = (() => {
  /* So few have a tick each: plotly would halve them, and name both halves alike. */
  const FEW_STEPS = 6;

  /* The value of `ys` where `xs`, ascending, is `x`: between points on a straight line, beyond the ends the end's. */
  function between(xs, ys, x) {
    if (!xs.length || x <= xs[0]) return ys[0];
    let low = 0;
    let high = xs.length - 1;
    if (x >= xs[high]) return ys[high];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle; else high = middle;
    }
    return ys[low] + (ys[high] - ys[low]) * (x - xs[low]) / (xs[high] - xs[low] || 1);
  }

  /* Where a step stands on an axis, in the axis' own unit, and the other way round. */
  function place(columns, x, step) {
    if (x === "time") return between(columns.steps, columns.times, step);
    return x === "epoch" ? step / columns.steps_an_epoch : step;
  }
  function stepAt(columns, x, value) {
    if (x === "time") return between(columns.times, columns.steps, value);
    return x === "epoch" ? value * columns.steps_an_epoch : value;
  }

  /* Time is shown in the largest unit of which there are two. */
  function unit(columns, view, words) {
    if (view.x !== "time") return [1, words[view.x]];
    const last = columns.times.at(-1) ?? 0;
    return words.units.findLast(([seconds]) => last >= 2 * seconds) ?? words.units[0];
  }

  /* Losses may be zero or negative, so the logarithmic axis is linear about zero: up to `threshold`, a power of ten
     no larger than the smallest loss drawn. A curve that is positive all along is drawn exactly logarithmically. */
  function thresholdOf(values) {
    let least = Infinity;
    let most = 0;
    for (const value of values) {
      if (!value) continue;
      least = Math.min(least, Math.abs(value));
      most = Math.max(most, Math.abs(value));
    }
    return most ? 10 ** Math.floor(Math.log10(Math.max(least, most * 1e-8))) : 1;
  }
  function symlog(value, threshold) {
    const size = Math.abs(value) / threshold;
    return size <= 1 ? value / threshold : Math.sign(value) * (1 + Math.log10(size));
  }
  function logTicks(values, threshold) {
    const seen = values.filter((value) => value !== null);
    if (!seen.length) return [];
    const [low, high] = [Math.min(...seen), Math.max(...seen)];
    const decades = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / threshold)) + 1;
    const marks = decades > 3 ? [1] : [1, 2, 5];
    const sizes = Array.from({ length: Math.max(decades, 1) }, (_, power) => marks.map((mark) => mark * threshold * 10 ** power)).flat();
    const ticks = [...sizes.map((size) => -size).reverse(), ...(low <= 0 ? [0] : []), ...sizes]
      .filter((tick) => tick >= low - Math.abs(low) / 2 && tick <= high + Math.abs(high) / 2);
    const stride = Math.ceil(ticks.length / 9);
    return ticks.filter((_, index) => index % stride === 0);
  }

  function number(value, digits = 4) {
    return value === null ? "–" : String(Number(value.toPrecision(digits)));
  }
  function said(template, ...values) {
    return template.replace(/\{(\d)\}/g, (_, index) => values[index]);
  }
  function span(seconds, words) {
    const [size, text] = words.spans.findLast(([least]) => seconds >= least) ?? words.spans[0];
    return said(text, number(seconds / size, 3));
  }
  /* Where point `index` is: "step 12, epoch 3.2, 4.1 s". */
  function whereabouts(columns, index, words) {
    const step = columns.steps[index];
    return said(words.at, step, number(step / columns.steps_an_epoch, 3), span(columns.times[index], words));
  }

  /* What a line shows, by the name in its `meta`: the steps it has points at, its values, and their words. */
  function content(name, columns, words) {
    if (name === "validation") {
      const { steps, losses } = columns.validation;
      return { steps, values: losses, texts: losses.map((loss) => number(loss)) };
    }
    if (name === "throughput") {
      const { steps, rates } = columns.throughput;
      return { steps, values: rates, texts: rates.map((rate) => number(rate, 3)) };
    }
    const { steps } = columns;
    const values = columns[name];
    const text = name === "losses"
      ? (value, index) => `${number(value)}<br>${whereabouts(columns, index, words)}`
      : (value) => number(value);
    return { steps, values, texts: values.map(text) };
  }

  function traces(frame, columns, view, shown) {
    const [first, last] = [columns.steps[0], columns.steps.at(-1)];
    return frame.data.map((style) => {
      let { steps, values, texts } = content(style.meta, columns, frame.words);
      if (view.x === "time" && steps !== columns.steps) {
        const seen = steps.map((step) => step >= first && step <= last); // beyond these nobody knows the time
        [steps, values, texts] = [steps, values, texts].map((row) => row.filter((_, index) => seen[index]));
      }
      const onLossAxis = style.meta !== "throughput";
      return {
        ...style,
        x: steps === columns.steps ? shown.xs : steps.map(shown.x),
        y: onLossAxis ? values.map(shown.y) : values,
        customdata: texts,
        hovertemplate: "%{customdata}",
        ...(onLossAxis ? {} : { visible: view.speed === "on" }),
      };
    });
  }

  /* The losses in view decide how high a zoomed view is, unless the person chose that as well. */
  function heights(columns, view, shown) {
    const low = stepAt(columns, view.x, view.start);
    const high = stepAt(columns, view.x, view.end);
    let [least, most] = [Infinity, -Infinity];
    for (const [steps, values] of [[columns.steps, columns.losses], [columns.steps, columns.smoothed], [columns.validation.steps, columns.validation.losses]]) {
      steps.forEach((step, index) => {
        if (step < low || step > high || values[index] === null) return;
        least = Math.min(least, shown.y(values[index]));
        most = Math.max(most, shown.y(values[index]));
      });
    }
    if (least > most) return null;
    const room = (most - least) * 0.06 || Math.abs(most) * 0.1 || 1;
    return [least - room, most + room];
  }

  function lossAxis(frame, columns, view, shown) {
    const axis = { ...frame.layout.yaxis, domain: view.speed === "on" ? frame.words.panels.loss : [0, 1] };
    const range = view.start === null ? null : view.yrange ?? heights(columns, view, shown);
    if (range) Object.assign(axis, { range, autorange: false });
    else Object.assign(axis, { autorange: true, rangemode: view.scale === "log" ? "normal" : "tozero" });
    if (view.scale !== "log") return axis;
    const ticks = logTicks([...columns.losses, ...columns.validation.losses], shown.threshold);
    return { ...axis, tickmode: "array", tickvals: ticks.map(shown.y), ticktext: ticks.map((tick) => number(tick, 2)) };
  }

  function title(text, place) {
    return { xref: "paper", yref: "paper", showarrow: false, text, ...place };
  }

  function notes(frame, columns, view, shown) {
    const { words, colours } = frame;
    const top = { xanchor: "right", yanchor: "bottom", xshift: -6, yshift: 6, x: 0 };
    const found = [
      title(words.loss, { ...top, y: 1 }),
      title(shown.title, { x: 1, y: 0, xanchor: "right", yanchor: "top", yshift: -22 }),
      ...shown.marks.map(([x, epoch]) => title(`${epoch}`, { xref: "x", x, y: 1, yanchor: "bottom", font: { size: 11 } })),
    ];
    if (view.speed === "on") found.push(title(words.throughput, { ...top, y: words.panels.throughput[1], yshift: 4 }));
    const last = columns.steps.length - 1;
    if (last >= 0 && columns.losses[last] !== null) {
      found.push({
        name: "last", x: shown.xs[last], y: shown.y(columns.losses[last]), text: shortened(columns.losses[last]),
        showarrow: false, xanchor: "left", xshift: 6, font: { color: colours.trace },
      });
    }
    if (view.evidence?.text) {
      found.push(title(view.evidence.text, { xref: "x", x: shown.x(view.evidence.start), y: 1, xanchor: "left", yanchor: "top", font: { color: colours.accent } }));
    }
    return found;
  }

  function shapes(frame, view, shown) {
    const { colours } = frame;
    const hairlines = shown.marks.map(([x]) => ({
      type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color: colours.line, width: 1 }, layer: "below",
    }));
    if (!view.evidence) return hairlines;
    const [x0, x1] = [view.evidence.start, view.evidence.end].map(shown.x);
    const band = x0 === x1 // a single step is a line
      ? { type: "line", line: { color: colours.accent, width: 2 }, opacity: 0.6 }
      : { type: "rect", line: { width: 0 }, fillcolor: colours.accent, opacity: 0.14 };
    return [...hairlines, { ...band, x0, x1, y0: 0, y1: 1, yref: "paper", layer: "below" }];
  }

  /* As the page's head and tables write a loss. */
  function shortened(loss) {
    return Math.abs(loss) < 0.1 ? String(Number(loss.toPrecision(3))) : loss.toFixed(2);
  }

  /* How steps and losses are placed on the axes of this view. */
  function shownBy(frame, columns, view) {
    const [size, name] = unit(columns, view, frame.words);
    const threshold = view.scale === "log" ? thresholdOf([...columns.losses, ...columns.validation.losses]) : null;
    const x = (step) => place(columns, view.x, step) / size;
    const known = view.x === "time" ? columns.steps.at(-1) ?? 0 : Infinity;
    return {
      size,
      title: name,
      threshold,
      x,
      xs: columns.steps.map(view.x === "time" ? (_, index) => columns.times[index] / size : x),
      y: (loss) => (loss === null || threshold === null ? loss : symlog(loss, threshold)),
      end: view.x === "time" ? (columns.times.at(-1) ?? 1) / size : x(columns.last_step),
      marks: columns.marks.filter(([step]) => step <= known && (view.x !== "time" || step >= columns.steps[0])).map(([step, epoch]) => [x(step), epoch]),
    };
  }

  function build(frame, columns, view) {
    const shown = shownBy(frame, columns, view);
    const range = view.start === null ? [0, shown.end || 1] : [view.start / shown.size, view.end / shown.size];
    const layout = {
      ...frame.layout,
      xaxis: {
        ...frame.layout.xaxis,
        range,
        autorange: false,
        unifiedhovertitle: { text: { step: `${shown.title} %{x:d}`, epoch: `${shown.title} %{x:.4~g}`, time: `%{x:.4~g} ${shown.title}` }[view.x] },
        ...(view.x === "step" ? { tickformat: "d", dtick: range[1] - range[0] < FEW_STEPS ? 1 : undefined } : {}),
      },
      yaxis: lossAxis(frame, columns, view, shown),
      yaxis2: { ...frame.layout.yaxis2, visible: view.speed === "on" },
      shapes: shapes(frame, view, shown),
      annotations: notes(frame, columns, view, shown),
    };
    return { data: traces(frame, columns, view, shown), layout, size: shown.size };
  }

  return { build, place, stepAt, whereabouts, number, thresholdOf, symlog, logTicks };
})();
