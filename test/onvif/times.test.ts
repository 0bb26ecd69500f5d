import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationMs } from '../../src/onvif/times.ts'

test('reads every xs:duration', () => {
  const cases = {
    PT0S: 0,
    PT2S: 2_000,
    'PT0.5S': 500,
    PT1M30S: 90_000,
    PT1H: 3_600_000,
    P1D: 86_400_000,
    P1DT1S: 86_401_000,
    P1M: 2_592_000_000,
    P1Y: 31_536_000_000,
    '-PT5S': -5_000,
  }
  for (const [text, ms] of Object.entries(cases)) assert.equal(durationMs(text), ms, text)
  for (const text of ['', 'P', 'PT', '5', 'PT5', '-P', 'P1S', 'PT1.S']) assert.equal(durationMs(text), undefined, text)
})
