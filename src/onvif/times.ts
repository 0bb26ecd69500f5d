/** An xs:dateTime. Without a zone it is UTC, as all times of the device. What the calendar of JavaScript does not reach is no time at all. */
export function instant(dateTime: string | undefined): Date | undefined {
  if (dateTime === undefined) return undefined
  return new Date(/(?:Z|[+-]\d\d:\d\d)$/.test(dateTime) ? dateTime : `${dateTime}Z`)
}

/** A span as xs:duration, in the whole seconds that everybody can read, and never too short. */
export const duration = (ms: number): string => `PT${Math.ceil(ms / 1000)}S`

const span = /^(-)?P(?=[\dT])(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Milliseconds of an xs:duration, months and years in round numbers; undefined where it is none. */
export function durationMs(duration: string): number | undefined {
  const match = span.exec(duration)
  if (!match) return undefined
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(2).map(part => Number(part ?? 0))
  const ms = ((((years * 365 + months * 30 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
  return match[1] === undefined ? ms : -ms
}
