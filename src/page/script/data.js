// What the page was given, and small helpers. Text out of files only ever becomes text nodes.
const $ = (id) => document.getElementById(id);
const D = JSON.parse($("data").textContent);
const N = D.n;
const NO_SITE = "no site named";
const measureOf = new Map(D.measures.map((measure) => [measure.key, measure]));
const hasThumb = new Map(D.thumb_rows.map((row, at) => [row, at]));

function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "role") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const bdi = (text) => el("bdi", {}, text);
const word = (column, row) => (D[column].of[row] < 0 ? "" : D[column].names[D[column].of[row]]);
const siteOf = (row) => word("site", row) || NO_SITE;
const flagsOf = (row) => D.flags[row].map((flag) => D.flag_names[flag]);
const isFitted = (row) => word("status", row) === "ok";

// Four digits, without an exponent where people would not write one.
function show(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace("-", "−");
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(decimals, 6)).replace("-", "−");
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const finite = (values, rows) => rows.map((row) => values[row]).filter((value) => value !== null);

function quantile(sorted, share) {
  if (!sorted.length) return NaN;
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

// Numbers that divide an axis: 1, 2 or 5 times a power of ten.
function ticks(low, high, most) {
  const raw = (high - low) / most;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + 1e-9 * step; at += step) {
    found.push(Math.abs(at) < 1e-9 * step ? 0 : at);
  }
  return found;
}

const plainNumber = (value) => String(Number(value.toPrecision(6))).replace("-", "−");
