import type { createDiscoveryMode } from '../../device/discoveryMode.ts'
import type { Scopes } from '../../device/scopes.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { Identity } from '../../platform/platform.ts'

interface Subjects {
  readonly scopes: Scopes
  readonly discoveryMode: ReturnType<typeof createDiscoveryMode>
  readonly identity: Identity
}

/** Core 8.3.14 to 8.3.19, 8.4.9. */
export function discovery({ scopes, discoveryMode, identity }: Subjects): Chapter<'discovery'> {
  return {
    async GetScopes() {
      return { Scopes: scopes.list().map(({ uri, fixed }) => ({ ScopeDef: fixed ? 'Fixed' : 'Configurable', ScopeItem: uri })) }
    },

    async SetScopes({ Scopes }) {
      scopes.replace(Scopes)
      return {}
    },

    async AddScopes({ ScopeItem }) {
      scopes.add(ScopeItem)
      return {}
    },

    async RemoveScopes({ ScopeItem }) {
      scopes.remove(ScopeItem)
      return { ScopeItem: [...new Set(ScopeItem)] }
    },

    async GetDiscoveryMode() {
      return { DiscoveryMode: discoveryMode.get() }
    },

    async SetDiscoveryMode({ DiscoveryMode }) {
      discoveryMode.set(DiscoveryMode)
      return {}
    },

    async GetEndpointReference() {
      return { GUID: `urn:uuid:${identity.uuid}` }
    },
  }
}
