import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const server = process.env.ROOST_URL ?? 'http://127.0.0.1:8151'

/** Writes `X.gz` beside every text file of the build, so that the server need not compress. */
function precompress(): Plugin {
  let folder = ''
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir
    },
    closeBundle() {
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      for (const file of files.filter((name) => /\.(js|css|html|svg)$/.test(name))) {
        const path = join(folder, file)
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), precompress()],
  base: '/', // pages have deep links, such as /agents/NAME
  build: {
    outDir: '../src/roost/web/static',
    emptyOutDir: true,
    sourcemap: false,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
  // To the server, requests come from its own page: it refuses those of others.
  server: {
    proxy: Object.fromEntries(
      ['/api', '/login', '/ws'].map((path) => [
        path,
        { target: server, changeOrigin: true, headers: { origin: server }, ws: path === '/ws' },
      ]),
    ),
  },
})
