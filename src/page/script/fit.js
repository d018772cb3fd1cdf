// The chosen fit: residual above, data with fit and baseline below, each component by itself. Dragging zooms.
const FIT_HEIGHT = 330;
const RESIDUAL_HEIGHT = 58;
const AXIS_HEIGHT = 34;
const PAD = 6;
const COMPONENT_ROW = 21;
const COMPONENT_NAMES = 92;
const ENLARGED = [1, 2, 5, 10, 20, 50, 100];
const fitView = { curves: null, zoom: null, drag: null, hover: null };

function ppmRange(curves) {
  const ends = [curves.ppm[0], curves.ppm[curves.ppm.length - 1]];
  return fitView.zoom ?? [Math.max(...ends), Math.min(...ends)];
}

const within = (curves, [high, low]) => {
  const rows = [];
  for (let i = 0; i < curves.ppm.length; i++) if (curves.ppm[i] <= high && curves.ppm[i] >= low) rows.push(i);
  return rows;
};

function extent(list, rows) {
  let [low, high] = [Infinity, -Infinity];
  for (const curve of list) for (const i of rows) {
    low = Math.min(low, curve[i]);
    high = Math.max(high, curve[i]);
  }
  return high > low ? [low, high] : [low - 1, low + 1];
}

function drawFit() {
  const { curves } = fitView;
  $("fit-figure").hidden = !curves;
  $("components").hidden = !curves;
  if (!curves) return;
  const { pen, width } = context($("fit"), FIT_HEIGHT);
  const [high, low] = ppmRange(curves);
  const x = (ppm) => PAD + ((high - ppm) / (high - low)) * (width - 2 * PAD);
  const rows = within(curves, [high, low]);
  const [least, most] = extent([curves.data, curves.fit, curves.baseline], rows);
  const [top, bottom] = [RESIDUAL_HEIGHT + 10, FIT_HEIGHT - AXIS_HEIGHT - 4];
  const scale = (bottom - top) / (most - least);
  const y = (value) => bottom - (value - least) * scale;
  fitView.ppmAt = (px) => high - ((px - PAD) / (width - 2 * PAD)) * (high - low);
  drawAxis(pen, width, x, high, low);
  // The residual has the scale of the data, unless it does not fit.
  const largest = Math.max(...rows.map((i) => Math.abs(curves.residual[i])), 1e-300);
  const own = Math.min(scale, (RESIDUAL_HEIGHT / 2 - 3) / largest);
  const middle = RESIDUAL_HEIGHT / 2 + 2;
  const path = (curve, at) => rows.map((i) => [x(curves.ppm[i]), at(curve[i])]);
  line(pen, [[PAD, middle], [width - PAD, middle]], colours.line, 1);
  line(pen, path(curves.residual, (value) => middle - value * own), colours.muted, 1);
  if (own < scale) text(pen, `residual ×${show(own / scale, 2)}`, width - PAD, 8, colours.muted, "right");
  line(pen, path(curves.data, y), colours.data, 1);
  line(pen, path(curves.baseline, y), colours.baseline, 1.4, [5, 4]);
  line(pen, path(curves.fit, y), colours.fit, 1.6);
  drawFitOver(pen, x);
  drawComponents(curves, rows, x, scale);
  $("unzoom").hidden = !fitView.zoom;
}

function drawAxis(pen, width, x, high, low) {
  const y = FIT_HEIGHT - AXIS_HEIGHT;
  for (const tick of ticks(low, high, width < 420 ? 5 : 9)) {
    line(pen, [[x(tick), 4], [x(tick), y]], colours.line, 1);
    text(pen, plainNumber(tick), x(tick), y + 9, colours.muted, "center");
  }
  line(pen, [[PAD, y], [width - PAD, y]], colours.muted, 1);
  text(pen, "chemical shift (ppm)", width / 2, y + 25, colours.muted, "center");
}

function drawFitOver(pen, x) {
  if (fitView.drag) {
    const [a, b] = fitView.drag.map(x);
    pen.globalAlpha = 0.18;
    pen.fillStyle = colours.accent;
    pen.fillRect(Math.min(a, b), 2, Math.abs(b - a), FIT_HEIGHT - AXIS_HEIGHT - 2);
    pen.globalAlpha = 1;
  } else if (fitView.hover !== null) {
    const at = x(fitView.hover);
    line(pen, [[at, 2], [at, FIT_HEIGHT - AXIS_HEIGHT]], colours.muted, 1, [2, 3]);
    const isRight = at > 80;
    text(pen, `${fitView.hover.toFixed(2)} ppm`, isRight ? at - 5 : at + 5, RESIDUAL_HEIGHT + 12, colours.muted, isRight ? "right" : "left");
  }
}

function drawComponents(curves, rows, x, scale) {
  const canvas = $("component-rows");
  if (!$("components").open) return;
  const list = curves.components.map(({ name, curve }) => {
    const largest = Math.max(...rows.map((i) => Math.abs(curve[i])), 1e-300);
    const plain = 0.5 * scale * largest;
    const factor = plain < 8 ? ENLARGED.findLast((candidate) => plain * candidate <= 1.4 * COMPONENT_ROW) ?? 1 : 1;
    return { name, curve, factor, height: Math.max(COMPONENT_ROW, plain * factor + 4) };
  });
  const height = list.reduce((sum, row) => sum + row.height, 6);
  const { pen, width } = context(canvas, height);
  const squeeze = (px) => PAD + ((px - PAD) * (width - COMPONENT_NAMES - 2 * PAD)) / (width - 2 * PAD);
  let zero = 0;
  for (const { name, curve, factor, height: room } of list) {
    zero += room;
    line(pen, [[PAD, zero], [width - COMPONENT_NAMES, zero]], colours.line, 1);
    line(pen, rows.map((i) => [squeeze(x(curves.ppm[i])), zero - 0.5 * scale * factor * curve[i]]), colours.point, 1.2);
    const label = name === "macromolecules and lipids" ? "MM + lipids" : name;
    text(pen, fitting(pen, factor > 1 ? `${label} ×${factor}` : label, COMPONENT_NAMES - 8), width - COMPONENT_NAMES + 8, zero - 5, colours.text);
  }
  canvas.setAttribute("aria-label", `Components: ${list.map((row) => row.name).join(", ")}`);
}

function listenToFit() {
  const canvas = $("fit");
  const ppm = (event) => fitView.ppmAt(event.clientX - canvas.getBoundingClientRect().left);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !fitView.curves) return;
    fitView.drag = [ppm(event), ppm(event)];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fitView.curves) return;
    if (fitView.drag) fitView.drag[1] = ppm(event);
    fitView.hover = ppm(event);
    drawFit();
  });
  canvas.addEventListener("pointerleave", () => { fitView.hover = null; drawFit(); });
  canvas.addEventListener("pointerup", () => {
    const drag = fitView.drag;
    fitView.drag = null;
    if (drag && Math.abs(drag[0] - drag[1]) > 0.04) fitView.zoom = [Math.max(...drag), Math.min(...drag)];
    drawFit();
  });
  canvas.addEventListener("pointercancel", () => { fitView.drag = null; drawFit(); });
  canvas.addEventListener("dblclick", () => zoomTo(null));
  $("unzoom").addEventListener("click", () => zoomTo(null));
  $("components").addEventListener("toggle", drawFit);
  canvas.addEventListener("keydown", (event) => {
    const { curves } = fitView;
    if (!curves || !["+", "-", "=", "0"].includes(event.key)) return;
    const [high, low] = ppmRange(curves);
    const middle = (high + low) / 2;
    const half = ((high - low) / 2) * (event.key === "-" ? 1.6 : 1 / 1.6);
    const ends = [curves.ppm[0], curves.ppm[curves.ppm.length - 1]];
    const wide = [Math.min(middle + half, Math.max(...ends)), Math.max(middle - half, Math.min(...ends))];
    zoomTo(event.key === "0" || wide[0] - wide[1] > Math.abs(ends[0] - ends[1]) * 0.99 ? null : wide);
  });
}

function zoomTo(range) {
  fitView.zoom = range;
  drawFit();
}
