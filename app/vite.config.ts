import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** Where `vite dev` finds a relay; the built app asks the address that it was served from. */
const relay = process.env["SAMPAI_RELAY"] ?? "http://127.0.0.1:8787";

export default defineConfig({
  root: import.meta.dirname,
  build: {
    target: "es2022",
    // Nothing is inlined as data: or as a script, so that a strict content security policy holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_048,
    sourcemap: false,
  },
  server: {
    proxy: {
      "/v1": { target: relay, ws: true },
      "/files": relay,
      "/healthz": relay,
    },
  },
  plugins: [
    react(),
    VitePWA({
      // A new version waits until the person says so: no reload in the middle of a visit.
      registerType: "prompt",
      injectRegister: null,
      includeAssets: ["icon.svg", "icon-192.png", "icon-512.png"],
      manifest: {
        name: "Sampai",
        short_name: "Sampai",
        description: "Visits, orders and store masters that work without signal.",
        start_url: "/",
        display: "standalone",
        background_color: "#f6f4ee",
        theme_color: "#0f3d3e",
        icons: [
          { src: "/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icon-512.png", sizes: "512x512", type: "image/png", purpose: "any" },
          { src: "/icon.svg", sizes: "any", type: "image/svg+xml" },
        ],
      },
      workbox: {
        // The first load is under control at once, so that the next reload may be offline.
        clientsClaim: true,
        globPatterns: ["**/*.{js,css,html,wasm,svg,png,webmanifest}"],
        // Automerge's WebAssembly is 3.6 MB.
        maximumFileSizeToCacheInBytes: 6 * 2 ** 20,
        navigateFallback: "/index.html",
        navigateFallbackDenylist: [/^\/v1\//, /^\/files\//, /^\/healthz/],
      },
    }),
  ],
});
