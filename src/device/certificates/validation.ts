import { limits } from '../../limits.ts'
import {
  anyExtendedKeyUsage,
  type Certificate,
  clientAuthentication,
  isIssuedBy,
  isSelfIssued,
  isValidAt,
  serverAuthentication,
} from './x509/certificate.ts'
import { type Crl, isCrlOf } from './x509/crl.ts'

/** Why a path is not valid, in the words that TLS has for it (RFC 8446 6.2). */
export type Invalidity = 'unknownCa' | 'badCertificate' | 'expired' | 'revoked' | 'unsupportedCertificate'

export type Verdict =
  | { readonly valid: true; readonly path: readonly Certificate[] }
  | { readonly valid: false; readonly why: Invalidity; readonly detail: string }

export interface Trust {
  readonly anchors: readonly Certificate[]
  /** Whose certificate it is: a client's where it is not said. */
  readonly peer?: 'client' | 'server'
  readonly requireClientAuthUsage: boolean
  readonly crls: readonly Crl[]
  /** The device's idea of UTC. */
  readonly now: Date
  readonly allowLegacy: boolean
}

/**
 * Validates the certificate of a peer (RFC 5280 6.1 as Security 4.3 has it): every certificate up to a trust anchor is signed by
 * the next, valid now, not revoked, and allowed to do what it does. An anchor is believed for its name and key; that it is a CA
 * matters only where it signed something.
 */
export function validatePath(chain: readonly Certificate[], trust: Trust): Verdict {
  const [leaf] = chain
  if (!leaf) return invalid('badCertificate', 'there is no certificate')
  // As many as TLS libraries take: a longer one is an attack.
  const others = chain.slice(1, limits.certificationPathLengthMax)
  const path = findPath(leaf, others, trust)
  if (!path) return invalid('unknownCa', 'it does not lead to a trust anchor')
  return faultOf(path, trust) ?? { valid: true, path }
}

const invalid = (why: Invalidity, detail: string) => ({ valid: false, why, detail }) as const

/**
 * Leaf first, anchor last. At each step an anchor is preferred, then a certificate that is valid now; the first that fits is taken
 * and there is no way back, which bounds the work.
 */
function findPath(
  leaf: Certificate,
  others: readonly Certificate[],
  { anchors, now, allowLegacy }: Trust,
): readonly Certificate[] | undefined {
  const same = (one: Certificate, other: Certificate) => one.der.equals(other.der)
  if (anchors.some(anchor => same(anchor, leaf))) return [leaf]
  const candidates = [anchors, others].flatMap(pool => [...pool].sort((a, b) => Number(isValidAt(b, now)) - Number(isValidAt(a, now))))
  const path = [leaf]
  for (let current = leaf; path.length < limits.certificationPathLengthMax; ) {
    const issuer = candidates.find(candidate => !path.includes(candidate) && isIssuedBy(current, candidate, allowLegacy))
    if (!issuer) return undefined
    path.push(issuer)
    if (anchors.includes(issuer)) return path
    current = issuer
  }
  return undefined
}

function faultOf(path: readonly Certificate[], trust: Trust): Verdict | undefined {
  const [leaf] = path
  for (const [index, certificate] of path.entries()) {
    const { unknownCritical, keyUsage, isAuthority, pathLengthMax, extendedKeyUsage } = certificate
    const name = `certificate ${index + 1} of the path`
    if (unknownCritical.length > 0)
      return invalid('unsupportedCertificate', `${name} has an unknown critical extension ${unknownCritical[0]}`)
    if (index > 0) {
      if (!isAuthority) return invalid('unsupportedCertificate', `${name} is no CA`)
      if (!(keyUsage?.includes('keyCertSign') ?? true)) return invalid('unsupportedCertificate', `${name} may not sign certificates`)
      // Those that a CA issues for itself do not count (RFC 5280 4.2.1.9).
      if (path.slice(1, index).filter(each => !isSelfIssued(each)).length > pathLengthMax)
        return invalid('unsupportedCertificate', `${name} allows ${pathLengthMax} CAs below it`)
    }
    const purposes = extendedKeyUsage ?? [anyExtendedKeyUsage]
    // The policy may insist on it by name.
    const { peer = 'client', requireClientAuthUsage } = trust
    const own = peer === 'client' ? clientAuthentication : serverAuthentication
    const fits = index === 0 && peer === 'client' && requireClientAuthUsage ? [own] : [own, anyExtendedKeyUsage]
    if (!purposes.some(purpose => fits.includes(purpose)))
      return invalid('unsupportedCertificate', `${name} is not for the authentication of ${peer}s`)
  }
  if (leaf && !(leaf.keyUsage?.includes('digitalSignature') ?? true)) return invalid('unsupportedCertificate', 'it may not sign')
  // After all else, so that "expired" means that nothing else is wrong.
  return revocation(path, trust) ?? expiry(path, trust.now)
}

function revocation(path: readonly Certificate[], { crls, now, allowLegacy }: Trust): Verdict | undefined {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1] ?? certificate
    const own = crls.filter(crl => isCrlOf(crl, issuer, allowLegacy))
    // A certificate that is on a list is revoked, however old the list is (Security 4.3.2).
    if (own.some(crl => crl.isRevoked(certificate))) return invalid('revoked', `certificate ${index + 1} of the path is revoked`)
    // Without any list nobody can be revoked; with lists that have all run out, nobody knows.
    const isCurrent = ({ thisUpdate, nextUpdate }: Crl) => thisUpdate <= now && (nextUpdate === undefined || now <= nextUpdate)
    if (own.length > 0 && index + 1 < path.length && !own.some(isCurrent))
      return invalid('revoked', `the CRL for certificate ${index + 1} of the path has expired`)
  }
  return undefined
}

function expiry(path: readonly Certificate[], now: Date): Verdict | undefined {
  const index = path.findIndex(certificate => !isValidAt(certificate, now))
  return index < 0 ? undefined : invalid('expired', `certificate ${index + 1} of the path is not valid at ${now.toISOString()}`)
}
