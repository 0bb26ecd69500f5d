import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { PKCS8ShroudedKeyBag } from 'pkijs'
import { limits } from '../../../limits.ts'
import { assertStrong, keyBits } from './algorithms.ts'
import { assertOneDerValue, assertSize } from './der.ts'
import { type Budget, decrypt, newBudget } from './pbes2.ts'
import { reading, readingLater, X509Error } from './x509Error.ts'

const signLater = promisify(sign)
const verifyLater = promisify(verify)

/**
 * A key pair in PKCS #8, plain or encrypted (RFC 5958, the latter as `decrypt` takes it). Throws X509Error: `format`, `publicKey`,
 * `passphrase`, or `mismatch` where its numbers do not belong together.
 */
export async function readPrivateKey(
  der: Uint8Array,
  passphrase: string | undefined,
  allowLegacy: boolean,
  budget: Budget = newBudget(),
): Promise<KeyObject> {
  assertSize(der, limits.privateKeyBytesMax, 'key pair in PKCS #8')
  return readingLater('key pair in PKCS #8', async () => {
    assertOneDerValue(der)
    const bag = encryptedKey(der)
    if (!bag) return await readPlain(der)
    const plain = await decrypt(bag.encryptionAlgorithm, bag.encryptedData.getValue(), passphrase, budget, allowLegacy)
    // A wrong passphrase gives a valid padding once in 256 times, and then no key.
    return await readPlain(plain).catch(cause => {
      throw cause instanceof X509Error && cause.kind !== 'format'
        ? cause
        : new X509Error('passphrase', 'it does not open with this passphrase', { cause })
    })
  })
}

/** Undefined where it begins as a plain one does, with a version. */
function encryptedKey(der: Uint8Array): PKCS8ShroudedKeyBag | undefined {
  try {
    return PKCS8ShroudedKeyBag.fromBER(new Uint8Array(der))
  } catch {
    return undefined
  }
}

async function readPlain(der: Uint8Array): Promise<KeyObject> {
  const key = reading('key pair in PKCS #8', () => createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }))
  assertStrong(key)
  if (key.asymmetricKeyType === 'rsa-pss' || keyBits(key) > limits.privateRsaBitsMax)
    throw new X509Error('publicKey', `a key pair is RSA with at most ${limits.privateRsaBitsMax} bits, or EC`)
  // Its public half is not calculated from the private one, but written beside it.
  const sample = randomBytes(32)
  const isPair = await signLater('sha256', sample, key)
    .then(signature => verifyLater('sha256', sample, createPublicKey(key), signature))
    .catch(() => false)
  if (!isPair) throw new X509Error('mismatch', 'the private key does not go with the public key beside it')
  return key
}
