/** The address as a number of 32 bits, or undefined for what is none: four decimal numbers, and no zeros in front (RFC 6943 3.1.1). */
export function parseIPv4(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined
  return parts.reduce((value, part) => value * 256 + Number(part), 0)
}

/** The address as a number of 128 bits, or undefined for what is none (RFC 4291 2.2). A zone is no part of an address. */
export function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::')
  const [before, after] = halves.map((half, index) => groupsOf(half, index === halves.length - 1))
  if (halves.length > 2 || !before || (halves.length === 2 && !after)) return undefined
  const missing = 8 - before.length - (after?.length ?? 0)
  if (after ? missing < 1 : missing !== 0) return undefined
  const groups = [...before, ...Array<number>(missing).fill(0), ...(after ?? [])]
  return groups.reduce((value, group) => value * 65_536n + BigInt(group), 0n)
}

/** The last 32 bits may be written as an IPv4 address. */
function groupsOf(text: string, atEnd: boolean): readonly number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const ipv4 = atEnd ? parseIPv4(parts.at(-1) ?? '') : undefined
  const hex = ipv4 === undefined ? parts : parts.slice(0, -1)
  if (!hex.every(part => /^[0-9A-Fa-f]{1,4}$/.test(part))) return undefined
  const groups = hex.map(part => Number.parseInt(part, 16))
  return ipv4 === undefined ? groups : [...groups, Math.floor(ipv4 / 65_536), ipv4 % 65_536]
}

/** Whether an interface can have it: neither of "this network" (0/8), nor multicast, nor beyond (RFC 6890 2.2.2). */
export const isUnicastIPv4 = (address: number): boolean => address >= 0x0100_0000 && address < 0xe000_0000

/** Neither unspecified nor multicast (RFC 4291 2.4), nor one that stands for an IPv4 address. */
export const isUnicastIPv6 = (address: bigint): boolean => address !== 0n && address >> 120n !== 0xffn && address >> 32n !== 0xffffn

/** RFC 1122 3.2.1.3, RFC 4291 2.5.3. */
export const isLoopbackIPv4 = (address: number): boolean => Math.floor(address / 2 ** 24) === 127
export const isLoopbackIPv6 = (address: bigint): boolean => address === 1n

/** Whether the address names one host of its network: not the network itself and not all of its hosts. RFC 3021 lets /31 have neither. */
export function isHostIPv4(address: number, prefixLength: number): boolean {
  if (prefixLength > 30) return true
  const size = 2 ** (32 - prefixLength)
  return address % size !== 0 && address % size !== size - 1
}
