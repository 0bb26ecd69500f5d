import { createHmac, type KeyObject, pbkdf2, timingSafeEqual } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import forge from 'node-forge'
import {
  AuthenticatedSafe,
  CertBag,
  type ContentInfo,
  EncryptedData,
  type MacData,
  PBES2Params,
  PBKDF2Params,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  type SafeBag,
  SafeContents,
} from 'pkijs'
import { limits } from '../../../limits.ts'
import { assertOneDerValue, assertSize } from './der.ts'
import { assertRounds, type Budget, decrypt, newBudget, spendPbkdf2 } from './pbes2.ts'
import { readPrivateKey } from './privateKey.ts'
import { readingLater, X509Error } from './x509Error.ts'

const deriveLater = promisify(pbkdf2)

/** What of a PKCS #12 file matters here: one key pair, and the certificates in their order. */
export interface Pkcs12 {
  readonly privateKey: KeyObject
  readonly certificates: readonly Buffer[]
}

export interface Pkcs12Passphrases {
  /** Undefined: the file is not checked. */
  readonly integrity: string | undefined
  /** Whether it has to have a check at all. */
  readonly integrityRequired: boolean
  readonly encryption: string | undefined
}

const data = '1.2.840.113549.1.7.1'
const encryptedData = '1.2.840.113549.1.7.6'
const x509Certificate = '1.2.840.113549.1.9.22.1'

/**
 * Opens a PKCS #12 file (RFC 7292), whose structure pkijs reads; the MAC of its first version is node-forge's, that of PBMAC1
 * (RFC 9579) node:crypto's. What it costs is looked at before it is spent. Throws X509Error: `format`, `passphrase`, `publicKey`,
 * `mismatch`.
 */
export async function readPkcs12(der: Uint8Array, passphrases: Pkcs12Passphrases, allowLegacy: boolean): Promise<Pkcs12> {
  assertSize(der, limits.pkcs12BytesMax, 'PKCS #12 file')
  return readingLater('PKCS #12 file', async () => {
    assertOneDerValue(der)
    const pfx = PFX.fromBER(new Uint8Array(der))
    if (pfx.version !== 3 || pfx.authSafe.contentType !== data) throw new Error('another version, or signed with a public key')
    const safe = Buffer.from(pfx.authSafe.content.getValue())
    const budget = newBudget()
    if (!pfx.macData && passphrases.integrityRequired) throw new X509Error('format', 'the file has no check of its integrity')
    if (pfx.macData && passphrases.integrity !== undefined) await assertIntact(pfx.macData, safe, passphrases.integrity, budget)
    const bags = await openSafes(AuthenticatedSafe.fromBER(new Uint8Array(safe)).safeContents, passphrases.encryption, budget, allowLegacy)
    const certificates = bags.flatMap(({ bagValue }) => (bagValue instanceof CertBag ? [certificateOf(bagValue)] : []))
    const keys = bags.filter(({ bagValue }) => bagValue instanceof PKCS8ShroudedKeyBag || bagValue instanceof PrivateKeyInfo)
    const [first] = keys
    if (!first || keys.length > 1) throw new X509Error('format', `the file has ${keys.length} key pairs, and one is wanted`)
    if (certificates.length === 0) throw new X509Error('format', 'there is no certificate in the file')
    const pkcs8 = Buffer.from(first.bagValue.toSchema().toBER(false))
    return { certificates, privateKey: await readPrivateKey(pkcs8, passphrases.encryption, allowLegacy, budget) }
  })
}

async function openSafes(safes: readonly ContentInfo[], passphrase: string | undefined, budget: Budget, allowLegacy: boolean) {
  if (safes.length > limits.pkcs12BagsMax) throw new X509Error('format', `a PKCS #12 file has at most ${limits.pkcs12BagsMax} parts`)
  const bags: SafeBag[] = []
  for (const { contentType, content } of safes) {
    let der: ArrayBuffer | Uint8Array
    if (contentType === encryptedData) {
      const { encryptedContentInfo } = new EncryptedData({ schema: content })
      const { contentEncryptionAlgorithm } = encryptedContentInfo
      der = await decrypt(contentEncryptionAlgorithm, encryptedContentInfo.getEncryptedContent(), passphrase, budget, allowLegacy)
    } else if (contentType === data) der = content.getValue()
    else throw new X509Error('format', 'a part of the file is encrypted for a public key')
    bags.push(...SafeContents.fromBER(new Uint8Array(der)).safeBags)
    if (bags.length > limits.pkcs12BagsMax) throw new X509Error('format', `a PKCS #12 file has at most ${limits.pkcs12BagsMax} bags`)
  }
  return bags
}

function certificateOf(bag: CertBag): Buffer {
  if (bag.certId !== x509Certificate) throw new X509Error('format', 'a certificate in the file is not X.509')
  const { certValue } = bag
  if (!('getValue' in certValue)) throw new Error('no octets')
  return Buffer.from(certValue.getValue())
}

const digests: Readonly<Record<string, keyof typeof forge.md & ('sha1' | 'sha256' | 'sha384' | 'sha512')>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

const hmacs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

const pbmac1 = '1.2.840.113549.1.5.14'

async function assertIntact(macData: MacData, safe: Buffer, passphrase: string, budget: Budget): Promise<void> {
  const { digestAlgorithm, digest } = macData.mac
  const expected = Buffer.from(digest.getValue())
  let actual: Buffer
  if (digestAlgorithm.algorithmId === pbmac1) {
    // Its parameters are made like those of PBES2: a derivation, and what the key is for.
    const { keyDerivationFunc, encryptionScheme } = new PBES2Params({ schema: digestAlgorithm.algorithmParams })
    spendPbkdf2(keyDerivationFunc, budget)
    const { salt, iterationCount, keyLength, prf } = new PBKDF2Params({ schema: keyDerivationFunc.algorithmParams })
    const hash = hmacs[encryptionScheme.algorithmId]
    const prfHash = hmacs[prf?.algorithmId ?? '1.2.840.113549.2.7']
    if (hash === undefined || prfHash === undefined) throw new X509Error('format', 'the algorithm of the check is not known')
    // RFC 9579 5: the length is there, and not less than 20 bytes.
    if (keyLength === undefined || keyLength < 20 || keyLength > 64)
      throw new X509Error('format', 'the key of the check has a wrong length')
    const key = await deriveLater(passphrase, Buffer.from(salt.getValue()), iterationCount, keyLength, prfHash)
    actual = createHmac(hash, key).update(safe).digest()
  } else {
    const hash = digests[digestAlgorithm.algorithmId]
    if (hash === undefined) throw new X509Error('format', 'the algorithm of the check is not known')
    const { macSalt, iterations = 1 } = macData
    assertRounds(iterations, hash)
    await turn()
    const digester = forge.md[hash].create()
    const salt = forge.util.createBuffer(macSalt.getValue())
    const key = forge.pkcs12.generateKey(passphrase, salt, 3, iterations, digester.digestLength, digester)
    actual = createHmac(hash, Buffer.from(key.getBytes(), 'latin1')).update(safe).digest()
  }
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
    throw new X509Error('passphrase', 'the file was changed, or this is not its passphrase')
}
