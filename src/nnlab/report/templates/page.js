"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

// ---- sliders: one picture of a series is visible ----
each(".slider", figure => {
  const images = [...figure.querySelectorAll(".frames img")], label = figure.querySelector(".label");
  const range = figure.querySelector("input"), button = figure.querySelector("button");
  let timer = 0;
  const show = () => {
    images.forEach((image, i) => image.classList.toggle("off", i !== +range.value));
    label.textContent = images[+range.value].dataset.label;
    range.setAttribute("aria-valuetext", label.textContent);
  };
  const stop = () => { clearInterval(timer); timer = 0; button.textContent = data.words.play; };
  const step = () => { range.value = (+range.value + 1) % images.length; show(); if (+range.value === images.length - 1) stop(); };
  range.addEventListener("input", () => { stop(); show(); });
  button.addEventListener("click", () => {
    if (timer) return stop();
    button.textContent = data.words.pause;
    if (+range.value === images.length - 1) { range.value = 0; show(); }
    timer = setInterval(step, 700);
  });
  show();
});

// ---- curves ----
const svg = (name, attributes, parent) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return parent.appendChild(node);
};
const readable = v => {
  if (v === null || v === undefined) return "–";
  const size = Math.abs(v);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? v.toExponential(2) : String(+v.toPrecision(4));
};
const short = v => Math.abs(v) >= 1e5 ? v.toExponential().replace("e+", "e") : readable(v);
// A total comes first and is black, as in the figures; black is the colour of the text, which is light on a dark page.
const colored = (chart, n) => {
  const at = n - ("total" in chart.series);
  const others = data.palette.filter(color => at === n || color !== "#000000");
  return at < 0 ? "var(--ink)" : others[at % others.length].replace("#000000", "var(--ink)");
};
const steps = (low, high, count) => {
  const raw = (high - low) / count || 1, unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * [1, 2, 5, 10].find(m => m * unit >= raw);
  const ticks = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) ticks.push(+v.toPrecision(12));
  return ticks;
};
const decades = (low, high) => {
  const ticks = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const m of [1, 2, 5]) { const v = m * 10 ** e; if (v >= low * 0.999 && v <= high * 1.001) ticks.push(v); }
  return ticks.length > 8 ? ticks.filter(v => Math.log10(v) % 1 === 0) : ticks.length < 3 ? steps(low, high, 5) : ticks;
};
const least = values => values.reduce((a, b) => Math.min(a, b), Infinity);  // as arguments, 100,000 are too many
const draw = figure => {
  const chart = figure.chart, box = figure.querySelector(".plot");
  const width = Math.max(260, Math.round(box.clientWidth)), height = Math.round(Math.min(300, width * 0.62));
  const edge = { left: 58, right: 24, top: 8, bottom: 40 }, names = Object.keys(chart.series);
  let floor = 0;
  const usable = v => v !== null && (!chart.log || v > floor);
  const values = from => names.flatMap(name => chart.series[name].slice(from)).filter(usable);
  if (chart.log) floor = least(values(chart.x.length >> 1)) / 3;  // a loss that begins near 0 must not spread the axis
  const all = values(0);
  let low = least(all), high = -least(all.map(v => -v));
  if (low === high) { low = chart.log ? low / 2 : low - 1; high = chart.log ? high * 2 : high + 1; }
  const pad = (high - low) * 0.05;
  if (!chart.log) { low -= pad; high += pad; }
  const first = chart.x[0], last = chart.x[chart.x.length - 1];
  const scale = chart.log ? Math.log : v => v;
  const px = v => edge.left + (last === first ? 0.5 : (v - first) / (last - first)) * (width - edge.left - edge.right);
  const py = v => edge.top + (1 - (scale(v) - scale(low)) / (scale(high) - scale(low))) * (height - edge.top - edge.bottom);
  box.replaceChildren();
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, box);
  const text = (x, y, anchor, content, more = {}) => { svg("text", { x, y, "text-anchor": anchor, ...more }, root).textContent = content; };
  for (const v of chart.log ? decades(low, high) : steps(low, high, 5)) {
    svg("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: py(v), y2: py(v) }, root);
    text(edge.left - 6, py(v) + 4, "end", short(v));
  }
  for (const v of steps(first, last, width < 420 ? 4 : 7).filter(Number.isInteger)) text(px(v), height - edge.bottom + 17, "middle", short(v));
  text((edge.left + width - edge.right) / 2, height - 6, "middle", chart.x_label);
  text(12, (edge.top + height - edge.bottom) / 2, "middle", chart.y_label, { transform: `rotate(-90 12 ${(edge.top + height - edge.bottom) / 2})` });
  names.forEach((name, n) => {
    let path = "", up = true;
    chart.series[name].forEach((v, i) => {
      if (!usable(v)) { up = true; return; }
      path += `${up ? "M" : "L"}${px(chart.x[i]).toFixed(1)} ${py(v).toFixed(1)}${up ? "h0" : ""}`; // a dot, if it stays alone
      up = false;
    });
    const line = { stroke: colored(chart, n), "stroke-width": path.includes("L") ? 2 : 8 };
    svg("path", { d: path, fill: "none", "stroke-linejoin": "round", "stroke-linecap": "round", ...line }, root);
  });
  const cursor = svg("line", { class: "cursor", y1: edge.top, y2: height - edge.bottom, visibility: "hidden" }, root);
  const dots = names.map((_, n) => svg("circle", { r: 4, fill: colored(chart, n), visibility: "hidden" }, root));
  const point = i => {
    figure.at = i;
    cursor.setAttribute("x1", px(chart.x[i])); cursor.setAttribute("x2", px(chart.x[i])); cursor.setAttribute("visibility", "visible");
    names.forEach((name, n) => {
      const v = chart.series[name][i], seen = usable(v);
      dots[n].setAttribute("visibility", seen ? "visible" : "hidden");
      if (seen) { dots[n].setAttribute("cx", px(chart.x[i])); dots[n].setAttribute("cy", py(v)); }
    });
    figure.querySelector(".readout").textContent =
      `${chart.x_label} ${chart.x[i]}: ` + names.map(name => `${name} ${readable(chart.series[name][i])}`).join(" · ");
  };
  figure.point = point;
  figure.near = clientX => {
    const frame = root.getBoundingClientRect(), x = (clientX - frame.left) * width / frame.width;
    let best = 0;
    chart.x.forEach((v, i) => { if (Math.abs(px(v) - x) < Math.abs(px(chart.x[best]) - x)) best = i; });
    point(best);
  };
  if (figure.at !== undefined) point(figure.at);
};
each(".chart", figure => {
  const chart = figure.chart = JSON.parse(figure.dataset.chart), box = figure.querySelector(".plot"), count = chart.x.length;
  Object.keys(chart.series).forEach((name, n) => {
    const entry = document.createElement("span"), mark = document.createElement("i");
    mark.style.background = colored(chart, n);
    entry.append(mark, name);
    figure.querySelector(".legend").append(entry);
  });
  box.addEventListener("pointermove", event => figure.near(event.clientX));
  box.addEventListener("pointerdown", event => figure.near(event.clientX));
  box.addEventListener("keydown", event => {
    const at = figure.at === undefined ? -1 : figure.at, jump = Math.max(1, Math.round(count / 10));
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageDown: at - jump, PageUp: at + jump, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    figure.point(Math.min(count - 1, Math.max(0, to)));
  });
  let width = 0;
  new ResizeObserver(() => { if (box.clientWidth !== width) { width = box.clientWidth; draw(figure); } }).observe(figure);
  draw(figure);
});

// ---- confusion matrix ----
each(".matrix", figure => {
  const readout = figure.querySelector(".readout");
  const rows = [...figure.querySelectorAll("tbody tr")].map(row => [...row.querySelectorAll("td")]);
  const say = cell => { readout.textContent = cell.dataset.say; };
  rows.forEach((cells, r) => cells.forEach((cell, c) => {
    cell.addEventListener("pointerenter", () => say(cell));
    cell.addEventListener("click", () => say(cell));
    cell.addEventListener("focus", () => say(cell));
    cell.addEventListener("keydown", event => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const next = move && rows[r + move[0]] && rows[r + move[0]][c + move[1]];
      if (!move) return;
      event.preventDefault();
      if (next) { cell.tabIndex = -1; next.tabIndex = 0; next.focus(); }
    });
  }));
});

// ---- latent space ----
each(".latent", figure => {
  const { codes, xs, ys, side, sheet } = JSON.parse(figure.dataset.latent), plane = figure.querySelector(".codes"), pen = plane.getContext("2d");
  const out = figure.querySelector(".decoded canvas").getContext("2d"), readout = figure.querySelector(".readout");
  const rangeX = figure.querySelector(".x"), rangeY = figure.querySelector(".y"), size = plane.width, margin = 14;
  const numbers = [...xs, ...ys, ...codes.filter((_, i) => i % 3 < 2).map(v => v / 1000)];
  const reach = numbers.reduce((most, v) => Math.max(most, Math.abs(v)), 0);  // of a square, so that both scales are alike
  const px = x => margin + (x + reach) / (2 * reach) * (size - 2 * margin), py = y => size - px(y);
  const value = p => (p - margin) / (size - 2 * margin) * 2 * reach - reach;
  const dots = document.createElement("canvas"), paint = dots.getContext("2d");
  dots.width = dots.height = size;
  paint.globalAlpha = 0.55;
  for (let i = 0; i < codes.length; i += 3) {
    paint.fillStyle = data.digits[codes[i + 2]];
    paint.fillRect(px(codes[i] / 1000) - 1.3, py(codes[i + 1] / 1000) - 1.3, 2.6, 2.6);
  }
  data.digits.forEach((color, digit) => {
    const entry = document.createElement("span"), mark = document.createElement("i");
    mark.style.background = color;
    entry.append(mark, String(digit));
    figure.querySelector(".legend").append(entry);
  });
  const closest = (axis, v) => axis.reduce((best, w, i) => Math.abs(w - v) < Math.abs(axis[best] - v) ? i : best, 0);
  const image = new Image();
  const show = () => {
    const column = +rangeX.value, row = ys.length - 1 - rangeY.value, x = xs[column], y = ys[row];
    pen.clearRect(0, 0, size, size);
    pen.drawImage(dots, 0, 0);
    pen.strokeStyle = "#000"; pen.lineWidth = 2;
    pen.beginPath(); pen.arc(px(x), py(y), 9, 0, 7); pen.moveTo(px(x) - 16, py(y)); pen.lineTo(px(x) + 16, py(y));
    pen.moveTo(px(x), py(y) - 16); pen.lineTo(px(x), py(y) + 16); pen.stroke();
    out.fillStyle = "#fff"; out.fillRect(0, 0, 168, 168);
    out.globalCompositeOperation = "difference";
    out.drawImage(image, column * side, row * side, side, side, 0, 0, 168, 168);
    out.globalCompositeOperation = "source-over";
    let nearest = 0, best = Infinity;
    for (let i = 0; i < codes.length; i += 3) {
      const d = (codes[i] / 1000 - x) ** 2 + (codes[i + 1] / 1000 - y) ** 2;
      if (d < best) { best = d; nearest = codes[i + 2]; }
    }
    readout.textContent = `x = ${readable(x)}, y = ${readable(y)}: ${data.words.nearest} ${nearest}`;
  };
  const pick = event => {
    const frame = plane.getBoundingClientRect();
    rangeX.value = closest(xs, value((event.clientX - frame.left) * size / frame.width));
    rangeY.value = ys.length - 1 - closest(ys, value(size - (event.clientY - frame.top) * size / frame.height));
    show();
  };
  rangeX.max = xs.length - 1; rangeY.max = ys.length - 1;
  rangeX.value = Math.floor(xs.length / 2); rangeY.value = Math.floor(ys.length / 2);
  plane.addEventListener("pointermove", pick);
  plane.addEventListener("pointerdown", pick);
  rangeX.addEventListener("input", show);
  rangeY.addEventListener("input", show);
  image.onload = show;
  image.src = sheet;
});
