import { limits } from '../../limits.ts'
import { type FaultName, fault } from '../../onvif/faults.ts'
import { assertAlias, type Content, type Dot1XStage, find, newId, type StoredDot1X } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { leafHasPrivateKey } from './paths.ts'

/** tas:Dot1XConfiguration. */
export interface Dot1XConfiguration {
  readonly id: string
  readonly alias: string | undefined
  readonly outer: Dot1XStage
}

/** Outer and inner method, as tas:Dot1XMethods writes them; EAP-PEAP/MSCHAPv2 is the one that every device has (Security 5.5.7.7). */
export const dot1xMethods: readonly string[] = ['EAP-PEAP/MSCHAPv2', 'EAP-TTLS/MSCHAPv2', 'EAP-TLS', 'EAP-MD5']
const outerMethods = dot1xMethods.map(method => method.split('/')[0])
const innerMethods = dot1xMethods.flatMap(method => method.split('/')[1] ?? [])

export type Dot1X = ReturnType<typeof createDot1X>

/** How the device identifies itself to networks, and which configuration is for which interface (Security 5.4). */
export function createDot1X({ content }: { readonly content: ContentDocument }) {
  return {
    list: (): readonly Dot1XConfiguration[] => content.get().dot1x.map(visible),

    /** Throws Dot1XConfigurationID. */
    get: (id: string): Dot1XConfiguration => visible(find(content.get().dot1x, id, 'Dot1XConfigurationID')),

    /**
     * Throws MaximumNumberOfDot1XConfigurationsReached, PassphraseID, CertificationPathID, CertPathValidationPolicyID, Dot1XMethod,
     * Dot1XMethodCombination.
     */
    add(outer: Dot1XStage, alias?: string): string {
      const id = newId('Dot1X')
      content.change(all => addDot1X(all, { id, alias, outer }))
      return id
    },

    /** Throws Dot1XConfigurationID, ReferenceExists. */
    delete(id: string): void {
      find(content.get().dot1x, id, 'Dot1XConfigurationID')
      content.assertUnreferenced('dot1x', id)
      content.change(all => content.withoutLeftovers({ ...all, dot1x: all.dot1x.filter(each => each.id !== id) }))
    },

    /** Undefined where the interface has none. That there is such an interface is for the caller to see. */
    ofInterface: (token: string): string | undefined =>
      Object.hasOwn(content.get().dot1xInterfaces, token) ? content.get().dot1xInterfaces[token] : undefined,

    /** Throws Dot1XConfigurationID. */
    setInterface(token: string, id: string): void {
      find(content.get().dot1x, id, 'Dot1XConfigurationID')
      content.change(all => ({ ...all, dot1xInterfaces: { ...all.dot1xInterfaces, [token]: id } }))
    },

    deleteInterface(token: string): void {
      content.change(all => ({
        ...all,
        dot1xInterfaces: Object.fromEntries(Object.entries(all.dot1xInterfaces).filter(([each]) => each !== token)),
      }))
    },
  }
}

const visible = ({ id, alias, outer }: StoredDot1X): Dot1XConfiguration => ({ id, alias, outer })

/** Puts it among the others; in the place of one with the same ID. */
export function addDot1X(all: Content, configuration: StoredDot1X, full: FaultName = 'MaximumNumberOfDot1XConfigurationsReached'): Content {
  const { alias, outer } = configuration
  assertAlias(alias)
  assertStages(all, outer)
  const isThere = all.dot1x.some(({ id }) => id === configuration.id)
  if (!isThere && all.dot1x.length >= limits.dot1xConfigurationsMax)
    throw fault(full, `the device keeps ${limits.dot1xConfigurationsMax} configurations of IEEE 802.1X`)
  const dot1x = isThere ? all.dot1x.map(each => (each.id === configuration.id ? configuration : each)) : [...all.dot1x, configuration]
  return { ...all, dot1x }
}

function assertStages(all: Content, outer: Dot1XStage): void {
  const { method, inner } = outer
  if (!outerMethods.includes(method)) throw fault('Dot1XMethod', `the method is one of ${dot1xMethods.join(', ')}`)
  if (inner && !innerMethods.includes(inner.method)) throw fault('Dot1XMethod', `the inner method is one of ${innerMethods.join(', ')}`)
  if (inner?.inner || !dot1xMethods.includes(inner ? `${method}/${inner.method}` : method))
    throw fault('Dot1XMethodCombination', `the methods are ${dot1xMethods.join(', ')}`)
  for (const stage of inner ? [outer, inner] : [outer]) {
    const { identity = '', pathId, passphraseId, policyId } = stage
    if (identity.length > limits.keystoreTextCharactersMax || /\p{Cc}/u.test(identity))
      throw fault('InvalidArgVal', 'the identity is too long, or has control characters')
    if (pathId !== undefined) {
      const { certificateIds } = find(all.paths, pathId, 'CertificationPathID')
      if (!leafHasPrivateKey(all, certificateIds[0] ?? '')) throw fault('CertificationPathID', 'there is no private key for the path')
    }
    if (passphraseId !== undefined) find(all.passphrases, passphraseId, 'PassphraseID')
    if (policyId !== undefined) find(all.policies, policyId, 'CertPathValidationPolicyID')
  }
  const last = inner ?? outer
  if (method === 'EAP-TLS') {
    if (last.pathId === undefined) throw fault('CertificationPathID', 'EAP-TLS needs a certification path')
  } else if (last.passphraseId === undefined) throw fault('PassphraseID', `${last.method} needs a passphrase`)
  if (last.identity === undefined || last.identity === '') throw fault('InvalidArgVal', `${last.method} needs an identity`)
}
