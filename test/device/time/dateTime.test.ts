import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from '../../../src/device/store.ts'
import { type CalendarTime, createDateTime } from '../../../src/device/time/dateTime.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import type { Clock, Network } from '../../../src/platform/platform.ts'

function setUp({ servers = [], ...more }: { servers?: readonly string[]; synchronize?: () => Promise<void> } = {}) {
  let now = new Date('2026-01-15T12:00:00Z')
  const clock: Clock = {
    now: () => now,
    monotonicMs: () => 0,
    after: () => () => {},
    set: async utc => {
      now = utc
    },
    ...more,
  }
  const told: Date[] = []
  const network: Pick<Network, 'ntp'> = { ntp: async () => ({ fromDHCP: false, servers }) }
  const synchronized = () => void told.push(now)
  return { subject: createDateTime({ store: openStore(':memory:'), clock, network, synchronized }), clock, told }
}

const manual = { source: 'Manual', daylightSavings: true } as const
const at = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0): CalendarTime => ({
  year,
  month,
  day,
  hour,
  minute,
  second,
})
const raises = (name: string) => (error: unknown) => error instanceof SoapFault && error.subcodes.join() === `InvalidArgVal,${name}`

test('the factory sets UTC, by hand', () => {
  const { subject } = setUp()
  const noon = at(2026, 1, 15, 12)
  assert.deepEqual(subject.read(), { source: 'Manual', timeZone: 'UTC0', utc: noon, local: noon, daylight: false })
})

test('local time and daylight saving follow the zone', async () => {
  const { subject } = setUp()
  await subject.set({ ...manual, timeZone: 'CET-1CEST,M3.5.0,M10.5.0/3' })
  assert.deepEqual([subject.read().local, subject.read().daylight], [at(2026, 1, 15, 13), false])
  await subject.set({ ...manual, utc: at(2026, 7, 1, 22, 30) })
  assert.deepEqual(
    [subject.read().utc, subject.read().local, subject.read().daylight],
    [at(2026, 7, 1, 22, 30), at(2026, 7, 2, 0, 30), true],
  )
})

test('with DaylightSavings false the daylight saving part of the zone is ignored', async () => {
  const { subject } = setUp()
  await subject.set({ ...manual, daylightSavings: false, timeZone: 'CET-1CEST,M3.5.0,M10.5.0/3', utc: at(2026, 7, 1, 12) })
  assert.deepEqual([subject.read().local, subject.read().daylight], [at(2026, 7, 1, 13), false])
})

test('what is left out stays as it is', async () => {
  const { subject } = setUp()
  await subject.set({ ...manual, timeZone: 'NZST-12NZDT,M9.5.0,M4.1.0/3', utc: at(2026, 3, 1) })
  await subject.set(manual)
  assert.deepEqual([subject.read().timeZone, subject.read().utc], ['NZST-12NZDT,M9.5.0,M4.1.0/3', at(2026, 3, 1)])
})

test('NTP needs a server, and then takes no time from the client', async () => {
  const without = setUp()
  await assert.rejects(without.subject.set({ source: 'NTP', daylightSavings: false, timeZone: 'EST5' }), raises('NtpServerUndefined'))
  assert.deepEqual([without.subject.read().source, without.subject.read().timeZone], ['Manual', 'UTC0'])
  const { subject } = setUp({ servers: ['time.example.org'] })
  await subject.set({ source: 'NTP', daylightSavings: false, utc: at(1999, 13, 1) })
  assert.deepEqual([subject.read().source, subject.read().utc], ['NTP', at(2026, 1, 15, 12)])
})

test('a zone that is none changes nothing', async () => {
  const { subject } = setUp()
  await assert.rejects(subject.set({ ...manual, timeZone: 'Europe/Berlin', utc: at(2027, 1, 1) }), raises('InvalidTimeZone'))
  assert.deepEqual(subject.read().utc, at(2026, 1, 15, 12))
})

const impossible = [
  at(2026, 2, 29),
  at(2026, 13, 1),
  at(2026, 0, 1),
  at(2026, 1, 0),
  at(2026, 4, 31),
  at(2026, 1, 1, 24),
  at(2026, 1, 1, 8760),
  at(2026, 1, 1, -1),
  at(2026, 1, 1, 0, 60),
  at(2026, 1, 1, 0, -1),
  at(2026, 1, 1, 0, 0, 61),
  at(2026, 1, 1, 0, 0, -1),
  at(1969, 12, 31),
  at(10000, 1, 1),
  at(99, 1, 1),
  at(2 ** 31 - 1, 1, 1),
  at(2026, 2 ** 31 - 1, -(2 ** 31)),
]

test('a day or time that does not exist is refused and changes nothing', async () => {
  const { subject } = setUp()
  for (const utc of impossible)
    await assert.rejects(subject.set({ ...manual, timeZone: 'EST5', utc }), raises('InvalidDateTime'), JSON.stringify(utc))
  assert.deepEqual([subject.read().timeZone, subject.read().utc], ['UTC0', at(2026, 1, 15, 12)])
})

test('February 29 exists where it does, and a leap second is the second after it', async () => {
  const { subject } = setUp()
  await subject.set({ ...manual, utc: at(2028, 2, 29, 23, 59, 59) })
  assert.deepEqual(subject.read().utc, at(2028, 2, 29, 23, 59, 59))
  await subject.set({ ...manual, utc: at(2028, 12, 31, 23, 59, 60) })
  assert.deepEqual(subject.read().utc, at(2029, 1, 1))
})

test('a clock that was told the time is told of: by a client, or by time servers where there are any', async () => {
  const { subject, told } = setUp({ servers: ['192.0.2.1'], synchronize: async () => {} })
  await subject.set({ ...manual, timeZone: 'UTC0' })
  await assert.rejects(subject.set({ ...manual, utc: at(2026, 2, 30) }), raises('InvalidDateTime'))
  assert.deepEqual(told, [], 'nothing was set')
  await subject.set({ ...manual, utc: at(2026, 5, 1) })
  assert.deepEqual(told, [new Date('2026-05-01T00:00:00Z')])
  await subject.set({ ...manual, source: 'NTP' })
  assert.equal(told.length, 2)

  const alone = setUp({ servers: ['192.0.2.1'] })
  await alone.subject.set({ ...manual, source: 'NTP', utc: at(2026, 5, 1) })
  assert.deepEqual(alone.told, [], 'this machine asks no time server')
})
