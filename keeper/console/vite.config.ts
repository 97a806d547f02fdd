import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** A classic script: browsers run no module from a file, and the page must open as plain files too. */
const asClassicScript: Plugin = {
  name: "classic-script",
  transformIndexHtml: { order: "post", handler: (html) => html.replace('<script type="module" crossorigin', "<script defer").replaceAll(" crossorigin", "") },
};

/** The script as `keeper serve` hands it out. */
const asGzip: Plugin = {
  name: "gzip",
  writeBundle: ({ dir }) => writeFileSync(`${dir}/console.js.gz`, gzipSync(readFileSync(`${dir}/console.js`), { level: 9 })),
};

export default defineConfig({
  base: "./",
  plugins: [asClassicScript, asGzip],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../target/console",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    // A picture in the style sheet would be a data: URL, which the policy forbids.
    assetsInlineLimit: 0,
    rolldownOptions: {
      // A script that is no module has no import.meta; what viem would load later is in the one file.
      transform: { define: { "import.meta": "{}" } },
      output: { format: "iife", entryFileNames: "console.js", assetFileNames: "console.[ext]" },
    },
  },
});
