import { isHostName } from '../../device/network/hostNames.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { networkInterfaces } from './networkInterfaces.ts'
import { type NetworkServiceSubjects, networkServices } from './networkServices.ts'
import { wireless } from './wireless.ts'

/** Core 8.2. */
export function network(subjects: NetworkServiceSubjects): Chapter<'network'> {
  const { network: port } = subjects
  return {
    ...networkServices(subjects),
    ...networkInterfaces(port),
    ...wireless(port),

    async GetHostname() {
      const { name, fromDHCP } = await port.hostname()
      return { HostnameInformation: { FromDHCP: fromDHCP, Name: name } }
    },

    async SetHostname({ Name }) {
      // Core 8.2.2: an empty name asks for the one of DHCP.
      if (Name === '') {
        await port.setHostnameFromDHCP(true)
        return {}
      }
      if (!isHostName(Name)) {
        throw fault('InvalidHostname', `${JSON.stringify(Name.slice(0, 100))} is not an RFC 1123 name`)
      }
      await port.setHostname(Name)
      return {}
    },

    async SetHostnameFromDHCP({ FromDHCP }) {
      const { rebootNeeded } = await port.setHostnameFromDHCP(FromDHCP)
      return { RebootNeeded: rebootNeeded }
    },
  }
}
