// Looks at pages without a script in a browser: node plain.mjs PAGE.html… [--pictures FOLDER]
// Desktop, phone, dark and print; ends with 1 where anything is wrong.
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { basename, resolve, join } from "node:path";
import { chromium } from "playwright-core";

const given = process.argv.slice(2);
const at = given.indexOf("--pictures");
const pictures = at < 0 ? null : given.splice(at, 2)[1];
if (pictures) mkdirSync(pictures, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const faults = [];
const check = (what, is, found = "") => {
  console.log(`${is ? "ok  " : "FAIL"} ${what}${found === "" ? "" : ` (${found})`}`);
  if (!is) faults.push(what);
};
const views = {
  desktop: { viewport: { width: 1400, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  dark: { viewport: { width: 1400, height: 900 }, colorScheme: "dark" },
};

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const file of given.map((name) => resolve(name))) {
  const name = basename(file, ".html");
  for (const [view, options] of Object.entries(views)) {
    const context = await browser.newContext({ reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(`${name}: console: ${message.text()}`); });
    page.on("dialog", (dialog) => { faults.push(`${name}: a name ran as script: ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => {
      const isOwn = request.url().startsWith("data:") || decodeURIComponent(new URL(request.url()).pathname) === file;
      if (!isOwn) faults.push(`${name}: a request left the file: ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
    if (pictures) await page.screenshot({ path: join(pictures, `${name}-${view}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(`${name}, ${view}: no sideways scrolling`, wide <= options.viewport.width, `${wide} px`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const bad = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
    check(`${name}, ${view}: axe has no serious finding`, bad.length === 0, violations.map((violation) => `${violation.id} (${violation.impact})`).join(", "));
    if (view === "desktop") {
      const targets = await page.$$eval("nav a", (links) => links.every((link) => document.getElementById(link.hash.slice(1))));
      check(`${name}: every entry of the contents leads somewhere`, targets);
      // A picture is as large on paper as the page allows; its first page is not left empty.
      const pdf = await page.pdf({ path: pictures ? join(pictures, `${name}.pdf`) : undefined, preferCSSPageSize: true });
      check(`${name}: prints`, pdf.length > 10000, `${(pdf.length / 1e6).toFixed(2)} MB`);
    }
    await context.close();
  }
}
await browser.close();
if (faults.length) {
  console.log(`${faults.length} faults:\n${[...new Set(faults)].slice(0, 20).join("\n")}`);
  process.exit(1);
}
