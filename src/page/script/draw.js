// Canvases: sharp on any screen, in the colours of the theme.
const COLOUR_NAMES = ["text", "muted", "line", "faint", "point", "warn", "bad", "data", "fit", "baseline", "band", "accent", "card"];
let colours = {};
let isPrinting = false;

// A property that holds light-dark() is only resolved where it is used as a colour.
function readColours() {
  const probe = el("span", { hidden: true });
  document.body.append(probe);
  colours = {};
  for (const name of COLOUR_NAMES) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

// The context of a canvas that is `height` px high and as wide as its place; cleared.
function context(canvas, height) {
  const scale = isPrinting ? 3 : Math.min(window.devicePixelRatio || 1, 3);
  const width = Math.max(80, canvas.clientWidth);
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "11px system-ui, sans-serif";
  pen.lineJoin = "round";
  return { pen, width };
}

function line(pen, points, colour, width, dash = []) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  points.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
  pen.setLineDash([]);
}

function text(pen, words, x, y, colour, align = "left", baseline = "middle") {
  pen.fillStyle = colour;
  pen.textAlign = align;
  pen.textBaseline = baseline;
  pen.fillText(words, x, y);
}

function fitting(pen, words, width) {
  if (pen.measureText(words).width <= width) return words;
  let end = words.length;
  while (end > 1 && pen.measureText(`${words.slice(0, end)}…`).width > width) end--;
  return `${words.slice(0, end)}…`;
}

function triangle(pen, x, y, size, isUp = true) {
  const sign = isUp ? 1 : -1;
  pen.beginPath();
  pen.moveTo(x, y - sign * size);
  pen.lineTo(x + size, y + sign * size * 0.8);
  pen.lineTo(x - size, y + sign * size * 0.8);
  pen.fill();
}
