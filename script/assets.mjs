// Turns static/src and the installed packages into static/dist. Called by script/assets; prints what each file weighs.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import postcss from "postcss";

const SRC = "static/src/";
const DIST = "static/dist/";
const PATTERNFLY = "node_modules/@patternfly/patternfly/";
const COMPONENTS = [
  "Alert/alert", "Badge/badge", "Breadcrumb/breadcrumb", "Button/button", "Card/card", "Check/check",
  "DescriptionList/description-list", "EmptyState/empty-state", "Form/form", "FormControl/form-control",
  "HelperText/helper-text", "InputGroup/input-group", "Label/label", "Masthead/masthead", "MenuToggle/menu-toggle",
  "Nav/nav", "Page/page", "ProgressStepper/progress-stepper", "Radio/radio", "SkipToContent/skip-to-content",
  "Table/table-grid", "Table/table", "ToggleGroup/toggle-group",
];

const text = (file) => readFileSync(file, "utf8");
const files = (folder, ending) =>
  readdirSync(folder, { recursive: true }).filter((f) => f.endsWith(ending)).map((f) => `${folder}/${f}`);
const minified = (code, loader) => esbuild.transformSync(code, { loader, minify: true, legalComments: "none" }).code;

// Every word a page could use as a class name: templates and components write class names whole.
const pages = [...files("templates", ".html"), ...files("web", ".py"), ...files("static/src", ".js")];
const words = new Set(pages.map(text).join(" ").match(/[\w-]+/g));

/** Icon fonts, themes the portal does not offer, fonts but our own. */
function dropUnoffered(sheet) {
  const unoffered = /\.fa[srb]?(?![\w])|\.fa-|pf-v6-pficon|theme-(felt|glass|redhat|high-contrast)/;
  sheet.walkAtRules("font-face", (rule) => rule.remove());
  sheet.walkRules((rule) => keepSelectors(rule, (selector) => !unoffered.test(selector)));
}

/** Rules whose classes no page names; `:not(.x)` holds without x, lists inside of `:where` and its like are kept. */
function dropUnnamed(sheet) {
  const named = (selector) =>
    (selector.replace(/:not\([^)]*\)/g, "").match(/\.[\w-]+/g) ?? []).every((name) => words.has(name.slice(1)));
  sheet.walkRules((rule) => {
    if (rule.parent.name === "keyframes" || /:(where|is|has)\([^)]*,/.test(rule.selector)) return;
    keepSelectors(rule, named);
  });
}

function keepSelectors(rule, wanted) {
  const kept = rule.selectors.filter(wanted);
  if (!kept.length) rule.remove();
  else if (kept.length < rule.selectors.length) rule.selectors = kept;
}

/** Custom properties nobody reads, until there are none, then what is left empty. */
function dropUnread(sheet, own) {
  for (let removed = 1; removed; ) {
    removed = 0;
    const read = new Set((sheet.toString() + own).match(/var\(\s*--[\w-]+/g).map((use) => use.slice(use.indexOf("--"))));
    sheet.walkDecls(/^--/, (declaration) => {
      if (!read.has(declaration.prop)) { declaration.remove(); removed++; }
    });
  }
  for (let removed = 1; removed; ) {
    removed = 0;
    sheet.walk((node) => {
      if (node.nodes && !node.nodes.length) { node.remove(); removed++; }
    });
  }
}

function styleSheet() {
  const own = text(`${SRC}portal.css`);
  const parts = ["patternfly-base.css", ...COMPONENTS.map((name) => `components/${name}.css`)];
  const sheet = postcss.parse(parts.map((part) => text(PATTERNFLY + part)).join("\n"));
  sheet.walkComments((comment) => comment.remove());
  dropUnoffered(sheet);
  dropUnnamed(sheet);
  dropUnread(sheet, own);
  const css = minified(`${sheet}\n${own}`, "css");
  // Hashed file names are put in by collectstatic, which fails late and obscurely where a file is missing.
  for (const [, address] of css.matchAll(/url\(["']?([^"')]+)/g)) {
    if (address !== "../dist/RedHatText.woff2") throw new Error(`portal.css refers to ${address}, which is not built`);
  }
  return css;
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
writeFileSync(`${DIST}portal.css`, styleSheet());
for (const name of ["portal.js", "session.js", "theme.js", "combobox.js", "forms.js"]) writeFileSync(DIST + name, minified(text(SRC + name), "js"));
for (const name of ["icons.svg", "mark.svg"]) writeFileSync(DIST + name, text(SRC + name).replace(/>\s+</g, "><").trim());
// What draws charts comes in two files of its own, which no page asks for before a chart is in view.
esbuild.buildSync({
  entryPoints: [`${SRC}chart.js`], outfile: `${DIST}chart.js`, bundle: true, format: "esm", minify: true, legalComments: "none",
});
writeFileSync(`${DIST}chart.css`, minified(`${text("node_modules/uplot/dist/uPlot.min.css")}\n${text(`${SRC}chart.css`)}`, "css"));
copyFileSync("node_modules/htmx.org/dist/htmx.min.js", `${DIST}htmx.js`);
copyFileSync(`${PATTERNFLY}assets/fonts/RedHatText/RedHatTextVF.woff2`, `${DIST}RedHatText.woff2`);

for (const name of readdirSync(DIST).sort()) {
  const content = readFileSync(DIST + name);
  const packed = name.endsWith(".woff2") ? content.length : gzipSync(content, { level: 9 }).length;
  console.log(`${name.padEnd(18)} ${String(content.length).padStart(8)} bytes, ${String(packed).padStart(7)} compressed`);
}
