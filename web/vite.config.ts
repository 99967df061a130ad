import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const own = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [react()],
  define: { __TOOLS__: 'true' },
  // The page may be served from any path.
  base: './',
  resolve: {
    // Parts of the Markdown renderer that weigh more than they do here.
    alias: { 'rehype-raw': own('./src/answer/html.ts'), 'tailwind-merge': own('./src/answer/classes.ts') },
  },
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    // The content policy allows files of the origin, and no data: but images.
    assetsInlineLimit: 0,
    // The largest is the grammar of C++, which is loaded when there is some.
    chunkSizeWarningLimit: 900,
  },
})
