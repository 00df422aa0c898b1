import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { ProxyOptions } from 'vite'
import { defineConfig } from 'vitest/config'

/**
 * `make dev`: what the pages ask for goes to a running `tracebook serve`, whose URL is given. The server keeps its
 * checks: it wants its key, and only the dev server's own origin is presented as the server's.
 */
function proxy(url: string | undefined): Record<string, ProxyOptions> | undefined {
  if (!url) return undefined
  const target = new URL(url).origin
  const options: ProxyOptions = {
    target,
    changeOrigin: true,
    configure: (server) => {
      server.on('proxyReq', (outgoing, incoming) => {
        if (incoming.headers.origin === `http://${incoming.headers.host}`)
          outgoing.setHeader('origin', target)
      })
    },
  }
  return { '^/(rpc$|(events|session)\\b|(card|live|livecard)/)': options }
}

export default defineConfig({
  plugins: [svelte()],
  // Both hosts serve the files from the root of their own origin.
  base: '/',
  build: {
    target: 'safari16',
    outDir: 'dist',
    emptyOutDir: true,
    // A strict content policy allows no inline scripts and no data: URIs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  server: { port: 1420, strictPort: true, proxy: proxy(process.env.TRACEBOOK_URL) },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    include: ['src/**/*.test.ts'],
    // The suite runs beside compilers; a test that needs seconds alone needs many of them then.
    testTimeout: 60_000,
    // Records, or checks what is recorded, against a real `tracebook serve`.
    ...(process.env.TRACEBOOK_RECORD && {
      globalSetup: 'src/test/recorder/setup.ts',
      // Recording is serial, so that a busy machine does not delay events; checking has to be fast.
      maxWorkers: process.env.TRACEBOOK_RECORD === 'check' ? 4 : 1,
      testTimeout: 120_000,
    }),
  },
})
