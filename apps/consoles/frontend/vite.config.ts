import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const source = fileURLToPath(new URL("./src", import.meta.url));

/** Every folder of src with a main.ts is a page's entry, named like the folder. */
const entries = readdirSync(source)
  .filter((name) => existsSync(`${source}/${name}/main.ts`))
  .sort();

export default defineConfig({
  plugins: [svelte()],
  base: "/static/consoles/build/",
  // Relative to the module that asks: the installation's STATIC_URL need not be known when this is built.
  experimental: { renderBuiltUrl: () => ({ relative: true }) },
  publicDir: false,
  resolve: {
    alias: { $lib: `${source}/lib`, $ui: `${source}/ui` },
    // Vitest would take Svelte's server half otherwise.
    ...(process.env.VITEST ? { conditions: ["browser"] } : {}),
  },
  build: {
    outDir: "../static/consoles/build",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
    rollupOptions: {
      input: Object.fromEntries(entries.map((name) => [name, `${source}/${name}/main.ts`])),
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "chunk-[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
