import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vite'

const entry = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The client alone, and what a chat of the AI SDK wants: a module each, beside the page that is built before them. */
export default defineConfig({
  publicDir: false,
  define: { __TOOLS__: 'false' },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: {
      entry: { rejoin: entry('./src/rejoin/index.ts'), 'rejoin-chat': entry('./src/rejoin-chat/index.ts') },
      formats: ['es'],
    },
  },
})
