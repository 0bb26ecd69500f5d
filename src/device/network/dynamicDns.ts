import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { DynamicDns, Network } from '../../platform/platform.ts'
import { isHostName } from './hostNames.ts'

/** Spans that have a length: of days and less. */
const span = /^P(?=.)(?:(?<days>\d{1,9})D)?(?:T(?=.)(?:(?<hours>\d{1,9})H)?(?:(?<minutes>\d{1,10})M)?(?:(?<seconds>\d{1,10})S)?)?$/

/** Core 8.2.9. Name and TTL that are not given stay (Core 5.5). Throws InvalidArgVal, because Core names no fault of its own. */
export async function setDynamicDns(network: Network, { type, name, ttl }: DynamicDns): Promise<void> {
  if (name !== undefined && !isHostName(name)) throw fault('InvalidArgVal', `${JSON.stringify(name.slice(0, 100))} is no RFC 1123 name`)
  if (ttl !== undefined && !isTtl(ttl))
    throw fault('InvalidArgVal', `a TTL is a whole number of seconds up to ${limits.dnsTtlSecondsMax}, written in days and less`)
  const before = await network.dynamicDns()
  await network.setDynamicDns({ type, name: name ?? before.name, ttl: ttl ?? before.ttl })
}

function isTtl(text: string): boolean {
  const parts = span.exec(text)?.groups
  if (!parts) return false
  const { days = 0, hours = 0, minutes = 0, seconds = 0 } = parts
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds) <= limits.dnsTtlSecondsMax
}
