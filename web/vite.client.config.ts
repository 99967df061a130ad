import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vite'

/** The client alone, as one module, beside the page that is built before it. */
export default defineConfig({
  publicDir: false,
  define: { __TOOLS__: 'false' },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: { entry: fileURLToPath(new URL('./src/rejoin/index.ts', import.meta.url)), formats: ['es'], fileName: 'rejoin' },
  },
})
