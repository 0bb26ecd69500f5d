import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import { assertAlias, assertRoom, type Content, find, newId, type StoredCertificate, type StoredPath } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { type Certificate, isIssuedBy } from './x509/certificate.ts'

/** tas:CertificationPath. */
export interface CertificationPath {
  readonly id: string
  readonly alias: string | undefined
  readonly certificateIds: readonly string[]
}

export type Read = (entry: StoredCertificate) => Certificate

interface Parts {
  readonly content: ContentDocument
  readonly read: Read
  readonly allowLegacy: boolean
}

export type Paths = ReturnType<typeof createPaths>

/** Certification paths: a certificate, and each time the one that issued it (Security 5.2.6.3.8 to .12). */
export function createPaths({ content, read, allowLegacy }: Parts) {
  return {
    list: (): readonly CertificationPath[] => content.get().paths.map(visible),

    /** Throws CertificationPathID. */
    get: (id: string): CertificationPath => visible(find(content.get().paths, id, 'CertificationPathID')),

    /** Throws CertificateID, InvalidCertificationPath, MaximumNumberOfCertificationPathsReached. */
    create(certificateIds: readonly string[], alias?: string): string {
      assertAlias(alias)
      let id = ''
      content.change(all => {
        const added = addPath(all, read, certificateIds, allowLegacy, { alias })
        id = added.id
        return added.content
      })
      return id
    },

    /**
     * Takes effect at once where the path is assigned. Throws CertificationPathID, CertificateID, InvalidCertificationPath; the latter
     * also where the TLS server would lose its private key.
     */
    set(id: string, certificateIds: readonly string[], alias?: string): void {
      assertAlias(alias)
      const present = find(content.get().paths, id, 'CertificationPathID')
      content.change(all => {
        assertPath(all, read, certificateIds, allowLegacy)
        const [leaf = ''] = certificateIds
        if (all.tls.pathIds.includes(id) && !leafHasPrivateKey(all, leaf))
          throw fault('InvalidCertificationPath', 'the TLS server uses this path, and has no private key for its first certificate')
        const changed = { ...present, certificateIds: [...certificateIds], alias: alias ?? present.alias }
        return { ...all, paths: all.paths.map(each => (each.id === id ? changed : each)) }
      })
    },

    /** Throws CertificationPathID, ReferenceExists. */
    delete(id: string): void {
      find(content.get().paths, id, 'CertificationPathID')
      content.assertUnreferenced('paths', id)
      content.change(all => ({ ...all, paths: all.paths.filter(each => each.id !== id) }))
    },
  }
}

const visible = ({ id, alias, certificateIds }: StoredPath): CertificationPath => ({ id, alias, certificateIds })

export function addPath(
  all: Content,
  read: Read,
  certificateIds: readonly string[],
  allowLegacy: boolean,
  entry: { readonly alias?: string | undefined; readonly isMade?: boolean },
): { readonly id: string; readonly content: Content } {
  assertRoom(all.paths, limits.certificationPathsMax, 'MaximumNumberOfCertificationPathsReached')
  assertPath(all, read, certificateIds, allowLegacy)
  const id = newId('CertificationPath')
  return { id, content: { ...all, paths: [...all.paths, { ...entry, id, certificateIds: [...certificateIds] }] } }
}

function assertPath(all: Content, read: Read, certificateIds: readonly string[], allowLegacy: boolean): void {
  if (certificateIds.length === 0 || certificateIds.length > limits.certificationPathLengthMax)
    throw fault('InvalidCertificationPath', `a path has 1 to ${limits.certificationPathLengthMax} certificates`)
  const path = certificateIds.map(id => read(find(all.certificates, id, 'CertificateID')))
  path.forEach((certificate, index) => {
    const issuer = path[index + 1]
    if (issuer && !isIssuedBy(certificate, issuer, allowLegacy))
      throw fault('InvalidCertificationPath', `certificate ${index + 1} of the path is not signed by the next one`)
  })
}

export function leafHasPrivateKey(all: Content, certificateId: string): boolean {
  const { keyId } = find(all.certificates, certificateId, 'CertificateID')
  return find(all.keys, keyId, 'KeyID').privateKey !== undefined
}

/** From a certificate up to its root, as far as the keystore goes. */
export function pathFrom(all: Content, read: Read, certificateId: string, allowLegacy: boolean): readonly string[] {
  const path = [certificateId]
  for (let current = find(all.certificates, certificateId, 'CertificateID'); path.length < limits.certificationPathLengthMax; ) {
    const certificate = read(current)
    const issuer = all.certificates.find(
      each => !path.includes(each.id) && read(each).isAuthority && isIssuedBy(certificate, read(each), allowLegacy),
    )
    if (!issuer) break
    path.push(issuer.id)
    current = issuer
  }
  return path
}
