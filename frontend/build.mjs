// Bundles the scripts and copies what is taken as it is. The output is committed; nobody needs node to run the portal.
import { copyFileSync, mkdirSync } from "node:fs";
import { build } from "esbuild";

const STATIC = new URL("../static/", import.meta.url).pathname;
const MODULES = new URL("./node_modules/", import.meta.url).pathname;
const SANS = `${MODULES}@fontsource-variable/ibm-plex-sans/files/`;
const COPIES = [
  [`${MODULES}htmx.org/dist/htmx.min.js`, `${STATIC}js/htmx.min.js`],
  ...["latin", "latin-ext", "cyrillic"].map((set) => [`${SANS}ibm-plex-sans-${set}-wght-normal.woff2`, `${STATIC}fonts/ibm-plex-sans-${set}-wght-normal.woff2`]),
  [`${MODULES}@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2`, `${STATIC}fonts/ibm-plex-mono-latin-400-normal.woff2`],
  [`${MODULES}axe-core/axe.min.js`, new URL("../tests/browser/axe.min.js", import.meta.url).pathname],
];

for (const folder of ["js", "fonts"]) mkdirSync(STATIC + folder, { recursive: true });
await build({
  entryPoints: ["theme", "app", "chart"].map((name) => new URL(`./js/${name}.js`, import.meta.url).pathname),
  outdir: `${STATIC}js`,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
});
for (const [from, to] of COPIES) copyFileSync(from, to);
