import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { sha256 } from './workbench.ts'

const missing = ['openssl', 'cpio'].filter(command => spawnSync(command, ['--help'], { stdio: 'ignore' }).error)
/** For `skip` of a test. */
export const lacksTools = missing.length > 0 && `${missing.join(' and ')} not found: apt-get install openssl cpio`

const folder = mkdtempSync(join(tmpdir(), 'onvifd-openssl-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}

export type KeyType = 'rsa:2048' | 'rsa:1024' | 'P-256' | 'P-384' | 'secp256k1' | 'ed25519'

function makeKey(name: string, type: KeyType): void {
  const [kind, bits = ''] = type.split(':')
  const options: Readonly<Record<string, readonly string[]>> = {
    rsa: ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`],
    ed25519: ['-algorithm', 'ED25519'],
  }
  openssl('genpkey', ...(options[kind ?? ''] ?? ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${type}`]), '-out', `${name}.key`)
}

/** A self-signed root; its PEM. */
export function makeRoot(name: string, extensions: readonly string[] = [], type: KeyType = 'P-256'): string {
  makeKey(name, type)
  const all = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', ...extensions]
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    `${name}.key`,
    '-subj',
    `/CN=${name}`,
    '-days',
    '3650',
    '-out',
    `${name}.crt`,
    ...all.flatMap(line => ['-addext', line]),
  )
  return certificate(name)
}

export const leafExtensions = ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=codeSigning']
export const authorityExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']

export function makeCertificate(
  name: string,
  issuer: string,
  extensions: readonly string[] = leafExtensions,
  type: KeyType = 'P-256',
  days = 3650,
): void {
  makeKey(name, type)
  writeFileSync(at(`${name}.ext`), `subjectKeyIdentifier=hash\n${extensions.join('\n')}\n`)
  openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
  const issued = ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-extfile', `${name}.ext`]
  openssl('x509', '-req', '-in', `${name}.csr`, '-days', String(days), '-out', `${name}.crt`, ...issued)
}

/** A CRL by `issuer` that names these certificates, as PEM. */
export function makeCrl(
  issuer: string,
  revoked: readonly string[] = [],
  { from = new Date(Date.now() - 60_000), until = new Date(Date.now() + 86_400_000), more = [] as readonly string[], extensions = '' } = {},
): string {
  const stamp = (moment: Date): string => `${moment.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`
  const serial = (name: string): string => new X509Certificate(certificate(name)).serialNumber
  const lines = revoked.map(name => `R\t${stamp(until).slice(2)}\t${stamp(from).slice(2)}\t${serial(name)}\tunknown\t/CN=${name}\n`)
  writeFileSync(at('crl.index'), lines.join(''))
  writeFileSync(at('crl.number'), '01\n')
  const settings = ['[ca]', 'default_ca=a', '[a]', `database=${at('crl.index')}`, `crlnumber=${at('crl.number')}`, 'default_md=sha256']
  writeFileSync(at('crl.cnf'), `${settings.join('\n')}\n${extensions === '' ? '' : `crl_extensions=e\n[e]\n${extensions}\n`}`)
  const times = ['-crl_lastupdate', stamp(from), '-crl_nextupdate', stamp(until)]
  const who = ['-keyfile', at(`${issuer}.key`), '-cert', at(`${issuer}.crt`)]
  openssl('ca', '-gencrl', '-config', at('crl.cnf'), ...who, ...times, '-out', at('crl.pem'), ...more)
  return readFileSync(at('crl.pem'), 'utf8')
}

/** Runs openssl with files of its own: what goes in by name, what comes out under `out`. */
export function runOpenssl(input: Readonly<Record<string, string | Buffer>>, args: readonly string[]): Buffer {
  const work = at(`run-${images++}`)
  mkdirSync(work)
  for (const [name, bytes] of Object.entries(input)) writeFileSync(join(work, name), bytes)
  const [command = '', ...options] = args
  execFileSync('openssl', [command, '-out', 'out', ...options], { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] })
  return readFileSync(join(work, 'out'))
}

export const certificate = (name: string): string => readFileSync(at(`${name}.crt`), 'utf8')
export const key = (name: string): string => readFileSync(at(`${name}.key`), 'utf8')

export interface SwuOrder {
  readonly payload: Buffer
  readonly signers?: readonly string[]
  /** Certificates that go along in the signature. */
  readonly along?: readonly string[]
  /** Instead of `-md sha256`. */
  readonly signing?: readonly string[]
  readonly format?: 'crc' | 'newc'
  readonly description?: (sha256: string) => string
  /** What happens to the files between signing and packing. */
  readonly tamper?: (folder: string) => void
  readonly files?: readonly string[]
}

let images = 0

/** An image, made as a person makes it: with openssl and cpio alone. */
export function makeSwu(order: SwuOrder): Buffer {
  const {
    payload,
    signers = ['leaf'],
    along = [],
    signing = ['-md', 'sha256'],
    format = 'crc',
    description = describe(),
    tamper,
    files,
  } = order
  const work = at(`image-${images++}`)
  mkdirSync(work)
  writeFileSync(join(work, 'rootfs.img'), payload)
  writeFileSync(join(work, 'sw-description'), description(sha256(payload)))
  const who = signers.flatMap(name => ['-signer', at(`${name}.crt`), '-inkey', at(`${name}.key`)])
  // It takes one such file.
  writeFileSync(join(work, 'along'), along.map(certificate).join(''))
  const chain = along.length > 0 ? ['-certfile', join(work, 'along')] : []
  const paths = ['-in', join(work, 'sw-description'), '-out', join(work, 'sw-description.sig'), '-outform', 'DER']
  openssl('cms', '-sign', ...paths, ...who, ...chain, '-nosmimecap', '-binary', ...signing)
  tamper?.(work)
  const names = files ?? ['sw-description', 'sw-description.sig', 'rootfs.img']
  return execFileSync('cpio', ['-o', '-L', '-H', format], {
    cwd: work,
    input: `${names.join('\n')}\n`,
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1e9,
  })
}

type Software = Readonly<Record<string, unknown>>

/** The description that the README shows; `change` may alter it. */
export function describe(change: (software: Software, image: (device: string) => Software) => Software = software => software) {
  return (digest: string): string => {
    const image = (device: string): Software => ({
      filename: 'rootfs.img',
      device,
      type: 'raw',
      'installed-directly': true,
      sha256: digest,
      name: 'rootfs',
      version: '1.1.0',
      properties: { 'x-role': 'rootfs' },
    })
    const software = {
      version: '1.1.0',
      description: 'test firmware',
      'hardware-compatibility': ['1.0'],
      'x-onvif': { compatible: ['onvifd-virtual'], securityEpoch: 1 },
      stable: { 'copy-a': { images: [image('/dev/slot-a')] }, 'copy-b': { images: [image('/dev/slot-b')] } },
    }
    return JSON.stringify({ software: change(software, image) })
  }
}

/** What a tool says about an archive or a signature that we made; throws where it refuses. */
export function unpack(image: Buffer): (name: string) => Buffer {
  const work = at(`unpacked-${images++}`)
  mkdirSync(work)
  execFileSync('cpio', ['-i', '--quiet'], { cwd: work, input: image, stdio: ['pipe', 'ignore', 'pipe'] })
  return name => readFileSync(join(work, name))
}

export function verifyWithOpenssl(signature: Buffer, content: Buffer, caPem: string): void {
  const work = at(`verified-${images++}`)
  mkdirSync(work)
  for (const [name, bytes] of [
    ['s', signature],
    ['c', content],
    ['ca', caPem],
  ] as const)
    writeFileSync(join(work, name), bytes)
  const args = ['cms', '-verify', '-inform', 'DER', '-binary', '-purpose', 'any', '-out', join(work, 'out')]
  openssl(...args, '-in', join(work, 's'), '-content', join(work, 'c'), '-CAfile', join(work, 'ca'))
}
