import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { InterfaceAddress } from '../../platform/platform.ts'
import type { Store } from '../store.ts'
import { parseIPv4, parseIPv6 } from './addresses.ts'

/** Ranges of addresses by kind, as the client wrote them. */
export interface AddressRanges {
  readonly ipv4: readonly InterfaceAddress[]
  readonly ipv6: readonly InterfaceAddress[]
}

export interface Filter extends AddressRanges {
  /** Allow: nobody but the ranges may come in. Deny: everybody but them. */
  readonly type: 'Allow' | 'Deny'
}

export type AddressFilter = ReturnType<typeof createAddressFilter>

/**
 * Who may connect at all (Core 8.2.18 to 8.2.21); whoever watches a door asks `admits`. A filter that would shut out the very
 * address that asks for it is refused with OperationProhibited. An Allow without any range shuts out everybody.
 */
export function createAddressFilter(store: Store) {
  const settings = store.document<Filter>('addressFilter', parseFilter, () => ({ type: 'Deny', ipv4: [], ipv6: [] }))
  let compiled = compile(settings.get())

  /** The document may also be changed by a restore or a factory default. */
  function current(): Compiled {
    if (compiled.filter !== settings.get()) compiled = compile(settings.get())
    return compiled
  }

  function put(filter: Filter, caller: string): void {
    const count = filter.ipv4.length + filter.ipv6.length
    if (count > limits.addressFilterMax) throw fault('IPFilterListIsFull', `the filter takes ${limits.addressFilterMax} addresses`)
    if (!compile(filter).admits(caller))
      throw fault('OperationProhibited', `this filter would shut out ${caller}, the address that this request came from`)
    settings.set(filter)
  }

  return {
    get: settings.get,

    /** Whether a client with this address may connect. What is no IP address is not the network's, and may. */
    admits: (address: string): boolean => current().admits(address),

    /** Throws InvalidIPv4Address, InvalidIPv6Address, IPFilterListIsFull, OperationProhibited. */
    set(filter: Filter, caller: string): void {
      assertRanges(filter)
      put({ type: filter.type, ...without(filter, { ipv4: [], ipv6: [] }) }, caller)
    },

    /** What is there already stays once. Throws as `set` does. */
    add(ranges: AddressRanges, caller: string): void {
      assertRanges(ranges)
      const { type, ipv4, ipv6 } = settings.get()
      const fresh = without(ranges, { ipv4, ipv6 })
      put({ type, ipv4: [...ipv4, ...fresh.ipv4], ipv6: [...ipv6, ...fresh.ipv6] }, caller)
    },

    /** All of them or none. Throws InvalidIPv4Address, InvalidIPv6Address, NoIPv4Address, NoIPv6Address, OperationProhibited. */
    remove(ranges: AddressRanges, caller: string): void {
      assertRanges(ranges)
      const { type, ...present } = settings.get()
      for (const kind of ['ipv4', 'ipv6'] as const) {
        const known = new Set(present[kind].map(keyOf))
        const unknown = ranges[kind].find(range => !known.has(keyOf(range)))
        if (unknown) throw fault(kind === 'ipv4' ? 'NoIPv4Address' : 'NoIPv6Address', `the filter has no ${textOf(unknown)}`)
      }
      put({ type, ...without(present, ranges) }, caller)
    },
  }
}

interface Range {
  readonly address: bigint
  readonly bits: 32 | 128
  readonly prefixLength: number
}

interface Compiled {
  readonly filter: Filter
  readonly admits: (address: string) => boolean
}

function compile(filter: Filter): Compiled {
  const ranges = [...filter.ipv4, ...filter.ipv6].flatMap(range => rangeOf(range) ?? [])
  return {
    filter,
    admits(text) {
      const client = rangeOf({ address: text, prefixLength: text.includes(':') ? 128 : 32 })
      if (!client) return true
      const listed = ranges.some(range => contains(range, client))
      return listed === (filter.type === 'Allow')
    },
  }
}

/** An IPv6 address that stands for an IPv4 one (RFC 4291 2.5.5.2) is that IPv4 address; `::/0` and its like stay IPv6's. */
function rangeOf({ address, prefixLength }: InterfaceAddress): Range | undefined {
  const ipv4 = parseIPv4(address)
  if (ipv4 !== undefined) return { address: BigInt(ipv4), bits: 32, prefixLength }
  const ipv6 = parseIPv6(address)
  if (ipv6 === undefined) return undefined
  if (ipv6 >> 32n === 0xffffn && prefixLength >= 96) return { address: ipv6 & 0xffff_ffffn, bits: 32, prefixLength: prefixLength - 96 }
  return { address: ipv6, bits: 128, prefixLength }
}

function contains(range: Range, client: Range): boolean {
  const shift = BigInt(range.bits - range.prefixLength)
  return range.bits === client.bits && range.address >> shift === client.address >> shift
}

const textOf = ({ address, prefixLength }: InterfaceAddress): string => `${address}/${prefixLength}`

/** The same for every way to write an address. */
const keyOf = ({ address, prefixLength }: InterfaceAddress): string => `${parseIPv4(address) ?? parseIPv6(address)}/${prefixLength}`

/** Those of `ranges` that are not among `others`, each of them once. */
function without(ranges: AddressRanges, others: AddressRanges): AddressRanges {
  const left = (kind: 'ipv4' | 'ipv6') => {
    const seen = new Set(others[kind].map(keyOf))
    return ranges[kind].filter(range => !seen.has(keyOf(range)) && seen.add(keyOf(range)))
  }
  return { ipv4: left('ipv4'), ipv6: left('ipv6') }
}

function assertRanges({ ipv4, ipv6 }: AddressRanges): void {
  for (const range of ipv4)
    if (parseIPv4(range.address) === undefined || !isPrefixLength(range.prefixLength, 32))
      throw fault('InvalidIPv4Address', `${JSON.stringify(textOf(range).slice(0, 100))} is no range of IPv4 addresses`)
  for (const range of ipv6)
    if (parseIPv6(range.address) === undefined || !isPrefixLength(range.prefixLength, 128))
      throw fault('InvalidIPv6Address', `${JSON.stringify(textOf(range).slice(0, 100))} is no range of IPv6 addresses`)
}

const isPrefixLength = (length: number, bits: number): boolean => Number.isInteger(length) && length >= 0 && length <= bits

function parseFilter(stored: unknown): Filter {
  if (typeof stored !== 'object' || stored === null) throw new Error('no address filter')
  const { type, ipv4, ipv6 }: { type?: unknown; ipv4?: unknown; ipv6?: unknown } = stored
  if (type !== 'Allow' && type !== 'Deny') throw new Error('no address filter')
  const filter: Filter = { type, ipv4: parseRanges(ipv4), ipv6: parseRanges(ipv6) }
  assertRanges(filter)
  return filter
}

function parseRanges(stored: unknown): readonly InterfaceAddress[] {
  if (!Array.isArray(stored) || stored.length > limits.addressFilterMax) throw new Error('no list of addresses')
  return stored.map((range: unknown) => {
    if (typeof range !== 'object' || range === null) throw new Error('no range of addresses')
    const { address, prefixLength }: { address?: unknown; prefixLength?: unknown } = range
    if (typeof address !== 'string' || typeof prefixLength !== 'number') throw new Error('no range of addresses')
    return { address, prefixLength }
  })
}
