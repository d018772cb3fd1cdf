// One strip a measure: a point a spectrum, in the lane of its site. What lies beyond the axis stands at the rim with its
// value. A layer below has the points, one above the chosen spectrum and the range that is being drawn.
const HEIGHT = 108;
const LEFT = 46;
const RIM = 9;
const REACH_PX = 16;
const strips = [];
let tilted = false;

function makeStrips() {
  let group = null;
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const strip = strips.find((candidate) => candidate.box === entry.target);
    strip.isVisible = entry.isIntersecting;
    if (entry.isIntersecting && strip.isStale) drawStrip(strip);
  }), { rootMargin: "300px" });
  for (const measure of D.measures) {
    const isFirst = measure.group !== group;
    if (isFirst) {
      group = measure.group;
      const unit = group === "Concentrations" ? ` (${measure.unit})` : "";
      $("strips").append(el("h3", {}, group + unit));
    }
    const reading = el("span", { className: "reading" });
    const below = el("canvas", { role: "img", "aria-label": measure.label });
    const above = el("canvas", { "aria-hidden": "true", className: "above" });
    const unit = measure.unit && group !== "Concentrations" && !group.includes("%") ? ` (${measure.unit})` : "";
    const plot = el("div", { className: "plot" }, below, above);
    const box = el("div", { className: "strip" }, el("p", { className: "name" }, el("span", {}, measure.label + unit), reading), plot);
    $("strips").append(box);
    const strip = { measure, box, below, above, reading, isFirst, isVisible: false, isStale: true, drag: null };
    strips.push(strip);
    listenToPointer(strip);
    seen.observe(box);
  }
  if (!D.measures.length) $("strips").append(el("p", { className: "muted" }, "No spectrum has a result to show."));
}

function axisOf(strip) {
  const values = finite(strip.measure.values, base).sort((a, b) => a - b);
  if (!values.length) return { low: 0, high: 1, values };
  const [least, most] = [values[0], values[values.length - 1]];
  const [q1, q9] = [quantile(values, 0.02), quantile(values, 0.98)];
  const room = 0.6 * (q9 - q1) || Math.abs(q9) * 0.1 || 1;
  let [low, high] = [Math.max(least, q1 - room), Math.min(most, q9 + room)];
  if (!(high > low)) [low, high] = [low - room, high + room];
  const margin = 0.05 * (high - low);
  return { low: least >= 0 && low - margin < 0 ? 0 : low - margin, high: high + margin, values };
}

function labelRoom(pen, width) {
  const longest = Math.max(...lanes.map((lane) => pen.measureText(lane.name).width));
  const room = (width - LEFT) / lanes.length;
  tilted = room < Math.min(longest, 150) + 8 && room < 64;
  if (!tilted) return { height: 16, every: true };
  return { height: room < 10 ? 0 : Math.min(78, 16 + 0.75 * longest), every: false };
}

function drawStrip(strip) {
  strip.isStale = false;
  const probe = strip.below.getContext("2d");
  probe.font = "11px system-ui, sans-serif";
  const labels = labelRoom(probe, strip.below.clientWidth || 400);
  const foot = labels.every || strip.isFirst ? labels.height : 4;
  strip.height = HEIGHT + foot;
  const { pen, width } = context(strip.below, strip.height);
  const { low, high, values } = axisOf(strip);
  const top = RIM + 4;
  const bottom = HEIGHT - RIM;
  Object.assign(strip, { width, low, high, top, bottom, lane: (width - LEFT) / lanes.length });
  strip.x = (row) => LEFT + position[row] * strip.lane;
  strip.y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
  drawGround(strip, pen, labels, foot);
  // Among few points a median lies below them, among many above.
  const isDense = base.length > 25 * lanes.length;
  if (!isDense) drawMedians(strip, pen, false);
  drawPoints(strip, pen);
  if (isDense) drawMedians(strip, pen, true);
  strip.below.setAttribute("aria-label", `${strip.measure.label} by ${state.lanes}: ${values.length} spectra, median ${show(quantile(values, 0.5), 3)}, from ${show(values[0], 3)} to ${show(values[values.length - 1], 3)}`);
  drawAbove(strip);
}

function drawGround(strip, pen, labels, foot) {
  lanes.forEach((lane, at) => {
    const x = LEFT + at * strip.lane;
    if (at % 2 === 0) {
      pen.fillStyle = colours.band;
      pen.fillRect(x, 2, strip.lane, HEIGHT - 2);
    }
    if (!foot || foot === 4) return;
    if (labels.every) text(pen, fitting(pen, lane.name, strip.lane - 4), x + strip.lane / 2, HEIGHT + 9, colours.muted, "center");
    else if (strip.lane >= 10) {
      pen.save();
      pen.translate(x + strip.lane / 2 + 3, HEIGHT + 5);
      pen.rotate(-Math.PI / 3.2);
      text(pen, fitting(pen, lane.name, 84), 0, 0, colours.muted, "right");
      pen.restore();
    }
  });
  for (const tick of ticks(strip.low, strip.high, 5)) {
    const y = strip.y(tick);
    if (y < strip.top - 1 || y > strip.bottom + 1) continue;
    line(pen, [[LEFT, y], [strip.width, y]], colours.line, 1);
    text(pen, plainNumber(tick), LEFT - 6, y, colours.muted, "right");
  }
}

function drawPoints(strip, pen) {
  const { values } = strip.measure;
  const small = base.length > 2500 ? 1.5 : base.length > 400 ? 2.1 : 3;
  const later = [];
  pen.fillStyle = colours.faint;
  for (const row of base) {
    if (values[row] === null) continue;
    if (isMatching[row]) later.push(row);
    else mark(strip, pen, row, small, false);
  }
  pen.fillStyle = colours.point;
  pen.globalAlpha = base.length > 2500 ? 0.6 : 0.8;
  for (const row of later) if (!D.flags[row].length && !state.excluded.has(row)) mark(strip, pen, row, small, false);
  pen.globalAlpha = 1;
  pen.fillStyle = colours.warn;
  for (const row of later) if (D.flags[row].length && !state.excluded.has(row)) mark(strip, pen, row, small + 0.7, true);
  for (const row of later) if (state.excluded.has(row)) cross(strip, pen, row);
  drawRim(strip, pen, later);
}

const rim = (strip, value) => (value > strip.high ? 1 : value < strip.low ? -1 : 0);

function mark(strip, pen, row, size, isFlagged) {
  const value = strip.measure.values[row];
  if (rim(strip, value)) return;
  const [x, y] = [strip.x(row), strip.y(value)];
  if (isFlagged) triangle(pen, x, y, size);
  else pen.fillRect(x - size / 1.15, y - size / 1.15, size * 1.74, size * 1.74);
}

function cross(strip, pen, row) {
  const value = strip.measure.values[row];
  if (rim(strip, value)) return;
  const [x, y] = [strip.x(row), strip.y(value)];
  line(pen, [[x - 3, y - 3], [x + 3, y + 3]], colours.bad, 1.4);
  line(pen, [[x - 3, y + 3], [x + 3, y - 3]], colours.bad, 1.4);
}

// An arrow at the rim for each value beyond the axis, and as many of the values as there is room for.
function drawRim(strip, pen, rows) {
  pen.font = "10px system-ui, sans-serif";
  for (const side of [1, -1]) {
    const beyond = rows.filter((row) => rim(strip, strip.measure.values[row]) === side).sort((a, b) => position[a] - position[b]);
    const y = side > 0 ? 7 : HEIGHT - 6;
    let free = 0;
    beyond.forEach((row, at) => {
      const x = strip.x(row);
      pen.fillStyle = D.flags[row].length ? colours.warn : colours.point;
      triangle(pen, x, y, 3.4, side > 0);
      const words = show(strip.measure.values[row], 3);
      const room = pen.measureText(words).width + 10;
      const next = at + 1 < beyond.length ? strip.x(beyond[at + 1]) - 5 : Infinity;
      if (x + room <= Math.min(strip.width, next)) {
        text(pen, words, x + 6, y, colours.text);
        free = x + room;
      } else if (x - room >= free) {
        text(pen, words, x - 6, y, colours.text, "right");
        free = x + 5;
      } else free = x + 5;
    });
  }
  pen.font = "11px system-ui, sans-serif";
}

function drawMedians(strip, pen, hasRim) {
  lanes.forEach((lane, at) => {
    const values = finite(strip.measure.values, lane.rows).sort((a, b) => a - b);
    if (!values.length) return;
    const y = Math.min(strip.bottom, Math.max(strip.top, strip.y(quantile(values, 0.5))));
    const x = LEFT + at * strip.lane;
    if (hasRim) line(pen, [[x + 0.08 * strip.lane, y], [x + 0.92 * strip.lane, y]], colours.card, 4);
    line(pen, [[x + 0.08 * strip.lane, y], [x + 0.92 * strip.lane, y]], colours.text, hasRim ? 2 : 1.5);
  });
}

function drawAbove(strip) {
  if (strip.isStale) return;
  const { pen } = context(strip.above, strip.height);
  const brush = strip.drag ?? state.brushes.get(strip.measure.key);
  if (brush) {
    const edge = (value, isHigh) => (Number.isFinite(value) ? Math.min(HEIGHT, Math.max(0, strip.y(value))) : isHigh ? 0 : HEIGHT);
    const [from, to] = [Math.max(0, brush.from), Math.min(lanes.length, brush.to)].map((at) => LEFT + at * strip.lane);
    const [y0, y1] = [edge(brush.high, true), edge(brush.low, false)];
    pen.globalAlpha = 0.16;
    pen.fillStyle = colours.accent;
    pen.fillRect(from, y0, to - from, y1 - y0);
    pen.globalAlpha = 1;
    pen.strokeStyle = colours.accent;
    pen.strokeRect(from + 0.5, y0 + 0.5, to - from - 1, y1 - y0 - 1);
  }
  const row = state.chosen;
  const value = row >= 0 ? strip.measure.values[row] : null;
  const isHere = value !== null && D.method.of[row] === state.method;
  strip.reading.textContent = isHere ? show(value) : "";
  if (!isHere) return;
  const side = rim(strip, value);
  const y = side > 0 ? 7 : side < 0 ? HEIGHT - 6 : strip.y(value);
  for (const [colour, width] of [[colours.card, 5], [colours.text, 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(strip.x(row), y, 6.5, 0, 7);
    pen.stroke();
  }
}

function nearest(strip, x, y) {
  let [best, distance] = [-1, REACH_PX ** 2];
  for (const row of base) {
    const value = strip.measure.values[row];
    if (value === null) continue;
    const side = rim(strip, value);
    const at = side > 0 ? 7 : side < 0 ? HEIGHT - 6 : strip.y(value);
    const square = (strip.x(row) - x) ** 2 + (at - y) ** 2 + (isMatching[row] ? 0 : 60);
    if (square < distance) [best, distance] = [row, square];
  }
  return best;
}

function listenToPointer(strip) {
  let start = null;
  const at = (event) => {
    const box = strip.above.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const brushed = ([x0, y0], [x1, y1]) => {
    const value = (y) => strip.low + ((strip.bottom - y) / (strip.bottom - strip.top)) * (strip.high - strip.low);
    const lane = (x) => (x - LEFT) / strip.lane;
    const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)];
    // A narrow drag means all lanes; one that reaches the rim takes what lies beyond.
    const isWide = Math.abs(x1 - x0) > 12;
    return {
      low: bottom >= strip.bottom ? -Infinity : value(bottom), high: top <= strip.top ? Infinity : value(top),
      from: isWide ? lane(Math.min(x0, x1)) : -1, to: isWide ? lane(Math.max(x0, x1)) : lanes.length + 1,
    };
  };
  strip.above.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || strip.isStale) return;
    start = at(event);
    state.strip = strip.measure.key;
    strip.above.setPointerCapture(event.pointerId);
  });
  strip.above.addEventListener("pointermove", (event) => {
    const now = at(event);
    if (!start) {
      const row = strip.isStale ? -1 : nearest(strip, ...now);
      strip.above.title = row < 0 ? lanes[Math.floor((now[0] - LEFT) / strip.lane)]?.name ?? "" : `${D.ids[row]} · ${siteOf(row)} · ${show(strip.measure.values[row])}`;
      return;
    }
    if (Math.hypot(now[0] - start[0], now[1] - start[1]) > 5 || strip.drag) {
      strip.drag = brushed(start, now);
      drawAbove(strip);
    }
  });
  const end = (event) => {
    if (!start) return;
    const row = nearest(strip, ...start);
    const drag = strip.drag;
    start = strip.drag = null;
    if (event.type === "pointercancel") drawAbove(strip);
    else if (drag) {
      state.brushes.set(strip.measure.key, drag);
      change({});
    } else if (row >= 0) choose(row);
    else if (state.brushes.delete(strip.measure.key)) change({});
  };
  strip.above.addEventListener("pointerup", end);
  strip.above.addEventListener("pointercancel", end);
}

function refreshStrips(isAll) {
  for (const strip of strips) {
    strip.isStale = true;
    if (isAll || strip.isVisible) drawStrip(strip);
  }
}

onChange((what) => {
  if (what === "chosen") strips.forEach((strip) => drawAbove(strip));
  else refreshStrips(false);
});
