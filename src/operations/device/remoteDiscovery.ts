import type { ProxyHost, RemoteDiscovery } from '../../device/remoteDiscovery.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { NetworkHost } from '../../onvif/types.generated.ts'
import { absent } from '../notImplemented.ts'

/** Withdrawn from Core (Annex D); undefined unless the operator wants them nevertheless. */
export function remoteDiscovery({
  remoteDiscovery: subject,
}: {
  readonly remoteDiscovery: RemoteDiscovery | undefined
}): Chapter<'remoteDiscovery'> {
  if (!subject) {
    const withdrawn = absent('ONVIF has withdrawn remote discovery, and this device does without')
    return { GetRemoteDiscoveryMode: withdrawn, SetRemoteDiscoveryMode: withdrawn, GetDPAddresses: withdrawn, SetDPAddresses: withdrawn }
  }
  return {
    async GetRemoteDiscoveryMode() {
      return { RemoteDiscoveryMode: subject.mode.get() }
    },

    async SetRemoteDiscoveryMode({ RemoteDiscoveryMode }) {
      subject.mode.set(RemoteDiscoveryMode)
      return {}
    },

    async GetDPAddresses() {
      return { DPAddress: subject.proxies().map(toWire) }
    },

    async SetDPAddresses({ DPAddress = [] }) {
      subject.setProxies(DPAddress.map(fromWire))
      return {}
    },
  }
}

const toWire = ({ type, address }: ProxyHost): NetworkHost => ({ Type: type, [members[type]]: address })

/** Type says which of the three counts. */
const members = { IPv4: 'IPv4Address', IPv6: 'IPv6Address', DNS: 'DNSname' } as const

function fromWire(host: NetworkHost): ProxyHost {
  const address = host[members[host.Type]]
  if (address === undefined) throw fault('InvalidArgVal', `a host of type ${host.Type} needs its ${members[host.Type]}`)
  return { type: host.Type, address }
}
