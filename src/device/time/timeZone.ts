import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'

/** When clocks change: a day of the year, and the seconds after its midnight in the local time that ends then. */
type Rule =
  | { readonly form: 'J'; readonly day: number; readonly seconds: number }
  | { readonly form: 'n'; readonly day: number; readonly seconds: number }
  | { readonly form: 'M'; readonly month: number; readonly week: number; readonly weekday: number; readonly seconds: number }

interface Daylight {
  readonly name: string
  /** Seconds east of UTC. */
  readonly offset: number
  readonly begins: Rule
  readonly ends: Rule
}

/** A time zone as IEEE 1003.1 section 8.3 writes it, for example `CET-1CEST,M3.5.0,M10.5.0/3`. */
export interface PosixTimeZone {
  readonly text: string
  readonly name: string
  /** Seconds east of UTC: the opposite sign of the text. */
  readonly offset: number
  readonly daylight: Daylight | undefined
}

/** What 1003.1 leaves to the system when a zone has daylight saving but no rule: the rule of the United States, as glibc and musl read it. */
const ruleWithoutText = ',M3.2.0,M11.1.0'

/** Text to zone by the grammar alone: no zone database, no file name, nothing of it is ever a path. Throws InvalidTimeZone. */
export function parseTimeZone(text: string): PosixTimeZone {
  if (text.length > limits.timeZoneCharactersMax) throw invalid(text)
  const scanner = createScanner(text)
  const name = scanner.name()
  const offset = 0 - scanner.hours(24)
  if (scanner.atEnd()) return { text, name, offset, daylight: undefined }

  const daylightName = scanner.name()
  const daylightOffset = scanner.atEnd() || scanner.next(',') ? offset + 3600 : 0 - scanner.hours(24)
  const rules = scanner.atEnd() ? createScanner(ruleWithoutText) : scanner
  const begins = rules.rule()
  const ends = rules.rule()
  if (!rules.atEnd()) throw invalid(text)
  return { text, name, offset, daylight: { name: daylightName, offset: daylightOffset, begins, ends } }
}

/** What the clocks of the zone show at `utc`: seconds east of UTC, and whether that is daylight saving time. */
export function offsetAt(zone: PosixTimeZone, utc: Date): { readonly seconds: number; readonly daylight: boolean } {
  const { daylight, offset } = zone
  if (!daylight) return { seconds: offset, daylight: false }
  const now = utc.getTime()
  const year = new Date(now + offset * 1000).getUTCFullYear()
  // The change before now may lie in the year before, or, with a rule beyond midnight, be written down for the next one.
  // Where two fall together the beginning wins, being listed last: so a zone says that it is daylight saving time all year.
  const changes = [year - 1, year, year + 1]
    .flatMap(at => [
      { at: moment(daylight.ends, at, daylight.offset), daylight: false },
      { at: moment(daylight.begins, at, offset), daylight: true },
    ])
    .sort((a, b) => a.at - b.at)
  const inForce = changes.findLast(change => change.at <= now)?.daylight ?? false
  return { seconds: inForce ? daylight.offset : offset, daylight: inForce }
}

const dayMs = 86_400_000

/** The UTC milliseconds at which `rule` falls in `year`, where clocks show `offset` seconds east of UTC until then. */
function moment(rule: Rule, year: number, offset: number): number {
  return firstDay(rule, year) + (rule.seconds - offset) * 1000
}

function firstDay(rule: Rule, year: number): number {
  const newYear = Date.UTC(year, 0, 1)
  if (rule.form === 'n') return newYear + rule.day * dayMs
  // Jn never counts February 29: from March on the day lies one later in a leap year.
  if (rule.form === 'J') return newYear + (rule.day - 1 + (rule.day >= 60 && isLeapYear(year) ? 1 : 0)) * dayMs
  const first = Date.UTC(year, rule.month - 1, 1)
  const toWeekday = (rule.weekday - new Date(first).getUTCDay() + 7) % 7
  const day = first + (toWeekday + (rule.week - 1) * 7) * dayMs
  // Week 5 is the last one, be it the fourth or the fifth.
  return new Date(day).getUTCMonth() === rule.month - 1 ? day : day - 7 * dayMs
}

const isLeapYear = (year: number): boolean => new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1

const invalid = (text: string) =>
  fault('InvalidTimeZone', `${JSON.stringify(text.slice(0, 100))} is not a POSIX time zone (IEEE 1003.1, 8.3)`)

/** Reads the parts of a zone one after the other; each throws InvalidTimeZone where the text goes on otherwise. */
function createScanner(text: string) {
  let position = 0

  function take(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = position
    const match = pattern.exec(text)
    if (!match) throw invalid(text)
    position = pattern.lastIndex
    return match
  }

  function within(value: number, min: number, max: number): number {
    if (value < min || value > max) throw invalid(text)
    return value
  }

  /** `[+-]hh[:mm[:ss]]` in seconds; positive is west for an offset, and late for a rule. */
  function hours(max: number): number {
    const [, sign, hour, minute, second] = take(/([+-]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?/y)
    const seconds = within(Number(hour), 0, max) * 3600 + within(Number(minute ?? 0), 0, 59) * 60 + within(Number(second ?? 0), 0, 59)
    return sign === '-' ? 0 - seconds : seconds
  }

  /** `/hh[:mm[:ss]]`; two o'clock where it is left out. 1003.1-2024 lets it lie up to a week away, as Greenland and Israel need. */
  function timeOfChange(): number {
    if (text[position] !== '/') return 7200
    position += 1
    return hours(167)
  }

  return {
    atEnd: () => position === text.length,
    next: (character: string) => text[position] === character,

    name(): string {
      const [, quoted, plain] = take(/<([A-Za-z0-9+-]{3,})>|([A-Za-z]{3,})/y)
      return quoted ?? plain ?? ''
    },

    hours,

    rule(): Rule {
      const [, julian, zeroBased, month, week, weekday] = take(/,(?:J(\d{1,3})|(\d{1,3})|M(\d{1,2})\.(\d)\.(\d))/y)
      const seconds = timeOfChange()
      if (julian !== undefined) return { form: 'J', day: within(Number(julian), 1, 365), seconds }
      if (zeroBased !== undefined) return { form: 'n', day: within(Number(zeroBased), 0, 365), seconds }
      return {
        form: 'M',
        month: within(Number(month), 1, 12),
        week: within(Number(week), 1, 5),
        weekday: within(Number(weekday), 0, 6),
        seconds,
      }
    },
  }
}
