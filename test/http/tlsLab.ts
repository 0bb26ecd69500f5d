import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createHttpServer, type HttpOptions, portOf } from '../../src/http/server.ts'
import type { SoapRequest } from '../../src/soap/message.ts'
import { at, authorityExtensions, issue, makeRoot, type newKeystore, read, silent } from '../device/certificates/lab.ts'
import { noFirmware, soapAnswer } from './door.ts'

export type Keystore = ReturnType<typeof newKeystore>

export const serverExtensions = (...names: readonly string[]): readonly string[] => [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=serverAuth',
  `subjectAltName=${names.join(',')}`,
]

/** A root and a CA below it, made by openssl; `NAME-root` and `NAME`. */
export function makeAuthority(name: string): void {
  makeRoot(`${name}-root`)
  issue(name, `${name}-root`, authorityExtensions)
}

/** Brings in what openssl made, and gives the ID of the path from the certificate to the CA. */
export async function bring(keystore: Keystore, name: string, ...above: readonly string[]): Promise<string> {
  await keystore.keys.upload(read(`${name}.p8`))
  return keystore.paths.create([name, ...above].map(each => certificateId(keystore, each)))
}

export function certificateId({ certificates }: Keystore, name: string): string {
  const bytes = read(`${name}.der`)
  return certificates.list().find(({ der }) => der.equals(bytes))?.id ?? certificates.upload(bytes).id
}

/** An HTTPS port of the loopback in front of a service that notes what it is given. */
export async function openTls(t: TestContext, keystore: Keystore, options: Partial<HttpOptions> = {}) {
  const soap: SoapRequest[] = []
  const server = createHttpServer({
    handle: async request => {
      soap.push(request)
      return soapAnswer('<ok/>')
    },
    authenticator: { authenticate: () => ({ kind: 'anonymous' }), challenges: () => [], permits: () => true },
    uploads: new Map(),
    downloads: new Map(),
    firmware: noFirmware,
    logs: { system: silent, access: silent },
    tls: keystore.tls,
    ...options,
  })
  const port = portOf(await server.listen('127.0.0.1', 0, 'https'))
  t.after(() => server.close())
  return { server, port, soap }
}

const question = 'POST /onvif/device_service HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<q/>'

export interface Seen {
  readonly output: string
  /** The number of the alert that openssl was sent. */
  readonly alert: number | undefined
  /** SHA-256 fingerprints of the certificates that it was shown. */
  readonly chain: readonly string[]
  /** Status line of the answer. */
  readonly answer: string | undefined
}

/** The real client of OpenSSL, which asks one SOAP question. */
export async function sClient(port: number, ...args: readonly string[]): Promise<Seen> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts', '-ign_eof', ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', piece => (output += String(piece)))
  child.stdin.on('error', () => {})
  child.stdin.write(question)
  const deadline = setTimeout(() => child.kill(), 10_000)
  await new Promise(resolve => child.once('close', resolve))
  clearTimeout(deadline)
  const alert = /SSL alert number (\d+)/.exec(output)?.[1]
  const certificates = output.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return {
    output,
    alert: alert === undefined ? undefined : Number(alert),
    // s_client prints the first one a second time.
    chain: [...new Set(certificates.map(pem => new X509Certificate(pem).fingerprint256))],
    answer: /^HTTP\/1\.1 .*$/m.exec(output)?.[0].trim(),
  }
}

export const fingerprint = (name: string): string => new X509Certificate(read(`${name}.crt`)).fingerprint256

/** What openssl needs to show a certificate, with the CA that issued it. */
export const shows = (name: string, chain = 'clients'): readonly string[] => [
  ...['-cert', at(`${name}.crt`), '-key', at(`${name}.key`)],
  ...(chain === '' ? [] : ['-cert_chain', at(`${chain}.crt`)]),
]
