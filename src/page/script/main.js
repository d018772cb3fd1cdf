// Puts the parts to work: toolbar, buttons, keys, theme, print.
function fill(select, choices, chosen) {
  select.replaceChildren(...choices.map(([value, words]) => el("option", { value, selected: value === chosen }, words)));
}

function fillToolbar() {
  const all = (names) => [["", "all"], ...names.map((name) => [name, name])];
  const sites = [...new Set(Array.from({ length: N }, (_, row) => siteOf(row)))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  fill($("method"), D.method.names.map((name, at) => [String(at), name]), String(state.method));
  $("method-field").hidden = D.method.names.length < 2;
  fill($("site"), all(sites), "");
  fill($("protocol"), all(D.protocol.names), "");
  fill($("status"), [["", "all"], ["ok", "fitted"], ["clean", "without a flag"], ["flagged", "flagged"], ["failed", "failed"], ["skipped", "skipped"], ["excluded", "excluded"]], "");
  const lanesOf = [["site", "site"], ["protocol", "protocol"], ["voi", "region"]].filter(([name]) => name === "site" || D[name].names.length > 1);
  state.lanes = D.site.names.length ? "site" : D.protocol.names.length > 1 ? "protocol" : "site";
  fill($("lanes"), lanesOf, state.lanes);
  $("method").onchange = (event) => change({ method: Number(event.target.value) });
  $("lanes").onchange = (event) => change({ lanes: event.target.value });
  for (const name of ["site", "protocol", "status"]) $(name).onchange = (event) => change({ [name]: event.target.value || null });
  let timer = 0;
  $("search").oninput = (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ text: event.target.value }), N > 3000 ? 150 : 30);
  };
}

function showChips() {
  const chip = (words, clear) => el("button", { type: "button", className: "chip", onclick: clear, "aria-label": `Remove: ${words}` }, bdi(words), " ✕");
  const chips = [];
  for (const name of ["error", "flag"]) if (state[name] !== null) chips.push(chip(`${name}: ${state[name]}`, () => change({ [name]: null })));
  for (const [key, brush] of state.brushes) {
    const range = `${Number.isFinite(brush.low) ? show(brush.low, 3) : "lowest"} to ${Number.isFinite(brush.high) ? show(brush.high, 3) : "highest"}`;
    const inLanes = brush.from < 0 ? "" : `, ${lanes.filter((_, at) => at + 1 > brush.from && at < brush.to).length} of ${lanes.length} lanes`;
    chips.push(chip(`${measureOf.get(key).label} ${range}${inLanes}`, () => { state.brushes.delete(key); change({}); }));
  }
  $("chips").replaceChildren(...chips);
  for (const name of ["site", "protocol", "status"]) $(name).value = state[name] ?? "";
  $("method").value = String(state.method);
  const flagged = matching.filter((row) => isFitted(row) && D.flags[row].length).length;
  $("count").textContent = `${matching.length} of ${base.length} spectra selected, ${flagged} flagged`;
}

function clearAll() {
  $("search").value = "";
  state.brushes.clear();
  change({ site: null, protocol: null, status: null, error: null, flag: null, text: "" });
}

// A link from a count leads to its rows, with whatever was filtered before out of the way.
function lead(what, target) {
  $("search").value = "";
  state.brushes.clear();
  change({ site: null, protocol: null, status: null, error: null, flag: null, text: "", ...what });
  if (matching.length) choose(matching[0], true);
  $(target).scrollIntoView();
}

function step(by) {
  const rows = lanes.flatMap((lane) => lane.rows.filter((row) => isMatching[row]));
  if (!rows.length) return;
  const at = rows.indexOf(state.chosen);
  choose(rows[(at + by + rows.length) % rows.length] ?? rows[0]);
}

function stepValue(by) {
  const measure = measureOf.get(state.strip) ?? D.measures[0];
  if (!measure) return;
  const rows = matching.filter((row) => measure.values[row] !== null).sort((a, b) => measure.values[a] - measure.values[b] || a - b);
  const at = rows.indexOf(state.chosen);
  if (rows.length) choose(rows[Math.min(rows.length - 1, Math.max(0, at + by))]);
}

function nextFlagged() {
  const rows = lanes.flatMap((lane) => lane.rows.filter((row) => isMatching[row] && D.flags[row].length));
  if (rows.length) choose(rows[(rows.indexOf(state.chosen) + 1) % rows.length]);
}

function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { tagName } = event.target;
    if (event.key === "Escape") return clearAll();
    if (["INPUT", "SELECT", "TEXTAREA"].includes(tagName)) return undefined;
    const isScroller = event.target.closest?.(".scroll, pre") !== null && event.target !== document.body;
    const actions = {
      ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowUp: () => stepValue(1), ArrowDown: () => stepValue(-1),
      f: nextFlagged, x: () => state.chosen >= 0 && exclude([state.chosen], !state.excluded.has(state.chosen)), "/": () => $("search").focus(),
    };
    // Up and down scroll the page unless the strips have the focus.
    const isVertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    if ((isScroller && event.key.startsWith("Arrow")) || (isVertical && !event.target.closest?.("#strips"))) return undefined;
    if (!actions[event.key]) return undefined;
    event.preventDefault();
    return actions[event.key]();
  });
}

function listenToButtons() {
  $("previous").onclick = () => step(-1);
  $("next").onclick = () => step(1);
  $("exclude").onclick = () => state.chosen >= 0 && exclude([state.chosen], !state.excluded.has(state.chosen));
  $("csv").onclick = () => download("requant-selection.csv", csvOf(matching));
  $("copy").onclick = copyExcluded;
  $("exclude-selection").onclick = () => exclude(matching, true);
  $("exclude-flagged").onclick = () => exclude(base.filter((row) => D.flags[row].length), true);
  $("include-all").onclick = () => exclude([...state.excluded], false);
  document.addEventListener("click", (event) => {
    const of = event.target.closest("[data-site], [data-error], [data-flag]")?.dataset;
    if (of?.site) lead({ site: of.site }, "explore");
    else if (of?.error) lead({ error: of.error }, "table");
    else if (of?.flag) lead({ flag: of.flag }, "explore");
  });
}

function redraw() {
  readColours();
  refreshStrips(isPrinting);
  drawFit();
  drawVoxel();
  showThumbs();
}

function listenToTheme() {
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme ?? (isDark.matches ? "dark" : "light");
  const label = () => { $("theme").textContent = now() === "dark" ? "Light" : "Dark"; };
  $("theme").onclick = () => {
    document.documentElement.dataset.theme = now() === "dark" ? "light" : "dark";
    label();
    redraw();
  };
  isDark.addEventListener("change", () => { label(); redraw(); });
  label();
  const print = (isOn) => () => { isPrinting = isOn; redraw(); };
  window.addEventListener("beforeprint", print(true));
  window.addEventListener("afterprint", print(false));
  let timer = 0;
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(timer);
    timer = setTimeout(redraw, 120);
  });
}

// Text, or a table as tab-separated lines.
function listenToCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.onclick = async () => {
      const from = $(button.dataset.copy);
      const cells = (row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " ")).join("\t");
      const parts = from.matches("table") ? [...from.rows].map(cells) : [...from.querySelectorAll("p, li")].map((part) => part.textContent.trim());
      await copyWords(`${parts.join(from.matches("table") ? "\n" : "\n\n")}\n`);
      button.nextElementSibling.textContent = "copied";
    };
  }
}

onChange((what) => { if (what === "selection") showChips(); });

function begin() {
  $("thumb-pager").dataset.what = "all fits";
  $("table-pager").dataset.what = "table";
  readColours();
  fillToolbar();
  for (let row = 0; row < N; row++) if (word("gate", row)) state.excluded.add(row);
  makeStrips();
  change({ lanes: state.lanes });
  listenToFit();
  listenToKeys();
  listenToButtons();
  listenToTheme();
  listenToCopies();
  const first = [(row) => hasThumb.has(row) && D.flags[row].length, (row) => hasThumb.has(row), () => true];
  choose(base.find(first[0]) ?? base.find(first[1]) ?? base.find(first[2]) ?? -1, true);
}

// What the page tells without the script is painted first.
if (document.hidden) begin();
else requestAnimationFrame(() => setTimeout(begin));
