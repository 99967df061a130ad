import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // The page may be served from any path.
  base: './',
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    // The content policy allows files of the origin, and no data: but images.
    assetsInlineLimit: 0,
  },
})
