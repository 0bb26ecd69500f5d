import type { Dot11Cell, NetworkInterface, Wifi } from '../platform.ts'

const hex = (text: string): string => Buffer.from(text).toString('hex')

/** What is in the air around every virtual device, strongest first. The access point with a key takes any: it is not there to keep somebody out. */
export const cells: readonly Dot11Cell[] = [
  { ssid: hex('onvifd-secure'), bssid: '02:00:5e:10:00:01', security: 'PSK', signal: 'Very Good' },
  { ssid: hex('onvifd-open'), bssid: '02:00:5e:10:00:02', security: 'None', signal: 'Good' },
]

/** A radio that joins, of the networks in reach that it was told, the one with the highest priority. It scans also when it is off. */
export function createWifi(interfaces: () => readonly NetworkInterface[]): Wifi {
  function find(token: string) {
    const nic = interfaces().find(candidate => candidate.token === token)
    if (!nic?.dot11) throw new RangeError(`${token} is no IEEE 802.11 interface`)
    return { enabled: nic.enabled, networks: nic.dot11 }
  }
  return {
    async scan(token) {
      find(token)
      return cells
    },
    async status(token) {
      const { enabled, networks } = find(token)
      if (!enabled) return undefined
      const joined = networks
        .flatMap(({ alias, priority, ssid, security }) => {
          const cell = cells.find(candidate => candidate.ssid === ssid && candidate.security === security.mode)
          return cell ? [{ cell, alias, priority }] : []
        })
        .sort((one, other) => other.priority - one.priority)[0]
      return joined && { cell: joined.cell, alias: joined.alias }
    },
  }
}
