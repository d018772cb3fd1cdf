// The chosen spectrum in words and numbers, beside its fit.
let shownRow = -1;

async function showChosen() {
  const row = state.chosen;
  if (row < 0) return;
  $("chosen").replaceChildren(bdi(D.ids[row]));
  const places = [siteOf(row), word("protocol", row)];
  if (D.method.names.length > 1) places.push(word("method", row));
  $("where").replaceChildren(bdi(places.join(" · ")));
  showFlags(row);
  showPercentiles(row);
  showExcluded();
  let detail = null;
  try {
    detail = await detailOf(row);
  } catch (error) {
    $("message").replaceChildren(el("p", { className: "notice" }, error.message));
  }
  if (state.chosen !== row) return;
  if (detail) showDetail(row, detail);
  else {
    fitView.curves = null;
    drawFit();
    showVoxel(null);
  }
  shownRow = row;
  document.body.dataset.shown = row;
}

function showDetail(row, detail) {
  const messages = [];
  if (detail.message) messages.push(note("error", word("error", row), [detail.message], D.errors[word("error", row)]));
  if (!detail.curves && isFitted(row)) messages.push(el("p", { className: "muted" }, "The curves of this fit were not stored (requant run --curves keeps them)."));
  $("message").replaceChildren(...messages);
  $("its-warnings").replaceChildren(...(detail.warnings.length ? [note("note", null, detail.warnings)] : []));
  fitView.curves = detail.curves;
  drawFit();
  $("fit").setAttribute("aria-label", `Fit of ${D.ids[row]}: data, fit, baseline and residual. Plus and minus zoom.`);
  $("zero").textContent = detail.curves?.zero.length ? `At zero: ${detail.curves.zero.join(", ")}` : "";
  showVoxel(detail.voxel);
  showMetabolites(detail.metabolites);
  $("facts").replaceChildren(...detail.facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, bdi(value))]));
}

function note(kind, title, lines, meaning) {
  return el("div", { className: `flag-item ${kind}` },
    title ? el("p", {}, el("code", {}, title)) : null,
    ...lines.map((words) => el("p", {}, bdi(words))),
    meaning?.remedy ? el("p", {}, el("strong", {}, "What to do: "), meaning.remedy) : null);
}

function showFlags(row) {
  const items = flagsOf(row).map((flag) => {
    const { meaning, remedy, when } = D.meanings[flag];
    return el("div", { className: "flag-item" },
      el("p", {}, el("code", {}, flag), " ", meaning),
      remedy ? el("p", {}, el("strong", {}, "What to do: "), remedy) : null,
      when ? el("p", { className: "muted" }, `Written when ${when}.`) : null);
  });
  const gate = word("gate", row);
  if (gate) items.push(el("div", { className: "flag-item" }, el("p", {}, "Does not pass the gate ", el("code", {}, gate), ".")));
  $("its-flags").replaceChildren(...items);
}

const sortedOf = new Map();
function sortedValues(measure) {
  const key = `${state.method} ${measure.key}`;
  if (!sortedOf.has(key)) sortedOf.set(key, finite(measure.values, base).sort((a, b) => a - b));
  return sortedOf.get(key);
}

function rankOf(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  let equal = low;
  while (equal < sorted.length && sorted[equal] === value) equal++;
  return (100 * (low + equal)) / 2 / sorted.length;
}

function showPercentiles(row) {
  const cells = [];
  for (const measure of D.measures) {
    const value = measure.values[row];
    if (value === null || measure.group.startsWith("Uncertainty")) continue;
    const rank = rankOf(sortedValues(measure), value);
    const far = rank < 2.5 || rank > 97.5;
    const place = el("i", { className: far ? "far" : "" });
    place.style.left = `calc(${rank.toFixed(1)}% - 2px)`;
    const unit = measure.group === "Concentrations" ? "mmol/kg" : measure.unit;
    cells.push(el("span", {}, measure.label), el("span", { className: "value" }, `${show(value)} ${unit}`),
      el("span", { className: "bar", "aria-hidden": "true" }, place),
      el("span", { className: "rank", title: "percentile" }, String(Math.round(rank))));
  }
  $("percentiles").replaceChildren(...(cells.length ? cells : [el("span", { className: "muted" }, "No result.")]));
}

function showMetabolites(list) {
  $("metabolites").hidden = !list.length;
  if (!list.length) return;
  const hasConcentrations = list.some(([, values]) => values[2] !== null);
  const pair = (value, sd) => (value === null ? "–" : sd === null ? show(value, 3) : `${show(value, 3)} ± ${show(sd, 2)}`);
  const head = ["", "/ tCr ± sd", ...(hasConcentrations ? ["mmol/kg ± sd"] : []), "CRLB %"];
  const rows = list.map(([name, [ratio, ratioSd, conc, concSd, percent]]) => el("tr", {},
    el("th", { scope: "row" }, D.metabolites[name]), el("td", {}, pair(ratio, ratioSd)),
    hasConcentrations ? el("td", {}, pair(conc, concSd)) : null, el("td", {}, percent === null ? "–" : show(percent, 2))));
  $("metabolite-table").replaceChildren(
    hasConcentrations ? el("p", { className: "muted" }, `Concentrations: ${D.concentration_unit}.`) : "",
    el("table", { className: "small-table" }, el("thead", {}, el("tr", {}, ...head.map((words, at) => (at ? el("th", { scope: "col" }, words) : el("td", {}))))), el("tbody", {}, ...rows)));
}

function showExcluded() {
  const isOut = state.excluded.has(state.chosen);
  $("exclude").setAttribute("aria-pressed", String(isOut));
  $("exclude").textContent = isOut ? "Excluded" : "Exclude";
  const ids = new Set([...state.excluded].map((row) => D.ids[row]));
  $("excluded").textContent = ids.size ? `${ids.size} excluded` : "none excluded";
  $("copy").disabled = !ids.size;
}

onChange((what) => {
  if (what === "chosen") showChosen();
  if (what === "excluded" || what === "selection") showExcluded();
});
