import type { webcrypto } from 'node:crypto'

/** A certification authority for firmware on one's own desk, and one signer below it; everything as PEM. */
export interface DevelopmentCa {
  readonly caPem: string
  /** Secret. With it new signers can be made; the device does not need it. */
  readonly caKeyPem: string
  readonly signerPem: string
  /** Secret: whoever has it can put any firmware on the device. */
  readonly signerKeyPem: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const validityYears = 20

/** Takes about 0.2 s, most of it to load the library: not something to wait for at a start. */
export async function makeDevelopmentCa(now: Date): Promise<DevelopmentCa> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const { BasicConstraintsExtension, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension } = x509
  const [caKeys, signerKeys] = await Promise.all([newKeys(), newKeys()])
  const notAfter = new Date(now)
  notAfter.setUTCFullYear(now.getUTCFullYear() + validityYears)
  // A device whose clock is a little behind the one that made it takes it, too.
  const validity = { notBefore: new Date(now.getTime() - 86_400_000), notAfter }
  const caName = 'CN=onvifd development firmware CA'

  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: caName,
    keys: caKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const signer = await x509.X509CertificateGenerator.create({
    subject: 'CN=onvifd development firmware signer',
    issuer: caName,
    publicKey: signerKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      // SWUpdate asks for emailProtection unless it is told otherwise.
      new ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.codeSigning, x509.ExtendedKeyUsage.emailProtection]),
      await x509.SubjectKeyIdentifierExtension.create(signerKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  return {
    caPem: `${ca.toString('pem')}\n`,
    caKeyPem: await toPem(caKeys.privateKey),
    signerPem: `${signer.toString('pem')}\n`,
    signerKeyPem: await toPem(signerKeys.privateKey),
  }
}

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n')
}
