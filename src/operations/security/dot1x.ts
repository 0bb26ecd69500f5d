import type { Dot1XStage as Stage } from '../../device/certificates/content.ts'
import type { Dot1XConfiguration as Configuration } from '../../device/certificates/dot1x.ts'
import type { Keystore } from '../../device/certificates/keystore.ts'
import { noSuchInterface } from '../../device/network/interfaces.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { AdvancedSecurityDot1XConfiguration, Dot1XStage } from '../../onvif/types.generated.ts'
import type { Network } from '../../platform/platform.ts'

/** Security 5.4. */
export function dot1x({ dot1x: subject }: Keystore, network: Network): Chapter<'dot1x'> {
  async function assertInterface(token: string): Promise<void> {
    const all = await network.interfaces()
    if (!all.some(each => each.token === token)) throw noSuchInterface(token)
  }

  return {
    async 'tas:AddDot1XConfiguration'({ Dot1XConfiguration: { Alias, Outer } }) {
      return { Dot1XID: subject.add(fromWire(Outer), Alias) }
    },

    async 'tas:GetAllDot1XConfigurations'() {
      return { Configuration: subject.list().map(toWire) }
    },

    async 'tas:GetDot1XConfiguration'({ Dot1XID }) {
      return { Dot1XConfiguration: toWire(subject.get(Dot1XID)) }
    },

    async 'tas:DeleteDot1XConfiguration'({ Dot1XID }) {
      subject.delete(Dot1XID)
      return {}
    },

    async 'tas:SetNetworkInterfaceDot1XConfiguration'({ token, Dot1XID }) {
      await assertInterface(token)
      subject.setInterface(token, Dot1XID)
      return { RebootNeeded: false }
    },

    async 'tas:GetNetworkInterfaceDot1XConfiguration'({ token }) {
      await assertInterface(token)
      return { Dot1XID: subject.ofInterface(token) }
    },

    async 'tas:DeleteNetworkInterfaceDot1XConfiguration'({ token }) {
      await assertInterface(token)
      subject.deleteInterface(token)
      return { RebootNeeded: false }
    },
  }
}

const toWire = ({ id, alias, outer }: Configuration): AdvancedSecurityDot1XConfiguration => ({
  Dot1XID: id,
  Alias: alias,
  Outer: stageToWire(outer),
})

const stageToWire = ({ method, identity, pathId, passphraseId, policyId, inner }: Stage): Dot1XStage => ({
  Method: method,
  Identity: identity,
  CertificationPathID: pathId,
  PassphraseID: passphraseId,
  CertPathValidationPolicyID: policyId,
  Inner: inner && stageToWire(inner),
})

const fromWire = ({ Method, Identity, CertificationPathID, PassphraseID, CertPathValidationPolicyID, Inner }: Dot1XStage): Stage => ({
  method: Method,
  identity: Identity,
  pathId: CertificationPathID,
  passphraseId: PassphraseID,
  policyId: CertPathValidationPolicyID,
  inner: Inner && fromWire(Inner),
})
