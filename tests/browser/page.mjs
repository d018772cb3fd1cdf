// Drives a page in a browser: node page.mjs REPORT.html [folder for pictures]
// Tells what it measured, and ends with 1 where anything is wrong.
import { readFileSync, mkdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resolve, join } from "node:path";
import { chromium } from "playwright-core";

const file = resolve(process.argv[2]);
const pictures = process.argv[3];
if (pictures) mkdirSync(pictures, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const faults = [];
const check = (what, is, found = "") => {
  console.log(`${is ? "ok  " : "FAIL"} ${what}${found === "" ? "" : ` (${found})`}`);
  if (!is) faults.push(what);
};

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, acceptDownloads: true, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const beside = file.replace(/\.html?$/, "_data");
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`); });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { faults.push(`a name ran as script: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    const address = decodeURIComponent(new URL(request.url()).pathname);
    const isOwn = request.url().startsWith("blob:") || address === file || address.startsWith(beside);
    if (!isOwn) faults.push(`a request left the file: ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  await page.waitForFunction(() => document.body.dataset.shown !== undefined);
  return page;
}

const picture = async (page, name, options = {}) => {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), ...options });
};
const count = async (page) => Number((await page.textContent("#count")).match(/^(\d+)/)[1]);
const chosen = (page) => page.textContent("#chosen");

// Times of the browser itself.
const page = await open();
const times = await page.evaluate(() => ({
  paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
  load: performance.timing.loadEventEnd - performance.timing.navigationStart,
}));
check("the page is no larger than 15 MB", statSync(file).size <= 15e6, `${(statSync(file).size / 1e6).toFixed(2)} MB`);
check("first paint within 1 s", times.paint <= 1000, `${Math.round(times.paint)} ms; loaded ${times.load} ms`);
await picture(page, "top");

// A click to what it shows, also where the fit lies in a file beside the page.
const clicks = await page.evaluate(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const outside = new Set(data.files.flat());
  const found = { inside: [], outside: [] };
  for (const line of [...document.querySelectorAll("#rows tbody tr")].slice(1)) {
    const begun = performance.now();
    line.querySelector("button").click();
    while (document.body.dataset.shown !== line.dataset.row) await new Promise((done) => { setTimeout(done, 0); });
    found[outside.has(Number(line.dataset.row)) ? "outside" : "inside"].push(performance.now() - begun);
  }
  return found;
});
for (const [where, list] of Object.entries(clicks)) {
  if (!list.length) continue;
  const sorted = list.sort((a, b) => a - b);
  check(`a click shows a fit ${where} the page within 100 ms`, sorted[Math.floor(sorted.length / 2)] <= 100, `median ${Math.round(sorted[Math.floor(sorted.length / 2)])} ms, most ${Math.round(sorted.at(-1))} ms`);
}

// A click on a point.
await page.locator("#explore").scrollIntoViewIfNeeded();
await page.evaluate(() => document.getElementById("explore").scrollIntoView());
await page.waitForTimeout(150);
const strip = page.locator(".strip .above").first();
let box = await strip.boundingBox();
const before = await chosen(page);
await strip.click({ position: { x: box.width * 0.6, y: 50 } });
let isOther = false;
for (let x = 0.3; x < 0.95 && !isOther; x += 0.03) {
  await strip.click({ position: { x: box.width * x, y: 60 } });
  isOther = (await chosen(page)) !== before;
}
check("a click on a point chooses a spectrum", isOther);
await picture(page, "explore");

// Search, brush, filters.
const all = await count(page);
const name = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).site.names.at(-1));
await page.fill("#search", name);
await page.waitForTimeout(250);
const found = await count(page);
check("search narrows the selection", found > 0 && found < all, `${found} of ${all}`);
await page.keyboard.press("Escape");
check("escape clears it", (await count(page)) === all);
await page.evaluate(() => document.getElementById("explore").scrollIntoView());
await page.waitForTimeout(100);
box = await strip.boundingBox();
await page.mouse.move(box.x + box.width * 0.4, box.y + 20);
await page.mouse.down();
await page.mouse.move(box.x + box.width * 0.403, box.y + 60, { steps: 6 });
await page.mouse.up();
const brushed = await count(page);
check("a brushed range is a selection", brushed > 0 && brushed < all, `${brushed} of ${all}`);
check("which has a chip", (await page.locator(".chip").count()) === 1);
await picture(page, "brush");
await page.locator(".chip").click();
check("whose click takes it away", (await count(page)) === all);

// Keyboard.
const first = await chosen(page);
await page.locator("#strips").focus();
await page.keyboard.press("ArrowRight");
const second = await chosen(page);
await page.keyboard.press("f");
check("arrows and f move on", second !== first);
check("the live region tells of it", (await page.textContent("#live")).length > 10);
await page.keyboard.press("x");
check("x excludes", /^1 excluded/.test(await page.textContent("#excluded")));
await page.keyboard.press("x");
await page.keyboard.press("/");
check("/ goes to the search", await page.evaluate(() => document.activeElement.id === "search"));
await page.keyboard.press("Escape");

// Zoom.
await page.evaluate(() => document.getElementById("explore").scrollIntoView());
await page.waitForTimeout(150);
if (await page.locator("#fit-figure").isVisible()) {
  const fit = await page.locator("#fit").boundingBox();
  await page.mouse.move(fit.x + fit.width * 0.3, fit.y + 150);
  await page.mouse.down();
  await page.mouse.move(fit.x + fit.width * 0.6, fit.y + 160, { steps: 5 });
  await page.mouse.up();
  check("dragging over the fit zooms", await page.locator("#unzoom").isVisible());
  await page.locator("#components summary").click();
  await picture(page, "zoom");
  await page.locator("#unzoom").click();
  check("and it goes back", !(await page.locator("#unzoom").isVisible()));
}

// Three tasks by their clicks.
const site = page.locator("#sites button[data-site]").first();
await site.click();
await page.locator("#rows thead button[data-key=expected_error_percent]").click();
const worst = await page.$$eval("#rows tbody tr", (rows) => rows.slice(0, 10).map((row) => row.dataset.row));
const isWorst = await page.evaluate((rows) => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const values = data.measures.find((measure) => measure.key === "expected_error_percent")?.values;
  return !values || rows.every((row, at) => at === 0 || values[row] <= values[rows[at - 1]]);
}, worst);
check("the ten worst of a site: 2 clicks", isWorst && worst.length > 0);
// Nothing needs a click: causes stand below the table of sites, each with its meaning.
const lacking = await page.$$eval("#sites .lacking li", (items) => items.map((item) => ({
  site: item.querySelector("strong").textContent, codes: item.querySelectorAll("code").length, words: item.textContent.length, isSeen: item.checkVisibility(),
})));
const withoutConcentrations = await page.evaluate(() => !JSON.parse(document.getElementById("data").textContent).concentration_unit);
check("why a site has no concentrations: 0 clicks", lacking.every((item) => item.site && item.codes > 0 && item.words > 60 && item.isSeen) && (lacking.length > 0 || !withoutConcentrations), `${lacking.length} sites`);
await page.evaluate(() => document.getElementById("table").scrollIntoView());
await picture(page, "table");
await page.locator("#exclude-flagged").click();
await page.locator("#copy").click();
const copied = await page.evaluate(() => navigator.clipboard.readText());
check("the ids to exclude: 2 clicks", copied.trim().length > 0, `${copied.trim().split("\n").length} ids`);
const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#csv").click()]);
const csv = readFileSync(await download.path(), "utf8");
check("CSV of the selection", csv.split("\r\n").length - 2 === (await count(page)) && csv.startsWith("spectrum_id,excluded,"));
await page.keyboard.press("Escape");
await page.evaluate(() => document.getElementById("thumbnails").scrollIntoView());
await page.waitForTimeout(200);
await picture(page, "thumbs");
await picture(page, "whole", { fullPage: true });

// What a study reports.
if (await page.locator("#methods").count()) {
  await page.locator("[data-copy=methods-text]").click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  check("the methods text is copied", text.length > 200 && text.includes("requant"), `${text.length} characters`);
  await page.locator("#methods details summary").first().click();
  await page.locator("[data-copy=mrsinmrs-1]").click();
  const table = await page.evaluate(() => navigator.clipboard.readText());
  check("MRSinMRS is copied as a table", table.split("\n").length > 22 && table.split("\n")[1].split("\t").length === 3);
  await page.evaluate(() => document.getElementById("methods").scrollIntoView());
  await picture(page, "methods");
}

// Axe, light and dark.
const findings = async (where) => {
  await where.evaluate(axe);
  const { violations } = await where.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const bad = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  for (const violation of bad) console.log(`     ${violation.id}: ${violation.nodes.slice(0, 4).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  return { bad: bad.length, all: violations.map((violation) => `${violation.id} (${violation.impact})`) };
};
const light = await findings(page);
check("axe has no serious finding, light", light.bad === 0, light.all.join(", "));

const night = await open({ colorScheme: "dark" });
await night.evaluate(() => document.getElementById("explore").scrollIntoView());
await night.waitForTimeout(250);
const ground = await night.evaluate(() => getComputedStyle(document.body).backgroundColor);
check("dark where the system is dark", ground === "rgb(18, 20, 23)", ground);
await picture(night, "dark");
const dark = await findings(night);
check("axe has no serious finding, dark", dark.bad === 0, dark.all.join(", "));
await night.close();

const pdf = await page.pdf({ format: "A4", path: pictures ? join(pictures, "print.pdf") : undefined });
check("prints on A4", pdf.length > 20000, `${(pdf.length / 1e6).toFixed(2)} MB`);
// Of the table what is printed fits on the paper (A4 less margins at 96 dpi).
await page.emulateMedia({ media: "print" });
await page.setViewportSize({ width: 688, height: 1000 });
const tableWidth = await page.evaluate(() => document.getElementById("rows").getBoundingClientRect().right);
check("the printed table is not cut", tableWidth <= 690, `${Math.round(tableWidth)} of 688 px`);
await page.setViewportSize({ width: 1400, height: 900 });
await page.emulateMedia({ media: "screen" });
// Nothing lies over the points in print: a layer's cleared ground is white there.
await page.emulateMedia({ media: "print" });
const over = await page.evaluate(() => [...document.querySelectorAll(".strip canvas")].filter((c, i) => i % 2 && getComputedStyle(c).display !== "none").length);
const drawn = await page.evaluate(() => [...document.querySelectorAll(".strip canvas")].filter((c) => getComputedStyle(c).display !== "none").length);
check("prints the points of every strip", over === 0 && drawn === await page.locator(".strip").count(), `${drawn} strips, ${over} covered`);
await page.emulateMedia({ media: "screen" });

const phone = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
check("no sideways scrolling at 390 px", wide <= 390, `${wide} px`);
await picture(phone, "phone");
await phone.evaluate(() => document.getElementById("explore").scrollIntoView());
await phone.waitForTimeout(250);
await picture(phone, "phone-explore");
await phone.close();
await browser.close();

if (faults.length) {
  console.log(`${faults.length} faults:\n${[...new Set(faults)].slice(0, 20).join("\n")}`);
  process.exit(1);
}
