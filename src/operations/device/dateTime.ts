import type { CalendarTime, DateTime as Subject } from '../../device/time/dateTime.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { DateTime } from '../../onvif/types.generated.ts'

/** Core 8.3.6, 8.3.7. */
export function dateTime({ dateTime: subject }: { readonly dateTime: Subject }): Chapter<'dateTime'> {
  return {
    async GetSystemDateAndTime() {
      const { source, timeZone, utc, local, daylight } = subject.read()
      return {
        SystemDateAndTime: {
          DateTimeType: source,
          // The schema wants to know here whether it is in force now; in SetSystemDateAndTime, whether to follow it.
          DaylightSavings: daylight,
          TimeZone: { TZ: timeZone },
          UTCDateTime: toWire(utc),
          LocalDateTime: toWire(local),
        },
      }
    },

    async SetSystemDateAndTime({ DateTimeType, DaylightSavings, TimeZone, UTCDateTime }) {
      await subject.set({
        source: DateTimeType,
        daylightSavings: DaylightSavings,
        timeZone: TimeZone?.TZ,
        utc: UTCDateTime && fromWire(UTCDateTime),
      })
      return {}
    },
  }
}

const toWire = ({ year, month, day, hour, minute, second }: CalendarTime): DateTime => ({
  Time: { Hour: hour, Minute: minute, Second: second },
  Date: { Year: year, Month: month, Day: day },
})

const fromWire = ({ Time, Date: { Year, Month, Day } }: DateTime): CalendarTime => ({
  year: Year,
  month: Month,
  day: Day,
  hour: Time.Hour,
  minute: Time.Minute,
  second: Time.Second,
})
