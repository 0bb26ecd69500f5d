import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { test } from 'node:test'
import { readLinks } from '../../src/discovery/links.ts'
import { limits } from '../../src/limits.ts'

/** A machine with so many interfaces, and so many addresses on each. */
const machine = (links: number, addresses: number): Record<string, NetworkInterfaceInfo[]> =>
  Object.fromEntries(
    Array.from({ length: links }, (_, link) => [
      `eth${link}`,
      Array.from({ length: addresses }, (_, index): NetworkInterfaceInfo => {
        const address = `192.0.2.${index + 1}`
        return { family: 'IPv4', address, netmask: '255.255.255.0', cidr: `${address}/24`, mac: '02:00:5e:00:53:01', internal: false }
      }),
    ]),
  )

test('of more than discoveryLinksMax interfaces the first are heard, by the first discoveryAddressesMax addresses of each', () => {
  for (const more of [0, 1]) {
    const links = readLinks(machine(limits.discoveryLinksMax + more, limits.discoveryAddressesMax + more))
    assert.deepEqual(
      links.map(({ name }) => name),
      Array.from({ length: limits.discoveryLinksMax }, (_, index) => `eth${index}`),
    )
    for (const { addresses } of links)
      assert.deepEqual(
        addresses.map(({ address }) => address),
        Array.from({ length: limits.discoveryAddressesMax }, (_, index) => `192.0.2.${index + 1}`),
      )
  }
})
