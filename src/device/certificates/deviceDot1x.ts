import { type FaultName, fault, SoapFault } from '../../onvif/faults.ts'
import type { Seal } from '../seal.ts'
import { type Content, type Dot1XStage, newId, quote, type StoredCertificate, type StoredDot1X } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { findByToken } from './deviceCertificates.ts'
import { addDot1X } from './dot1x.ts'
import { addPassphrase } from './passphrases.ts'
import { addPath, leafHasPrivateKey, pathFrom, type Read } from './paths.ts'
import { addPolicy } from './trust.ts'

/** tt:Dot1XConfiguration. The password goes in and never comes out. */
export interface DeviceDot1X {
  readonly token: string
  readonly identity: string
  readonly anonymousId?: string | undefined
  /** Its number in the registry of EAP methods. */
  readonly eapMethod: number
  readonly caCertificateTokens: readonly string[]
  readonly certificateToken?: string | undefined
}

export interface DeviceDot1XRequest extends DeviceDot1X {
  readonly password?: string | undefined
}

interface Parts {
  readonly content: ContentDocument
  readonly seal: Seal
  readonly read: Read
  readonly allowLegacy: boolean
}

/** The numbers of the methods, and what they are as stages. */
const methods: readonly { readonly number: number; readonly outer: string; readonly inner?: string }[] = [
  { number: 4, outer: 'EAP-MD5' },
  { number: 13, outer: 'EAP-TLS' },
  { number: 21, outer: 'EAP-TTLS', inner: 'MSCHAPv2' },
  { number: 25, outer: 'EAP-PEAP', inner: 'MSCHAPv2' },
]

/**
 * IEEE 802.1X as the Device service has it (withdrawn from Core after 16.06), over the configurations of the Security service: the
 * passphrase, path and policy that these refer to are made for it, and go with the configuration.
 */
export function createDeviceDot1X({ content, seal, read, allowLegacy }: Parts) {
  function find(all: Content, token: string): StoredDot1X {
    const found = all.dot1x.find(each => (each.token ?? each.id) === token)
    if (!found) throw fault('ReferenceToken', `there is no configuration ${quote(token)}`)
    return found
  }

  function put(all: Content, request: DeviceDot1XRequest, present: StoredDot1X | undefined): Content {
    const method = methods.find(({ number }) => number === request.eapMethod)
    if (!method) throw fault('EAPMethodNotSupported', `the EAP methods are ${methods.map(({ number }) => number).join(', ')}`)
    if (method.inner === undefined && request.anonymousId !== undefined)
      throw fault('InvalidArgVal', 'an anonymous identity is for methods with a tunnel')
    let next = all
    const anchorIds = request.caCertificateTokens.map(token => findByToken(all, token, 'CACertificateID').id)
    let policyId: string | undefined
    if (anchorIds.length > 0) {
      const policy = addPolicy(next, { requireClientAuthUsage: false, useDeltaCrls: false, anchorIds, isMade: true }, 'CACertificateID')
      next = policy.content
      policyId = policy.id
    }
    let pathId: string | undefined
    if (request.certificateToken !== undefined) {
      const leaf = findByToken(next, request.certificateToken, 'CertificateID')
      if (!leafHasPrivateKey(next, leaf.id)) throw fault('CertificateID', 'there is no private key for that certificate')
      const path = addPath(next, read, pathFrom(next, read, leaf.id, allowLegacy), allowLegacy, { isMade: true })
      next = path.content
      pathId = path.id
    }
    // An absent password stays (Core 5.5), for the identity that it was sent with.
    const before = present && lastStage(present.outer)
    let passphraseId = before?.identity === request.identity ? before.passphraseId : undefined
    if (request.password !== undefined) {
      passphraseId = newId('Passphrase')
      next = addPassphrase(next, seal, { id: passphraseId, isMade: true }, request.password)
    }
    const last: Dot1XStage = { method: method.inner ?? method.outer, identity: request.identity, pathId, passphraseId }
    const outer: Dot1XStage = method.inner
      ? { method: method.outer, identity: request.anonymousId, policyId, inner: last }
      : { ...last, policyId }
    return content.withoutLeftovers(
      addDot1X(next, { ...present, id: present?.id ?? newId('Dot1X'), token: request.token, outer }, 'MaxDot1X'),
    )
  }

  function change(next: (all: Content) => Content): void {
    try {
      content.change(next)
    } catch (error) {
      throw inOldWords(error)
    }
  }

  return {
    list: (): readonly DeviceDot1X[] => content.get().dot1x.map(each => visible(content.get(), each)),

    /** Throws ReferenceToken. */
    get: (token: string): DeviceDot1X => visible(content.get(), find(content.get(), token)),

    /** Throws ReferenceToken (it is taken), EAPMethodNotSupported, MaxDot1X, CertificateID, CACertificateID, InvalidArgVal. */
    create(request: DeviceDot1XRequest): void {
      change(all => {
        if (all.dot1x.some(each => (each.token ?? each.id) === request.token))
          throw fault('ReferenceToken', `the token ${quote(request.token)} is taken`)
        return put(all, request, undefined)
      })
    },

    /** Replaces it, but for a password that is absent. Throws ReferenceToken, and what `create` throws. */
    set(request: DeviceDot1XRequest): void {
      change(all => put(all, request, find(all, request.token)))
    },

    /** All or nothing. Throws ReferenceToken; as a prohibition where an interface uses it. */
    delete(tokens: readonly string[]): void {
      content.change(all => {
        const gone = tokens.map(token => find(all, token))
        const used = Object.values(all.dot1xInterfaces)
        if (gone.some(({ id }) => used.includes(id)))
          // The same name as for a token that is not there, under another code (Core 16.06 8.5.5).
          throw new SoapFault('Sender', ['OperationProhibited', 'ReferenceToken'], 'an interface uses the configuration')
        return content.withoutLeftovers({ ...all, dot1x: all.dot1x.filter(each => !gone.includes(each)) })
      })
    },
  }
}

const lastStage = (outer: Dot1XStage): Dot1XStage => outer.inner ?? outer

function visible(all: Content, { id, token, outer }: StoredDot1X): DeviceDot1X {
  const last = lastStage(outer)
  const tokenOf = (certificateId: string) => {
    const certificate: StoredCertificate | undefined = all.certificates.find(each => each.id === certificateId)
    return certificate?.token ?? certificateId
  }
  const leaf = all.paths.find(path => path.id === last.pathId)?.certificateIds[0]
  const anchorIds = all.policies.find(policy => policy.id === outer.policyId)?.anchorIds ?? []
  return {
    token: token ?? id,
    identity: last.identity ?? '',
    anonymousId: outer.inner && outer.identity,
    eapMethod: methods.find(method => method.outer === outer.method)?.number ?? 0,
    caCertificateTokens: anchorIds.map(tokenOf),
    certificateToken: leaf === undefined ? undefined : tokenOf(leaf),
  }
}

/** What is missing for a method is an argument for the Device service, and no object that it knows by an ID. */
const old: Readonly<Record<string, FaultName>> = {
  CertificationPathID: 'CertificateID',
  PassphraseID: 'InvalidArgVal',
  BadPassphrase: 'InvalidArgVal',
  CertPathValidationParameters: 'CACertificateID',
  MaximumNumberOfPassphrasesReached: 'MaxDot1X',
  MaximumNumberOfCertificationPathsReached: 'MaxDot1X',
  MaximumNumberOfCertPathValidationPoliciesReached: 'MaxDot1X',
}

function inOldWords(error: unknown): unknown {
  const name = error instanceof SoapFault ? old[error.subcodes.at(-1) ?? ''] : undefined
  return error instanceof SoapFault && name !== undefined ? fault(name, error.message, { cause: error }) : error
}
