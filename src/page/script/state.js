// Which spectra are looked at: one method, filters, ranges brushed in strips, one chosen row, and what is excluded.
const state = {
  method: D.method.names.length > 1 ? D.method.names.indexOf(word("method", 0)) : 0,
  lanes: "site",
  site: null, protocol: null, status: null, error: null, flag: null, text: "",
  brushes: new Map(),
  chosen: -1,
  strip: null,
  sort: { key: null, down: false },
  excluded: new Set(),
};
const listeners = [];
let base = [];
let matching = [];
let isMatching = new Uint8Array(N);
let position = new Float64Array(N);
let lanes = [];

const onChange = (listener) => listeners.push(listener);
const tell = (what) => listeners.forEach((listener) => listener(what));

let texts = null;
function textOf(row) {
  texts ??= Array.from({ length: N }, (_, at) =>
    [D.ids[at], siteOf(at), word("protocol", at), word("subject", at), word("voi", at), word("error", at), ...flagsOf(at)]
      .join(" ").toLowerCase());
  return texts[row];
}

const laneName = (row) => (state.lanes === "site" ? siteOf(row) : word(state.lanes, row) || "none");

// Lanes side by side; a point's place in its lane is spread evenly, and is the same in every strip.
function placeInLanes() {
  base = [];
  const rows = new Map();
  for (let row = 0; row < N; row++) {
    if (D.method.of[row] !== state.method) continue;
    base.push(row);
    const name = laneName(row);
    if (!rows.has(name)) rows.set(name, []);
    rows.get(name).push(row);
  }
  lanes = [...rows.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true })).map((name) => ({ name, rows: rows.get(name) }));
  lanes.forEach((lane, at) => lane.rows.forEach((row, i) => {
    position[row] = at + 0.12 + 0.76 * ((0.5 + i * 0.6180339887498949) % 1);
  }));
}

function isInBrushes(row) {
  for (const [key, brush] of state.brushes) {
    const value = measureOf.get(key).values[row];
    if (value === null || value < brush.low || value > brush.high) return false;
    if (position[row] < brush.from || position[row] > brush.to) return false;
  }
  return true;
}

function match() {
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  isMatching = new Uint8Array(N);
  matching = base.filter((row) => {
    if (state.site !== null && siteOf(row) !== state.site) return false;
    if (state.protocol !== null && word("protocol", row) !== state.protocol) return false;
    if (state.error !== null && word("error", row) !== state.error) return false;
    if (state.flag !== null && !flagsOf(row).includes(state.flag)) return false;
    if (state.status === "flagged" && !(isFitted(row) && D.flags[row].length)) return false;
    if (state.status === "clean" && !(isFitted(row) && !D.flags[row].length)) return false;
    if (state.status === "excluded" && !state.excluded.has(row)) return false;
    if (["ok", "failed", "skipped"].includes(state.status) && word("status", row) !== state.status) return false;
    if (words.length && !words.every((part) => textOf(row).includes(part))) return false;
    return isInBrushes(row);
  });
  for (const row of matching) isMatching[row] = 1;
  sortRows();
}

function sortRows() {
  const { key, down } = state.sort;
  if (key === null) return;
  const column = COLUMNS.find((candidate) => candidate.key === key);
  const sign = down ? -1 : 1;
  const values = new Map(matching.map((row) => [row, column.sortBy(row)]));
  matching.sort((a, b) => {
    const [x, y] = [values.get(a), values.get(b)];
    // What has no value stands last, whichever way one sorts.
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    return (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true })) * sign || a - b;
  });
}

function change(what) {
  Object.assign(state, what);
  if ("method" in what || "lanes" in what) {
    state.brushes.clear();
    placeInLanes();
  }
  match();
  tell("selection");
}

function choose(row, isQuiet = false) {
  if (row < 0 || row >= N) return;
  state.chosen = row;
  tell("chosen");
  if (!isQuiet) announce(row);
}

function exclude(rows, isOut) {
  for (const row of rows) {
    if (isOut) state.excluded.add(row);
    else state.excluded.delete(row);
  }
  if (state.status === "excluded") match();
  tell(state.status === "excluded" ? "selection" : "excluded");
}

function announce(row) {
  const parts = [D.ids[row], siteOf(row), word("status", row)];
  for (const key of ["snr", "fwhm_hz"]) {
    const measure = measureOf.get(key);
    if (measure && measure.values[row] !== null) parts.push(`${measure.label} ${show(measure.values[row], 3)} ${measure.unit}`);
  }
  parts.push(D.flags[row].length ? `flags: ${flagsOf(row).join(", ")}` : "no flag");
  $("live").textContent = parts.join(", ");
}
