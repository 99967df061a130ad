/** The languages that code is coloured for, each in a file of its own that is loaded when it is met. */

type Grammar = () => Promise<{ default: unknown }>

const bash: Grammar = () => import('shiki/langs/bash.mjs')
const javascript: Grammar = () => import('shiki/langs/javascript.mjs')
const typescript: Grammar = () => import('shiki/langs/typescript.mjs')
const python: Grammar = () => import('shiki/langs/python.mjs')
const yaml: Grammar = () => import('shiki/langs/yaml.mjs')
const markdown: Grammar = () => import('shiki/langs/markdown.mjs')
const docker: Grammar = () => import('shiki/langs/docker.mjs')
const cpp: Grammar = () => import('shiki/langs/cpp.mjs')
const csharp: Grammar = () => import('shiki/langs/csharp.mjs')
const rust: Grammar = () => import('shiki/langs/rust.mjs')
const ruby: Grammar = () => import('shiki/langs/ruby.mjs')
const kotlin: Grammar = () => import('shiki/langs/kotlin.mjs')
const make: Grammar = () => import('shiki/langs/make.mjs')

/** By every name that follows a fence. */
export const grammars: Record<string, Grammar | undefined> = {
  bash, sh: bash, shell: bash, zsh: bash, console: bash,
  javascript, js: javascript, mjs: javascript, cjs: javascript,
  typescript, ts: typescript,
  jsx: () => import('shiki/langs/jsx.mjs'),
  tsx: () => import('shiki/langs/tsx.mjs'),
  python, py: python, python3: python,
  json: () => import('shiki/langs/json.mjs'),
  jsonc: () => import('shiki/langs/jsonc.mjs'),
  yaml, yml: yaml,
  toml: () => import('shiki/langs/toml.mjs'),
  ini: () => import('shiki/langs/ini.mjs'),
  html: () => import('shiki/langs/html.mjs'),
  xml: () => import('shiki/langs/xml.mjs'),
  css: () => import('shiki/langs/css.mjs'),
  scss: () => import('shiki/langs/scss.mjs'),
  markdown, md: markdown,
  sql: () => import('shiki/langs/sql.mjs'),
  go: () => import('shiki/langs/go.mjs'),
  rust, rs: rust,
  c: () => import('shiki/langs/c.mjs'),
  cpp, 'c++': cpp,
  csharp, cs: csharp, 'c#': csharp,
  java: () => import('shiki/langs/java.mjs'),
  kotlin, kt: kotlin,
  swift: () => import('shiki/langs/swift.mjs'),
  ruby, rb: ruby,
  php: () => import('shiki/langs/php.mjs'),
  lua: () => import('shiki/langs/lua.mjs'),
  r: () => import('shiki/langs/r.mjs'),
  docker, dockerfile: docker,
  make, makefile: make,
  nginx: () => import('shiki/langs/nginx.mjs'),
  graphql: () => import('shiki/langs/graphql.mjs'),
  diff: () => import('shiki/langs/diff.mjs'),
  powershell: () => import('shiki/langs/powershell.mjs'),
}
