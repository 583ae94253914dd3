import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

/** Where `vite` finds a relay while developing: `tidemark serve` with its default port. */
const DEV_RELAY = 'http://localhost:8787'

export default defineConfig(({ command }) => ({
  resolve: {
    // While developing, changes in the packages' sources show at once; a build uses what they publish.
    conditions: [...(command === 'serve' ? ['@tidemark/source'] : []), ...defaultClientConditions],
    // A second copy of Yjs breaks `instanceof` and loses updates.
    dedupe: ['yjs', 'lib0', 'react', 'react-dom'],
  },
  build: {
    // One file: a page that stays open while a new version replaces the cached one never misses a part.
    chunkSizeWarningLimit: 700,
    // The first versions that have all of light-dark(), oklch() and Popover.
    target: ['chrome123', 'edge123', 'firefox125', 'safari17.5'],
  },
  server: {
    proxy: {
      // The socket is on the page's own origin, as it is in production. Everything else is Vite's.
      '^/$': {
        target: DEV_RELAY,
        ws: true,
        bypass: (request, response) => response && request.url,
      },
    },
  },
  plugins: [
    react(),
    VitePWA({
      registerType: 'autoUpdate',
      injectRegister: 'script-defer',
      manifest: {
        name: 'Bookmarks',
        short_name: 'Bookmarks',
        description: 'Bookmarks that work offline and sync.',
        display: 'standalone',
        start_url: '/',
        background_color: '#faf9f7',
        theme_color: '#faf9f7',
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
          {
            src: '/icon-maskable-512.png',
            sizes: '512x512',
            type: 'image/png',
            purpose: 'maskable',
          },
        ],
      },
      workbox: {
        // The manifest and its icons come by themselves.
        globPatterns: ['**/*.{html,js,css,svg}', 'icon-180.png'],
        // The first visit already survives a reload without a network; a new version serves the next one.
        clientsClaim: true,
        skipWaiting: true,
        navigateFallback: '/index.html',
        // The relay's own pages are never answered from the cache.
        navigateFallbackDenylist: [/^\/(health|ready|metrics|blobs|inspector|yjs)\b/],
        cleanupOutdatedCaches: true,
      },
    }),
  ],
}))
