// The page: runs the browser's half of the examination, and shows what the services report.

import { hear, listen } from './listening.js'
import * as verdicts from './verdicts.js'

const LIVE_S = 4
const EVERY_S = 0.2
const BEYOND_PING_S = 2
const SERVICES = { 'consume-stream': '/api/consume-stream/doctor', 'generate-stream': '/api/generate-stream/doctor' }
const STATES = { ok: ['✓', 'well'], warning: ['!', 'warning'], problem: ['✗', 'problem'], unchecked: ['–', 'not checked'] }

const FIRST = ['problem', 'warning', 'unchecked', 'ok']

const byId = (id) => document.getElementById(id)
const states = []

function element(name, ...children) {
  const made = document.createElement(name)
  made.append(...children)
  return made
}

function show(list, { check, state, seen, mends }) {
  const [mark, word] = STATES[state]
  const item = element('li', element('h3', `${mark} ${check} `, element('span', word)), element('p', seen))
  item.className = 'finding'
  item.dataset.state = state
  item.dataset.check = check
  if (mends.length) {
    item.append(element('dl', ...mends.flatMap(({ where, line }) => [element('dt', where), element('dd', element('code', line))])))
  }
  const rank = FIRST.indexOf(state)
  const after = [...byId(list).children].find((other) => FIRST.indexOf(other.dataset.state) > rank)
  byId(list).insertBefore(item, after ?? null)
  states.push(state)
}

async function report(name, path) {
  const askedMs = Date.now()
  let status = 0
  let body = null
  try {
    const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(10_000) })
    status = response.status
    const told = await response.json()
    // A page that answers every path with itself also says 200.
    if (response.ok && told.findings) body = told
  } catch {
    // Without a report there is no more to say than that.
  }
  if (!body) {
    show('services', verdicts.off(name, status))
  } else {
    show('browser', verdicts.clock(name, body.nowMs, askedMs, Date.now()))
  }
  return body
}

/** What the services say of Redis; what both say alike once. */
function showServices(reports) {
  const saidBy = new Map()
  for (const { service, findings } of reports) {
    for (const finding of findings) {
      const said = JSON.stringify(finding)
      saidBy.set(said, [...(saidBy.get(said) ?? []), service])
    }
  }
  for (const [said, by] of saidBy) {
    const finding = JSON.parse(said)
    show('services', { ...finding, check: by.length > 1 ? finding.check : `${finding.check} (${by[0]})` })
  }
}

async function stream(pingS) {
  const quietS = pingS + BEYOND_PING_S
  await Promise.all([
    listen(LIVE_S, EVERY_S).then((heard) => {
      show('browser', verdicts.buffering(heard))
      show('browser', verdicts.compression(heard))
      const entry = performance.getEntriesByType('resource').findLast(({ name }) => name.includes('/doctor/beacons'))
      show('browser', verdicts.protocol(entry?.nextHopProtocol ?? '', location.hostname))
    }),
    hear(1, EVERY_S).then((heard) => show('browser', verdicts.eventSource(heard))),
    listen(quietS, quietS).then((heard) => show('browser', verdicts.idle(heard, pingS))),
  ])
}

function tell() {
  const count = (state) => states.filter((each) => each === state).length
  const [problems, warnings] = [count('problem'), count('warning')]
  const plural = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`
  if (!problems && !warnings) return 'Nothing is wrong.'
  return `Found: ${plural(problems, 'problem')}, ${plural(warnings, 'warning')}.`
}

async function examine() {
  byId('again').disabled = true
  states.length = 0
  byId('browser').replaceChildren()
  byId('services').replaceChildren()
  byId('status').textContent = 'Examining …'
  performance.clearResourceTimings()
  const reports = await Promise.all(Object.entries(SERVICES).map(([name, path]) => report(name, path)))
  showServices(reports.filter(Boolean))
  const [consume] = reports
  if (consume) {
    byId('status').textContent = `Listening for ${consume.pingS + BEYOND_PING_S} s …`
    await stream(consume.pingS)
  }
  byId('status').textContent = tell()
  byId('again').disabled = false
}

byId('again').addEventListener('click', examine)
examine()
