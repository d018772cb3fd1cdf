// Small fits of everybody in the selection, a page at a time.
const THUMBS = window.innerWidth < 620 ? 24 : 72;
const thumbPage = { at: 0 };
let thumbBytes = null;

function pager(place, page, size, total, redraw) {
  const last = Math.max(0, Math.ceil(total / size) - 1);
  page.at = Math.min(page.at, last);
  const step = (by, words, label) => el("button", {
    type: "button", className: "quiet", disabled: page.at + by < 0 || page.at + by > last, "aria-label": label,
    onclick: () => { page.at += by; redraw(); },
  }, words);
  const from = total ? page.at * size + 1 : 0;
  place.replaceChildren(el("span", { className: "muted" }, `${from}–${Math.min(total, (page.at + 1) * size)} of ${total}`),
    step(-1, "←", `Earlier, ${place.dataset.what}`), step(1, "→", `Later, ${place.dataset.what}`));
}

function drawThumb(canvas, row) {
  thumbBytes ??= bytesOf(D.thumbs);
  const { pen, width } = context(canvas, 52);
  const n = D.thumb_points;
  const start = hasThumb.get(row) * 2 * n;
  const path = (offset) => Array.from({ length: n }, (_, i) => [(i / (n - 1)) * width, 49 - (46 * thumbBytes[offset + i]) / 255]);
  line(pen, path(start), colours.muted, 1);
  line(pen, path(start + n), D.flags[row].length ? colours.warn : colours.point, 1.2);
}

function showThumbs() {
  const rows = matching.filter((row) => hasThumb.has(row));
  pager($("thumb-pager"), thumbPage, THUMBS, rows.length, showThumbs);
  const page = rows.slice(thumbPage.at * THUMBS, (thumbPage.at + 1) * THUMBS);
  const canvases = [];
  $("thumbs").replaceChildren(...page.map((row) => {
    const canvas = el("canvas", { "aria-hidden": "true" });
    canvases.push([canvas, row]);
    const button = el("button", { type: "button", title: `${D.ids[row]} · ${siteOf(row)}`, onclick: () => choose(row) }, canvas, el("span", {}, bdi(D.ids[row].split("/").at(-1))));
    button.dataset.row = row;
    return button;
  }));
  canvases.forEach(([canvas, row]) => drawThumb(canvas, row));
  markThumbs();
  if (!D.thumb_rows.length) $("thumbnails").hidden = true;
}

function markThumbs() {
  for (const button of $("thumbs").children) {
    const row = Number(button.dataset.row);
    const is = (name, truth) => (truth ? ` ${name}` : "");
    button.className = `thumb${is("flagged", D.flags[row].length)}${is("chosen", row === state.chosen)}${is("excluded", state.excluded.has(row))}`;
  }
}

onChange((what) => {
  if (what === "selection") {
    thumbPage.at = 0;
    showThumbs();
  } else markThumbs();
});
