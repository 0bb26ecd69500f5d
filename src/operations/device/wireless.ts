import { noSuchInterface } from '../../device/network/interfaces.ts'
import { type Dot11Request, dot11Capabilities } from '../../device/network/wireless.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { Dot11AvailableNetworks, Dot11Configuration } from '../../onvif/types.generated.ts'
import type { Dot11Cell, Dot11Network, Network, Wifi } from '../../platform/platform.ts'

type Wireless = Pick<Chapter<'network'>, 'GetDot11Capabilities' | 'GetDot11Status' | 'ScanAvailableDot11Networks'>

/** Core 8.2.22. What the networks are told to an interface with is SetNetworkInterfaces. */
export function wireless(network: Network): Wireless {
  /** Throws InvalidDot11, InvalidNetworkInterface, NotDot11. */
  async function wifiOf(token: string): Promise<Wifi> {
    if (!network.wifi) throw noWifi()
    const nic = (await network.interfaces()).find(candidate => candidate.token === token)
    if (!nic) throw noSuchInterface(token)
    if (!nic.dot11) throw fault('NotDot11', `${token} is no IEEE 802.11 interface`)
    return network.wifi
  }
  return {
    async GetDot11Capabilities() {
      if (!network.wifi) throw noWifi()
      return { Capabilities: dot11Capabilities }
    },

    async GetDot11Status({ InterfaceToken }) {
      const status = await (await wifiOf(InterfaceToken)).status(InterfaceToken)
      if (!status) throw fault('NotConnectedDot11', `${InterfaceToken} is in no network`)
      const { cell, alias } = status
      const { ssid, bssid, security, signal } = cell
      return {
        Status: { SSID: Buffer.from(ssid, 'hex'), BSSID: bssid, ...cipher(security), SignalStrength: signal, ActiveConfigAlias: alias },
      }
    },

    async ScanAvailableDot11Networks({ InterfaceToken }) {
      const cells = await (await wifiOf(InterfaceToken)).scan(InterfaceToken)
      return { Networks: cells.map(availableNetwork) }
    },
  }
}

const noWifi = () => fault('InvalidDot11', 'this device has no IEEE 802.11 interface')

const cipher = (security: Dot11Network['security']['mode']) =>
  security === 'PSK' ? ({ PairCipher: 'CCMP', GroupCipher: 'CCMP' } as const) : {}

const availableNetwork = ({ ssid, bssid, security, signal }: Dot11Cell): Dot11AvailableNetworks => ({
  SSID: Buffer.from(ssid, 'hex'),
  BSSID: bssid,
  AuthAndMangementSuite: [security],
  ...(security === 'PSK' ? { PairCipher: ['CCMP'], GroupCipher: ['CCMP'] } : {}),
  SignalStrength: signal,
})

/** Where a key and a passphrase are given, the key counts (tt:Dot11PSKSet). */
export function dot11Request({ SSID, Mode, Alias, Priority, Security }: Dot11Configuration): Dot11Request {
  const { Key, Passphrase } = Security.PSK ?? {}
  return {
    alias: Alias,
    ssid: Buffer.from(SSID).toString('hex'),
    stationMode: Mode,
    priority: Priority,
    securityMode: Security.Mode,
    cipher: Security.Algorithm,
    key: Key ? Buffer.from(Key).toString('hex') : Passphrase,
  }
}
