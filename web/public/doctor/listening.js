// A stream of beacons as this browser gets it: by fetch, with the time of each, and by EventSource.

const BEACONS = '/api/consume-stream/doctor/beacons'
const GRACE_MS = 3000

const path = (seconds, everyS) => `${BEACONS}?seconds=${seconds}&every=${everyS}`

export async function listen(seconds, everyS) {
  const heard = { status: 0, encoding: '', beacons: [], whole: false, lastedS: 0, silentS: 0, cause: '' }
  const begun = performance.now()
  let lastAt = begun
  try {
    const signal = AbortSignal.timeout(seconds * 1000 + GRACE_MS)
    const response = await fetch(path(seconds, everyS), { cache: 'no-store', signal })
    heard.status = response.status
    heard.encoding = response.headers.get('content-encoding') ?? ''
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let of = 0
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      lastAt = performance.now()
      const lines = (rest + value).split('\n')
      rest = lines.pop()
      for (const line of lines.filter((each) => each.startsWith('data: '))) {
        const { atMs, of: count } = JSON.parse(line.slice(6))
        of = count
        heard.beacons.push({ sentMs: atMs, hereMs: performance.timeOrigin + lastAt })
      }
    }
    heard.whole = of > 0 && of === heard.beacons.length
  } catch (error) {
    heard.cause = String(error)
  }
  heard.lastedS = (performance.now() - begun) / 1000
  heard.silentS = (performance.now() - lastAt) / 1000
  return heard
}

export function hear(seconds, everyS) {
  return new Promise((resolve) => {
    const source = new EventSource(path(seconds, everyS))
    let count = 0
    const end = (whole) => {
      clearTimeout(overdue)
      source.close()
      resolve({ count, whole })
    }
    const overdue = setTimeout(() => end(false), seconds * 1000 + GRACE_MS)
    source.onerror = () => end(false)
    source.onmessage = ({ data }) => {
      count += 1
      // Before its end, which would make it come back.
      if (count === JSON.parse(data).of) end(true)
    }
  })
}
