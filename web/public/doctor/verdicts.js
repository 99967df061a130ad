// What was seen becomes findings. Pure, and by the same measures as deploy/doctor/verdicts.py.

import { BUFFERING, CLOCK, COMPRESSION, DOCTOR_ON, HTTP_2, IDLE } from './mends.js'

const LATE_MS = 1000
const SKEW_MS = 2000
const finding = (check, state, seen, mends = []) => ({ check, state, seen, mends })

export function off(name, status) {
  return finding(`doctor of ${name}`, 'problem', `it gave no report (${status}): it is off, or the path leads elsewhere`, DOCTOR_ON)
}

export function buffering({ beacons, cause, lastedS, status }) {
  if (status === 429) return finding('buffering', 'unchecked', 'others examine it at this moment; try again')
  if (beacons.length < 2) {
    const seen = `${beacons.length} beacons came within ${lastedS.toFixed(1)} s ${cause}`
    return finding('buffering', 'problem', seen, BUFFERING)
  }
  const took = beacons.map(({ sentMs, hereMs }) => hereMs - sentMs)
  const late = Math.max(...took) - Math.min(...took)
  const pairs = beacons.slice(1).map((after, at) => [beacons[at], after])
  const clumps = pairs.filter(([one, after]) => after.hereMs - one.hereMs < (after.sentMs - one.sentMs) / 4).length
  const seen = `of ${beacons.length} beacons ${clumps} came together with the one before; the latest was ${late.toFixed(0)} ms late`
  if (clumps >= pairs.length / 2) return finding('buffering', 'problem', seen, BUFFERING)
  return finding('buffering', late > LATE_MS ? 'warning' : 'ok', seen)
}

export function compression({ encoding, status }) {
  if (status !== 200) return finding('compression', 'unchecked', `the stream of beacons came as ${status}`)
  if (!encoding) return finding('compression', 'ok', 'none')
  return finding('compression', 'problem', `the stream is compressed (${encoding}): words wait in the compressor`, COMPRESSION)
}

export function eventSource({ count, whole }) {
  const seen = `${count} beacons came by EventSource${whole ? '' : ', and then it broke'}`
  return finding('EventSource', whole ? 'ok' : 'problem', seen, whole ? [] : BUFFERING)
}

export function protocol(name, hostname) {
  if (name === 'h2' || name === 'h3') return finding('protocol', 'ok', `${name}: any number of tabs on one connection`)
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    return finding('protocol', 'unchecked', `${name || 'unknown'}: this machine itself; HTTP/2 needs TLS`)
  }
  const seen = `${name || 'unknown'}: six connections at most, the seventh conversation waits for ever`
  return finding('protocol', 'warning', seen, HTTP_2)
}

export function idle({ lastedS, silentS, status, whole }, pingS) {
  if (status !== 200) return finding('idle cut-off', 'unchecked', `the stream of beacons came as ${status}`)
  if (whole) return finding('idle cut-off', 'ok', `a stream stood for ${lastedS.toFixed(1)} s with a sign of life every ${pingS} s`)
  const seen = `a stream is cut after ${silentS.toFixed(1)} s of silence; a sign of life comes every ${pingS} s`
  const often = { where: 'environment of consume-stream', line: `REJOIN_PING_S=${Math.max(0.5, silentS / 2).toFixed(1)}` }
  return finding('idle cut-off', 'problem', seen, [...IDLE, often])
}

export function clock(name, nowMs, askedMs, answeredMs) {
  const ahead = nowMs - answeredMs
  const seen = `${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} this browser's`
  const wrong = Math.abs(ahead) > SKEW_MS + (answeredMs - askedMs)
  return finding(`clock of ${name}`, wrong ? 'warning' : 'ok', seen, wrong ? CLOCK : [])
}
