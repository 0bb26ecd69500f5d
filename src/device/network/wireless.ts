import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Dot11Change, Dot11Network, NetworkInterface } from '../../platform/platform.ts'

/** A wireless network as a request describes it; the schema has looked at SSID, priority and the shape of the key. */
export interface Dot11Request {
  readonly alias: string
  /** Hex digits. */
  readonly ssid: string
  readonly stationMode: 'Ad-hoc' | 'Infrastructure' | 'Extended'
  readonly priority: number
  readonly securityMode: 'None' | 'WEP' | 'PSK' | 'Dot1X' | 'Extended'
  readonly cipher: 'CCMP' | 'TKIP' | 'Any' | 'Extended' | undefined
  /** 64 hex digits or a passphrase. */
  readonly key: string | undefined
}

interface Wanted {
  /** Whether the device has IEEE 802.11 at all. */
  readonly wifi: boolean
  readonly enabled: boolean | undefined
  readonly dot11: readonly Dot11Request[] | undefined
}

/** What this device can do, in the words of Core 8.2.22.5. */
export const dot11Capabilities = {
  TKIP: false,
  ScanAvailableNetworks: true,
  MultipleConfiguration: true,
  AdHocStationMode: false,
  WEP: false,
} as const

/**
 * The networks that the interface shall join from now on, or undefined where a request says nothing about them and they stay
 * (Core 8.2.11). Throws InvalidDot11, InvalidInterfaceType, MissingDot11, InvalidStationMode, InvalidSecurityMode, MissingPSK,
 * MissingDot1X, InvalidArgVal (an alias that is empty, unprintable or twice in the list, or too many networks).
 */
export function wirelessNetworks(nic: NetworkInterface, { wifi, enabled, dot11 }: Wanted): readonly Dot11Change[] | undefined {
  if (dot11 && !wifi) throw fault('InvalidDot11', 'this device has no IEEE 802.11 interface')
  if (dot11 && !nic.dot11) throw fault('InvalidInterfaceType', `${nic.token} is no IEEE 802.11 interface`)
  // Core does not say when this is missing. A radio that is switched on without any network to join has nothing to do.
  if (enabled && nic.dot11 && (dot11 ?? nic.dot11).length === 0)
    throw fault('MissingDot11', `${nic.token} has no network to join: give it one in Extension/Dot11`)
  if (!dot11) return undefined

  if (dot11.length > limits.dot11NetworksMax) throw fault('InvalidArgVal', `an interface joins at most ${limits.dot11NetworksMax} networks`)
  const present = new Map(nic.dot11?.map(network => [network.alias, network]))
  const aliases = new Set<string>()
  return dot11.map(request => {
    const { alias } = request
    if (!printable.test(alias) || aliases.has(alias))
      throw fault('InvalidArgVal', `the alias ${JSON.stringify(alias)} is no name, or is there twice`)
    aliases.add(alias)
    return wirelessNetwork(request, present.get(alias))
  })
}

const printable = /^[^\p{C}\p{Zl}\p{Zp}]+$/u

function wirelessNetwork(request: Dot11Request, present: Dot11Network | undefined): Dot11Change {
  const { alias, ssid, priority, stationMode, securityMode, key } = request
  if (stationMode !== 'Infrastructure') throw fault('InvalidStationMode', `the station mode ${stationMode} is not supported`)
  if (securityMode === 'None') return { alias, ssid, priority, security: { mode: 'None' } }
  // No radio of this device logs in by IEEE 802.1X.
  if (securityMode === 'Dot1X') throw fault('MissingDot1X', 'there is no IEEE 802.1X configuration to log in with')
  if (securityMode !== 'PSK') throw fault('InvalidSecurityMode', `the security mode ${securityMode} is not supported`)

  const before = present?.security.mode === 'PSK' ? present.security : undefined
  const cipher = request.cipher ?? before?.cipher ?? 'CCMP'
  if (cipher !== 'CCMP' && cipher !== 'Any') throw fault('InvalidSecurityMode', `the algorithm ${cipher} is not supported`)
  if (key === undefined && !before) throw fault('MissingPSK', `the network ${JSON.stringify(alias)} needs a key or a passphrase`)
  return { alias, ssid, priority, security: { mode: 'PSK', cipher }, key }
}
