import assert from 'node:assert/strict'
import { KeyObject, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { certificateStatus, clientMode, createCertificate, loadAuthorities, tds } from '../../support/certificateRequests.ts'
import { admin, startDaemon } from '../../support/daemon.ts'
import { envelope } from '../../support/device.ts'
import { makeIdentity } from '../../support/identities.ts'

/** A connection that stays, over which one request follows the other. */
async function open(t: TestContext, port: number, options: ConnectionOptions = {}) {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  return {
    shown: new X509Certificate(socket.getPeerCertificate().raw),
    async ask(body: string): Promise<string> {
      const message = envelope(body, admin)
      socket.write(
        `POST /onvif/device_service HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/soap+xml\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
      )
      let answer = ''
      while (!/<\/\w+:Envelope>/.test(answer)) {
        const [piece] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })
        answer += piece
      }
      assert.match(answer, /^HTTP\/1\.1 200 /, answer)
      return answer
    },
  }
}

async function secureDevice(t: TestContext) {
  const { url } = await startDaemon(t, ['--tls', 'self-signed', '--https-port', '0'])
  const plain = async (body: string) => (await fetch(url, { method: 'POST', body: envelope(body, admin) })).text()
  const port = /HTTPS<.*?Port>(\d+)</s.exec(await plain(tds('GetNetworkProtocols')))?.[1]
  return { plain, port: Number(port ?? assert.fail('no HTTPS')) }
}

test('the answer leaves by the connection that the request came by; the next one shows the other certificate', async t => {
  const { port } = await secureDevice(t)
  const first = await open(t, port)
  const before = /CertificateID>([^<]+)</.exec(await first.ask(tds('GetCertificatesStatus')))?.[1] ?? ''
  const made = new X509Certificate(Buffer.from(/Data>([^<]+)</.exec(await first.ask(createCertificate('next')))?.[1] ?? '', 'base64'))
  assert.notEqual(first.shown.fingerprint256, made.fingerprint256)
  const [off, on] = [certificateStatus(before, false), certificateStatus('next', true)]
  await first.ask(off.replace('</tds:SetCertificatesStatus>', on.replace('<tds:SetCertificatesStatus>', '')))
  assert.match(await first.ask(tds('GetCertificatesStatus')), />next<\/tt:CertificateID><tt:Status>true</)
  const second = await open(t, port)
  assert.equal(second.shown.fingerprint256, made.fingerprint256)
  assert.match(await second.ask(tds('GetClientCertificateMode')), />false</)
})

test('clients are asked for a certificate from the next connection on', async t => {
  const { port, plain } = await secureDevice(t)
  const authority = await makeIdentity('authority', { isAuthority: true })
  const client = await makeIdentity('client', { issuer: authority })
  const first = await open(t, port)
  await first.ask(loadAuthorities(['authority', authority.der]))
  await first.ask(clientMode(true))
  assert.match(await first.ask(tds('GetClientCertificateMode')), />true</, 'this connection goes on')

  const nameless = open(t, port).then(({ ask }) => ask(tds('GetCertificates')))
  await assert.rejects(nameless, /alert|ECONNRESET|EPIPE/)
  const identity = {
    key: KeyObject.from(client.keys.privateKey).export({ type: 'pkcs8', format: 'pem' }),
    cert: new X509Certificate(client.der).toString(),
  }
  const known = await open(t, port, identity)
  assert.match(await known.ask(tds('GetCACertificates')), />authority</)
  assert.match(await plain(clientMode(false)), /SetClientCertificateModeResponse/)
  assert.match(await (await open(t, port)).ask(tds('GetClientCertificateMode')), />false</)
})
