import { createHash, webcrypto } from 'node:crypto'
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { image, sha256 } from '../device/firmware/workbench.ts'

/** What becomes of an image when it runs: it passes its checks, it fails them, or it never gets so far that our code runs. */
export type Nature = 'good' | 'sick' | 'dead'

export interface SimulatedImage {
  readonly version: string
  readonly nature: Nature
  readonly epoch: number
  readonly sha256: string
  readonly bytes: Buffer
}

/** The same keys in every run of every process, or one seed would give two images: Ed25519 signs without chance (RFC 8032 5.1.6). */
async function keyPair(name: string): Promise<{ readonly pair: webcrypto.CryptoKeyPair; readonly pem: string }> {
  const secret = createHash('sha256').update(name).digest()
  // RFC 8410 7: PrivateKeyInfo with the 32 bytes of the key.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret])
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign'])
  const { x } = await webcrypto.subtle.exportKey('jwk', privateKey)
  const publicKey = await webcrypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x: x ?? '' }, 'Ed25519', true, ['verify'])
  return { pair: { privateKey, publicKey }, pem: `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n` }
}

/** When the images can be installed, by the clock of the device. */
export const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') }
const signingAlgorithm = { name: 'Ed25519' }
const [authority, signer] = await Promise.all([keyPair('authority'), keyPair('signer')])

const authorityCertificate = await X509CertificateGenerator.createSelfSigned({
  serialNumber: '01',
  name: 'CN=simulated authority',
  keys: authority.pair,
  signingAlgorithm,
  ...validity,
  extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
})
const signerCertificate = await X509CertificateGenerator.create({
  serialNumber: '02',
  subject: 'CN=simulated signer',
  issuer: 'CN=simulated authority',
  publicKey: signer.pair.publicKey,
  signingKey: authority.pair.privateKey,
  signingAlgorithm,
  ...validity,
  extensions: [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true), new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.3'])],
})

export const authorityPem = `${authorityCertificate.toString('pem')}\n`
const signerOrder = { keyPem: signer.pem, certificatePem: `${signerCertificate.toString('pem')}\n`, now: validity.notBefore }

async function make(minor: number, nature: Nature, epoch: number): Promise<SimulatedImage> {
  const version = `1.${minor}.0`
  const text = `${nature} firmware ${version}\n`
  const payload = Buffer.alloc(3_000 + minor * 700, text)
  return { version, nature, epoch, sha256: sha256(payload), bytes: await image(payload, { version, securityEpoch: epoch, ...signerOrder }) }
}

/** Every version in every nature; the later half raises the security epoch. */
export const images: readonly SimulatedImage[] = await Promise.all(
  [1, 2, 3, 4, 5, 6].flatMap(minor => (['good', 'sick', 'dead'] as const).map(nature => make(minor, nature, minor > 3 ? 1 : 0))),
)

/** What somebody on the way can do to an image. */
export const damages = ['none', 'signature', 'payload', 'truncated'] as const
export type Damage = (typeof damages)[number]

export function damaged({ bytes }: SimulatedImage, damage: Damage): Buffer {
  const copy = Buffer.from(bytes)
  const flip = (at: number) => void copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  // The last byte of the signed description, and a byte well inside of the payload.
  if (damage === 'signature') flip(copy.indexOf('"version"') + 3)
  if (damage === 'payload') flip(copy.indexOf(' firmware 1.') + 1_000)
  return damage === 'truncated' ? copy.subarray(0, copy.length - 2_000) : copy
}
