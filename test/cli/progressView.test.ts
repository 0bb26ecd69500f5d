import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createProgressView } from '../../src/cli/progressView.ts'
import { inBytes, inSeconds, oneLine } from '../../src/cli/text.ts'

function shown(isTTY: boolean, act: (view: ReturnType<typeof createProgressView>) => void): string {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 })
  const view = createProgressView(stream)
  act(view)
  view.end()
  return String(stream.read() ?? '')
}

test('a terminal gets a bar with speed and time left, then what the device does', () => {
  const text = shown(true, view => {
    view.show({ phase: 'delay', delayMs: 3_000 })
    view.show({ phase: 'upload', sentBytes: 0, totalBytes: 2_000_000 })
    view.show({ phase: 'upload', sentBytes: 1_000_000, totalBytes: 2_000_000 })
    view.show({ phase: 'upload', sentBytes: 2_000_000, totalBytes: 2_000_000 })
    view.show({ phase: 'install' })
    view.show({ phase: 'reboot', expectedMs: 65_000 })
  })
  assert.match(text, /^The device gets ready: 3 s\n/)
  assert.match(text, /█+ 100% \| 2\.0 MB of 2\.0 MB \| [\d.]+ [KMG]B\/s \| 0 s left/)
  assert.match(text, /Accepted; the device restarts, which takes about 1 min 05 s\n$/)
})

test('a pipe gets a line for each tenth, and begins anew when the upload does', () => {
  const text = shown(false, view => {
    for (const end of [500, 1_000])
      for (let sentBytes = 0; sentBytes <= end; sentBytes++) view.show({ phase: 'upload', sentBytes, totalBytes: 1_000 })
  })
  assert.deepEqual(
    text.split('\n').map(line => /begins|\d+%/.exec(line)?.[0]),
    ['begins', '10%', '20%', '30%', '40%', '50%', 'begins', ...Array.from({ length: 10 }, (_, index) => `${index + 1}0%`), undefined],
  )
})

test('an upload that goes on goes on from where it was, in a pipe and on a terminal', () => {
  for (const isTTY of [false, true]) {
    const text = shown(isTTY, view => {
      view.show({ phase: 'upload', sentBytes: 0, totalBytes: 2_000_000 })
      view.show({ phase: 'upload', sentBytes: 1_500_000, totalBytes: 2_000_000 })
      view.show({ phase: 'resume', firstByte: 1_000_000 })
      view.show({ phase: 'upload', sentBytes: 1_000_000, totalBytes: 2_000_000 })
      view.show({ phase: 'upload', sentBytes: 2_000_000, totalBytes: 2_000_000 })
    })
    const [, after = ''] = text.split('The connection broke; going on after 1.0 MB\n')
    assert.match(after, /1\.0 MB of 2\.0 MB/)
    assert.match(after, /2\.0 MB of 2\.0 MB/)
    assert.doesNotMatch(after, /begins|\b0 B of|-\d/)
  }
})

test('numbers are written for people', () => {
  assert.deepEqual([0, 999, 1_000, 33_558_016, 4_300_000_000].map(inBytes), ['0 B', '999 B', '1.0 KB', '33.6 MB', '4.3 GB'])
  assert.deepEqual([0, 59_400, 60_000, 125_000].map(inSeconds), ['0 s', '59 s', '1 min 00 s', '2 min 05 s'])
})

test('what a device says becomes one line that cannot steer the terminal', () => {
  assert.equal(oneLine('a\u001b[31m\nb\u0007\u009b1m\u202ec'), 'a [31m b 1m c')
  assert.equal(oneLine('x'.repeat(600)).length, 500)
})
