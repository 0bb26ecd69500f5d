import { setImmediate as turn } from 'node:timers/promises'
import forge from 'node-forge'
import { type AlgorithmIdentifier, EncryptedContentInfo, EncryptedData, PBES2Params, PBKDF2Params, PKCS8ShroudedKeyBag } from 'pkijs'
import { limits } from '../../../limits.ts'
import { X509Error } from './x509Error.ts'

declare module 'node-forge' {
  namespace pki {
    namespace pbe {
      /** Left out of its types. */
      function getCipher(oid: string, parameters: asn1.Asn1, password: string): cipher.BlockCipher
    }
  }
}

const pbes2 = '1.2.840.113549.1.5.13'
/** With keys of 128, 192 and 256 bits. */
const aesCbc: readonly string[] = ['2.16.840.1.101.3.4.1.2', '2.16.840.1.101.3.4.1.22', '2.16.840.1.101.3.4.1.42']
const pbkdf2 = '1.2.840.113549.1.5.12'
/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 C). Those with RC2 and RC4 are broken, and refused whatever the operator says. */
export const pbeTripleDes = '1.2.840.113549.1.12.1.3'

/** Rounds that a file may still cost: it may have many parts, each with a number of its own. */
export interface Budget {
  pbkdf2Rounds: number
}

export const newBudget = (): Budget => ({ pbkdf2Rounds: limits.pbkdf2RoundsMax })

/**
 * Decrypts what a passphrase protects: PBES2 with PBKDF2 and AES-CBC (RFC 8018 6.2), on another thread; 3DES of PKCS #12 only where
 * the operator allows it. How much work it is gets looked at first. Throws X509Error: `passphrase` or `format`.
 */
export async function decrypt(
  algorithm: AlgorithmIdentifier,
  encrypted: ArrayBuffer,
  passphrase: string | undefined,
  budget: Budget,
  allowLegacy: boolean,
): Promise<Buffer> {
  if (passphrase === undefined) throw new X509Error('passphrase', 'it is encrypted, and no passphrase was given')
  if (algorithm.algorithmId === pbeTripleDes && allowLegacy) return decryptTripleDes(algorithm, encrypted, passphrase)
  if (algorithm.algorithmId !== pbes2)
    throw new X509Error('format', `the encryption ${algorithm.algorithmId} is not taken: use PBES2 with PBKDF2 and AES`)
  const { keyDerivationFunc, encryptionScheme } = new PBES2Params({ schema: algorithm.algorithmParams })
  if (!aesCbc.includes(encryptionScheme.algorithmId)) throw new X509Error('format', 'the encryption is not AES-CBC')
  spendPbkdf2(keyDerivationFunc, budget)
  const content = new EncryptedContentInfo({ contentEncryptionAlgorithm: algorithm })
  const bag = new PKCS8ShroudedKeyBag({ encryptionAlgorithm: algorithm })
  bag.encryptedData.valueBlock.valueHexView = new Uint8Array(encrypted)
  content.encryptedContent = bag.encryptedData
  try {
    const password = new Uint8Array(Buffer.from(passphrase)).buffer
    return Buffer.from(await new EncryptedData({ encryptedContentInfo: content }).decrypt({ password }))
  } catch (cause) {
    throw new X509Error('passphrase', 'it does not open with this passphrase', { cause })
  }
}

/** Throws X509Error where it is not PBKDF2, or more work than is left. */
export function spendPbkdf2(derivation: AlgorithmIdentifier, budget: Budget): void {
  if (derivation.algorithmId !== pbkdf2) throw new X509Error('format', 'the key derivation is not PBKDF2')
  const { iterationCount } = new PBKDF2Params({ schema: derivation.algorithmParams })
  if (!Number.isInteger(iterationCount) || iterationCount < 1) throw new X509Error('format', 'the number of rounds is none')
  budget.pbkdf2Rounds -= iterationCount
  if (budget.pbkdf2Rounds < 0) throw new X509Error('format', `more than ${limits.pbkdf2RoundsMax} rounds of PBKDF2 are not done`)
}

async function decryptTripleDes(algorithm: AlgorithmIdentifier, encrypted: ArrayBuffer, passphrase: string): Promise<Buffer> {
  const der = algorithm.algorithmParams.toBER(false)
  const parameters = forge.asn1.fromDer(forge.util.createBuffer(der))
  assertRounds(roundsOf(parameters), 'sha1')
  await turn()
  const cipher = forge.pki.pbe.getCipher(pbeTripleDes, parameters, passphrase)
  cipher.update(forge.util.createBuffer(encrypted))
  if (!cipher.finish()) throw new X509Error('passphrase', 'it does not open with this passphrase')
  return Buffer.from(cipher.output.getBytes(), 'latin1')
}

/** pkcs-12PbeParams: salt and rounds. */
function roundsOf(parameters: forge.asn1.Asn1): number {
  const rounds = Array.isArray(parameters.value) ? parameters.value[1]?.value : undefined
  if (typeof rounds !== 'string' || rounds.length > 4) throw new X509Error('format', 'the number of rounds cannot be read')
  return Buffer.from(rounds, 'latin1').reduce((sum, byte) => sum * 256 + byte, 0)
}

/** The derivation of PKCS #12 runs here and now, and the wide digests take twice the time. */
export function assertRounds(rounds: number, digest: string): void {
  const max = /384|512/.test(digest) ? limits.pkcs12RoundsMax / 2 : limits.pkcs12RoundsMax
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > max)
    throw new X509Error('format', `between 1 and ${max} rounds of the key derivation of PKCS #12 are done`)
}
