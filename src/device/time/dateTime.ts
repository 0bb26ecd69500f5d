import { fault } from '../../onvif/faults.ts'
import type { Clock, Network } from '../../platform/platform.ts'
import type { Store } from '../store.ts'
import { offsetAt, type PosixTimeZone, parseTimeZone } from './timeZone.ts'

export type TimeSource = 'Manual' | 'NTP'

/** A day and a time of day as a calendar and a clock show them; `month` counts from 1. */
export interface CalendarTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

interface Settings {
  readonly source: TimeSource
  /** Whether the daylight saving part of the zone is followed. */
  readonly daylightSavings: boolean
  readonly timeZone: string
}

const factory: Settings = { source: 'Manual', daylightSavings: true, timeZone: 'UTC0' }

export type DateTime = ReturnType<typeof createDateTime>

/** How the device tells the time (Core 8.3.6, 8.3.7). The time itself belongs to the clock of the platform. */
export function createDateTime({
  store,
  clock,
  network,
  synchronized = () => {},
}: {
  readonly store: Store
  readonly clock: Clock
  readonly network: Pick<Network, 'ntp'>
  /** Told when the clock has been set by a client, or by the time servers that it was told to follow. */
  readonly synchronized?: () => void
}) {
  const settings = store.document<Settings>('dateTime', parseSettings, () => factory)
  let zone: PosixTimeZone | undefined

  /** Parsed once: GetSystemDateAndTime is what every client asks first, and often. */
  function zoneOf(text: string): PosixTimeZone {
    if (zone?.text !== text) zone = parseTimeZone(text)
    return zone
  }

  return {
    read() {
      const { source, daylightSavings, timeZone } = settings.get()
      const now = clock.now()
      const { offset } = zoneOf(timeZone)
      const { seconds, daylight } = daylightSavings ? offsetAt(zoneOf(timeZone), now) : { seconds: offset, daylight: false }
      return { source, timeZone, utc: calendarTime(now), local: calendarTime(new Date(now.getTime() + seconds * 1000)), daylight }
    },

    /**
     * What is not given stays as it is (Core 5.5); with NTP the given time means nothing.
     * Throws InvalidTimeZone, InvalidDateTime, NtpServerUndefined, and then nothing has changed.
     */
    async set(wanted: {
      source: TimeSource
      daylightSavings: boolean
      timeZone?: string | undefined
      utc?: CalendarTime | undefined
    }): Promise<void> {
      const { source, daylightSavings, timeZone = settings.get().timeZone } = wanted
      parseTimeZone(timeZone)
      const utc = source === 'Manual' && wanted.utc ? instant(wanted.utc) : undefined
      if (source === 'NTP' && (await network.ntp()).servers.length === 0) throw fault('NtpServerUndefined', 'no NTP server is defined')
      settings.set({ source, daylightSavings, timeZone })
      if (utc) await clock.set(utc)
      if (source === 'NTP') await clock.synchronize?.()
      if (utc || (source === 'NTP' && clock.synchronize)) synchronized()
    },
  }
}

/** The moment, or InvalidDateTime for a day or time that does not exist. */
function instant(time: CalendarTime): Date {
  const { year, month, day, hour, minute, second } = time
  // Second 60 is a leap second, which this clock does not know: it shows the one that follows, as POSIX does.
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59)))
  const shown = calendarTime(date)
  const exists = shown.month === month && shown.day === day && shown.hour === hour && shown.minute === minute && second >= 0 && second <= 60
  // Four digits and not before the epoch: what every certificate, log and file system can write down.
  if (!exists || year < 1970 || year > 9999)
    throw fault('InvalidDateTime', `${year}-${month}-${day} ${hour}:${minute}:${second} is no date and time`)
  return second === 60 ? new Date(date.getTime() + 1000) : date
}

const calendarTime = (date: Date): CalendarTime => ({
  year: date.getUTCFullYear(),
  month: date.getUTCMonth() + 1,
  day: date.getUTCDate(),
  hour: date.getUTCHours(),
  minute: date.getUTCMinutes(),
  second: date.getUTCSeconds(),
})

function parseSettings(stored: unknown): Settings {
  if (typeof stored !== 'object' || stored === null) throw new Error('no settings of date and time')
  const { source, daylightSavings, timeZone }: { source?: unknown; daylightSavings?: unknown; timeZone?: unknown } = stored
  if ((source !== 'Manual' && source !== 'NTP') || typeof daylightSavings !== 'boolean' || typeof timeZone !== 'string') {
    throw new Error('no settings of date and time')
  }
  parseTimeZone(timeZone)
  return { source, daylightSavings, timeZone }
}
