// Builds the page into ../dist. The same sources and packages give the same bytes.
import * as esbuild from 'esbuild'
import { cpSync, mkdirSync, rmSync } from 'node:fs'

const out = process.env.OUT ?? new URL('../dist/', import.meta.url).pathname
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
cpSync(new URL('src/index.html', import.meta.url), out + 'index.html')
cpSync(new URL('src/icon.svg', import.meta.url), out + 'icon.svg')

const options = {
  entryPoints: [new URL('src/main.tsx', import.meta.url).pathname],
  outdir: out,
  entryNames: '[name]',
  chunkNames: 'part-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  legalComments: 'linked',
  logLevel: 'warning',
}
if (process.argv.includes('--watch')) {
  await (await esbuild.context(options)).watch()
} else {
  await esbuild.build(options)
}
