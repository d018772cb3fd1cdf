// The selection as a table: sorted by any column, as CSV, and the list of what is excluded.
const ROWS = 40;
const tablePage = { at: 0 };
const textColumn = (key, title, of) => ({ key, title, isText: true, of, sortBy: (row) => of(row) || null, worse: 0 });
const COLUMNS = [
  textColumn("id", "Spectrum", (row) => D.ids[row]),
  textColumn("site", "Site", (row) => word("site", row)),
  textColumn("protocol", "Protocol", (row) => word("protocol", row)),
  textColumn("status", "Status", (row) => word("status", row)),
  { ...textColumn("flags", "Flags", (row) => flagsOf(row).join(", ") || word("error", row)), sortBy: (row) => -D.flags[row].length || null },
  ...D.measures.map((measure) => ({
    key: measure.key, isText: false, worse: measure.worse,
    title: measure.group.startsWith("Uncertainty") ? `${measure.label} CRLB %` : measure.group === "Concentrations" ? measure.label : measure.label + (measure.unit ? ` (${measure.unit})` : ""),
    unit: measure.group === "Concentrations" ? " mmol/kg" : "",
    of: (row) => show(measure.values[row]), sortBy: (row) => measure.values[row],
  })),
];

// On paper there is room for so many columns of numbers: the first four figures of quality, then concentrations or ratios.
const onPaper = new Set([
  ...D.measures.filter((measure) => measure.group === "Quality").slice(0, 4),
  ...D.measures.filter((measure) => measure.group === (D.measures.some((other) => other.group === "Concentrations") ? "Concentrations" : "Ratios to total creatine")).slice(0, 5),
].map((measure) => measure.key));
const classOf = (column) => (column.isText ? "text" : onPaper.has(column.key) ? "" : "more");

// The first click on a number sorts what is worse to the top, the second the other way round.
function sortBy(column) {
  const { key, down } = state.sort;
  state.sort = { key: column.key, down: key === column.key ? !down : column.worse > 0 };
  sortRows();
  tablePage.at = 0;
  thumbPage.at = 0;
  showTable();
  showThumbs();
  const wanted = [...$("rows").querySelectorAll("thead button")].find((button) => button.dataset.key === column.key);
  wanted?.focus();
}

function showHead() {
  const cells = COLUMNS.map((column) => {
    const isSorted = state.sort.key === column.key;
    const cell = el("th", { scope: "col", className: classOf(column) });
    const button = el("button", { type: "button", onclick: () => sortBy(column) }, column.title, column.unit ? el("span", { className: "unit" }, column.unit) : null, isSorted ? (state.sort.down ? " ↓" : " ↑") : "");
    button.dataset.key = column.key;
    if (isSorted) cell.setAttribute("aria-sort", state.sort.down ? "descending" : "ascending");
    cell.append(button);
    return cell;
  });
  $("rows").tHead.replaceChildren(el("tr", {}, ...cells));
}

function showTable() {
  showHead();
  pager($("table-pager"), tablePage, ROWS, matching.length, showTable);
  const page = matching.slice(tablePage.at * ROWS, (tablePage.at + 1) * ROWS);
  $("rows").tBodies[0].replaceChildren(...page.map((row) => {
    const cells = COLUMNS.map((column, at) => {
      const words = column.of(row);
      if (at === 0) return el("th", { scope: "row", className: "text", title: words }, el("button", { type: "button", className: "link", onclick: () => choose(row) }, bdi(words)));
      return el("td", { className: classOf(column), title: column.isText ? words : "" }, column.isText ? bdi(words) : words);
    });
    const line = el("tr", { onclick: (event) => { if (event.target.tagName !== "BUTTON") choose(row); } }, ...cells);
    line.dataset.row = row;
    return line;
  }));
  $("printed-rows").textContent = `${page.length} of ${matching.length} selected rows, with their main figures${D.concentration_unit ? ` and concentrations (${D.concentration_unit})` : ""}; the file of the selection has all.`;
  markRows();
}

function markRows() {
  for (const line of $("rows").tBodies[0].rows) {
    const row = Number(line.dataset.row);
    line.className = `${row === state.chosen ? "chosen" : ""}${state.excluded.has(row) ? " excluded" : ""}`;
  }
}

function csvOf(rows) {
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const texts = [["spectrum_id", (row) => D.ids[row]], ["excluded", (row) => String(state.excluded.has(row))],
    ...["method", "site", "protocol", "subject", "voi", "status"].map((name) => [name, (row) => word(name, row)]),
    ["error_code", (row) => word("error", row)], ["gate", (row) => word("gate", row)], ["qc_flags", (row) => flagsOf(row).join(" ")],
    ...D.measures.map((measure) => [measure.key, (row) => String(measure.values[row] ?? "")])];
  const lines = [texts.map(([name]) => quoted(name)), ...rows.map((row) => texts.map(([, of]) => quoted(of(row))))];
  return `${lines.map((cells) => cells.join(",")).join("\r\n")}\r\n`;
}

function download(name, content) {
  const address = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  const anchor = el("a", { href: address, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function copyWords(words) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // Where the clipboard is closed to pages, a selected text can be copied.
    const area = el("textarea", { value: words });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

async function copyExcluded() {
  const ids = [...new Set([...state.excluded].sort((a, b) => a - b).map((row) => D.ids[row]))];
  await copyWords(`${ids.join("\n")}\n`);
  $("excluded").textContent = `${ids.length} ids copied`;
}

onChange((what) => {
  if (what === "selection") {
    tablePage.at = 0;
    showTable();
  } else markRows();
});
