import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createKeystore } from '../../../src/device/certificates/keystore.ts'
import { createSeal } from '../../../src/device/seal.ts'
import { openStore, type Store } from '../../../src/device/store.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import type { Clock, Log } from '../../../src/platform/platform.ts'

/** For `skip` of a test. */
export const lacksOpenssl =
  spawnSync('openssl', ['version'], { stdio: 'ignore' }).error !== undefined && 'openssl not found: apt-get install openssl'

const folder = mkdtempSync(join(tmpdir(), 'onvifd-certificates-'))
after(() => rmSync(folder, { recursive: true, force: true }))
export const at = (name: string): string => join(folder, name)
export const read = (name: string): Buffer => readFileSync(at(name))
export const write = (name: string, bytes: string | Uint8Array): void => writeFileSync(at(name), bytes)

/** Runs the real tool in the folder of the test, and gives what it prints. */
export const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Stands still until somebody moves it. */
export function handClock(start = new Date()) {
  const clock: Clock & { time: Date } = {
    time: start,
    now: () => clock.time,
    monotonicMs: () => 0,
    async set(utc) {
      clock.time = utc
    },
    after: () => () => {},
  }
  return clock
}

export const deviceKey = randomBytes(32)

export function keystoreOn(
  store: Store,
  { legacy = false, tls = () => false, clock = handClock(), key = deviceKey, onKeyStatus = () => {} }: Options = {},
) {
  return createKeystore({ store, seal: createSeal(key), clock, log: silent, allowLegacy: legacy, isTlsEnabled: tls, onKeyStatus })
}

interface Options {
  readonly legacy?: boolean
  readonly tls?: () => boolean
  readonly clock?: Clock
  readonly key?: Buffer
  readonly onKeyStatus?: (id: string, status: string, before: string | undefined) => void
}

export function newKeystore(options?: Options) {
  const store = openStore(':memory:')
  return { ...keystoreOn(store, options), store, state: () => JSON.stringify(store.exportDocuments()) }
}

/** The last subcode of the fault that `work` ends with; anything else that it throws goes on. */
export async function faultOf(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof SoapFault) return error.subcodes.at(-1) ?? ''
    throw error
  }
  return 'none'
}

export type KeyType = 'rsa:2048' | 'rsa:3072' | 'P-256' | 'P-384'

export function makeKey(name: string, type: KeyType | 'rsa:1024' | 'secp256k1' | 'ed25519' = 'P-256'): void {
  const [kind, bits = ''] = type.split(':')
  const options: Readonly<Record<string, readonly string[]>> = {
    rsa: ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`],
    ed25519: ['-algorithm', 'ED25519'],
  }
  openssl('genpkey', ...(options[kind ?? ''] ?? ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${type}`]), '-out', `${name}.key`)
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', `${name}.key`, '-outform', 'DER', '-out', `${name}.p8`)
}

/** A root of its own; its certificate as DER. */
export function makeRoot(name: string, type: KeyType = 'P-256', extensions: readonly string[] = []): Buffer {
  makeKey(name, type)
  const all = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', ...extensions]
  const args = ['-subj', `/CN=${name}`, '-days', '3650', '-out', `${name}.crt`, ...all.flatMap(line => ['-addext', line])]
  openssl('req', '-x509', '-new', '-key', `${name}.key`, ...args)
  return der(name)
}

export const authorityExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
export const clientExtensions = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=clientAuth']

/** Signs a certificate with a key of its own, or the request that the file NAME.csr holds already. */
export function issue(
  name: string,
  issuer: string,
  extensions: readonly string[],
  { days = '3650', type = 'P-256', csr = false }: IssueOptions = {},
) {
  write(`${name}.ext`, `subjectKeyIdentifier=hash\n${extensions.join('\n')}\n`)
  if (!csr) {
    makeKey(name, type)
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
  }
  const issued = ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-extfile', `${name}.ext`]
  openssl('x509', '-req', '-in', `${name}.csr`, ...(csr ? ['-inform', 'DER'] : []), '-days', days, '-out', `${name}.crt`, ...issued)
  return der(name)
}

interface IssueOptions {
  readonly days?: string
  readonly type?: KeyType
  readonly csr?: boolean
}

export function der(name: string): Buffer {
  openssl('x509', '-in', `${name}.crt`, '-outform', 'DER', '-out', `${name}.der`)
  return read(`${name}.der`)
}

/** A CRL of `issuer` that revokes these. */
export function makeCrl(issuer: string, revoked: readonly string[], days = '30'): Buffer {
  const config = `[ca]\ndefault_ca=d\n[d]\ndatabase=${at(`${issuer}.db`)}\ncrlnumber=${at(`${issuer}.num`)}\ndefault_md=sha256\n`
  write(`${issuer}.cnf`, config)
  write(`${issuer}.num`, '01\n')
  const lines = revoked.map(name => {
    const serial = openssl('x509', '-in', `${name}.crt`, '-noout', '-serial').trim().split('=')[1]
    return `R\t391231235959Z\t260101000000Z\t${serial}\tunknown\t/CN=${name}\n`
  })
  write(`${issuer}.db`, lines.join(''))
  const out = ['-out', `${issuer}.crl`, '-crldays', days]
  openssl('ca', '-gencrl', '-config', `${issuer}.cnf`, '-keyfile', `${issuer}.key`, '-cert', `${issuer}.crt`, ...out)
  openssl('crl', '-in', `${issuer}.crl`, '-outform', 'DER', '-out', `${issuer}.crl.der`)
  return read(`${issuer}.crl.der`)
}
