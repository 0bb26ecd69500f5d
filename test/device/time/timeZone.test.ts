import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { offsetAt, parseTimeZone } from '../../../src/device/time/timeZone.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'

/** What ICU's zone database says that the clocks of `zone` show at `utc`, in seconds east of UTC. */
function offsetByIcu(zone: string) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (utc: Date): number => {
    const parts = new Map<string, number>(format.formatToParts(utc).map(({ type, value }) => [type, Number(value)]))
    const part = (name: string) => parts.get(name) ?? Number.NaN
    const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return (shown - Math.floor(utc.getTime() / 1000) * 1000) / 1000
  }
}

const zones: readonly [posix: string, name: string][] = [
  ['CET-1CEST,M3.5.0,M10.5.0/3', 'Europe/Berlin'],
  ['EST5EDT,M3.2.0,M11.1.0', 'America/New_York'],
  ['PST8PDT', 'America/Los_Angeles'],
  ['NZST-12NZDT,M9.5.0,M4.1.0/3', 'Pacific/Auckland'],
  ['AEST-10AEDT,M10.1.0,M4.1.0/3', 'Australia/Sydney'],
  ['<+1030>-10:30<+11>-11,M10.1.0,M4.1.0', 'Australia/Lord_Howe'],
  ['<+0330>-3:30', 'Asia/Tehran'],
  ['<+0545>-5:45', 'Asia/Kathmandu'],
  ['IST-1GMT0,M10.5.0,M3.5.0/1', 'Europe/Dublin'],
  ['IST-2IDT,M3.4.4/26,M10.5.0', 'Asia/Jerusalem'],
  ['<-02>2<-01>,M3.5.0/-1,M10.5.0/0', 'America/Nuuk'],
  ['<-04>4<-03>,M9.1.6/24,M4.1.6/24', 'America/Santiago'],
  ['UTC0', 'UTC'],
]

for (const [posix, name] of zones) {
  test(`${posix} shows what ICU says of ${name}, every half hour around each change of five years`, () => {
    const zone = parseTimeZone(posix)
    const byIcu = offsetByIcu(name)
    let changes = 0
    for (let day = Date.UTC(2024, 5, 1); day < Date.UTC(2029, 5, 1); day += 86_400_000) {
      if (byIcu(new Date(day)) === byIcu(new Date(day + 86_400_000))) {
        assert.equal(offsetAt(zone, new Date(day)).seconds, byIcu(new Date(day)), new Date(day).toISOString())
        continue
      }
      changes += 1
      for (let at = day - 1000; at < day + 86_400_000; at += 1_800_000) {
        for (const moment of [new Date(at), new Date(at + 1000)])
          assert.equal(offsetAt(zone, moment).seconds, byIcu(moment), moment.toISOString())
      }
    }
    assert.equal(changes, zone.daylight ? 10 : 0)
  })
}

test('days of the year count with and without February 29', () => {
  const daylightOn = (rule: string, day: string) => offsetAt(parseTimeZone(`STD0DST,${rule}/0,J365`), new Date(`${day}T00:00:00Z`)).daylight
  // J59 is February 28 and J60 March 1 in every year; day 59, counted from zero, is February 29 where there is one.
  assert.deepEqual(
    ['2028-02-27', '2028-02-28'].map(day => daylightOn('J59', day)),
    [false, true],
  )
  assert.deepEqual(
    ['2027-02-28', '2027-03-01', '2028-02-29', '2028-03-01'].map(day => daylightOn('J60', day)),
    [false, true, false, true],
  )
  assert.deepEqual(
    ['2027-02-28', '2027-03-01', '2028-02-28', '2028-02-29'].map(day => daylightOn('59', day)),
    [false, true, false, true],
  )
})

test('a zone may be in daylight saving time all the year', () => {
  const zone = parseTimeZone('EST5EDT,0/0,J365/25')
  for (let month = 0; month < 24; month += 1)
    assert.deepEqual(offsetAt(zone, new Date(Date.UTC(2027, month, 1))), { seconds: -4 * 3600, daylight: true })
  assert.equal(offsetAt(zone, new Date(Date.UTC(2028, 0, 1, 5))).daylight, true)
  assert.equal(offsetAt(zone, new Date(Date.UTC(2028, 0, 1, 4, 59, 59))).daylight, true)
})

const refused = [
  '',
  'UTC',
  'INVALIDTIMEZONE',
  'Europe/Berlin',
  ':Europe/Berlin',
  '/dev/random',
  '../../etc/passwd',
  'AB1',
  '<AB>1',
  '<A B>1',
  'A1C5',
  'EST25',
  'EST5:60',
  'EST5:00:60',
  'EST+-5',
  'EST5 ',
  ' EST5',
  'EST5\n',
  'EST5EDT,',
  'EST5EDT,M3.2.0',
  'EST5EDT,M3.2.0,M11.1.0,',
  'EST5EDT,M13.2.0,M11.1.0',
  'EST5EDT,M0.2.0,M11.1.0',
  'EST5EDT,M3.6.0,M11.1.0',
  'EST5EDT,M3.0.0,M11.1.0',
  'EST5EDT,M3.2.7,M11.1.0',
  'EST5EDT,J0,J365',
  'EST5EDT,J366,J1',
  'EST5EDT,366,1',
  'EST5EDT,M3.2.0/168,M11.1.0',
  'EST5EDT,M3.2.0/2:60,M11.1.0',
  'EST5EDTM3.2.0,M11.1.0',
  'EST5,M3.2.0,M11.1.0',
  'ÄST5',
  `${'A'.repeat(200)}5`,
]

test('what is not formed like a POSIX zone is refused as InvalidTimeZone', () => {
  for (const text of refused) {
    assert.throws(
      () => parseTimeZone(text),
      error => error instanceof SoapFault && error.subcodes.join() === 'InvalidArgVal,InvalidTimeZone',
      JSON.stringify(text),
    )
  }
})

test('any text is either a zone whose clocks run, or InvalidTimeZone', () => {
  const part = fc.constantFrom('EST', '<+03>', '5', '-1', ':30', 'EDT', ',', 'M3.2.0', 'J60', '59', '/', '2', '/-1', 'x', '\u0000')
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 12 }).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (zone, utc) => {
      try {
        const { seconds } = offsetAt(parseTimeZone(zone), utc)
        assert.ok(Number.isInteger(seconds) && Math.abs(seconds) <= 25 * 3600)
      } catch (error) {
        assert.ok(error instanceof SoapFault, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})
