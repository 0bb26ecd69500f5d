import 'reflect-metadata'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import * as x509 from '@peculiar/x509'
import { ClientError } from '../../src/client/errors.ts'
import { type ClientOptions, connect } from '../../src/client/onvifClient.ts'
import { information } from './standIn.ts'

/** A device with a certificate that it made for itself, and that certificate. */
async function startTlsDevice(t: TestContext) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=camera',
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  const server = createServer({ key, cert: certificate.toString('pem') }, (_, response) => response.end(information()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}`, port, ca: certificate.toString('pem') }
}

async function modelOf(t: TestContext, url: string, options: ClientOptions = {}): Promise<string> {
  const client = connect(url, { timeoutMs: 5_000, ...options })
  t.after(() => client.close())
  return (await client.call('GetDeviceInformation', {})).Model
}

test('a certificate that nobody vouches for is not taken, unless one says so or names it', async t => {
  const { url, ca } = await startTlsDevice(t)
  await assert.rejects(modelOf(t, url), error => error instanceof ClientError && error.kind === 'untrusted')
  assert.equal(await modelOf(t, url, { insecure: true }), 'A1')
  assert.equal(await modelOf(t, url, { ca }), 'A1')
})

test('a named CA does not make up for the wrong host', async t => {
  const { port, ca } = await startTlsDevice(t)
  await assert.rejects(modelOf(t, `https://localhost:${port}`, { ca }), error => error instanceof ClientError && error.kind === 'untrusted')
})
