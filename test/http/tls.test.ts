import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { Socket } from 'node:net'
import { before, type TestContext, test } from 'node:test'
import { connect, TLSSocket } from 'node:tls'
import { at, clientExtensions, handClock, issue, lacksOpenssl, makeCrl, makeRoot, newKeystore } from '../device/certificates/lab.ts'
import { bring, certificateId, fingerprint, makeAuthority, openTls, sClient, serverExtensions, shows } from './tlsLab.ts'

const skip = lacksOpenssl
const ok = 'HTTP/1.1 200 OK'

before(() => {
  if (skip !== false) return
  makeAuthority('servers')
  issue('first', 'servers', serverExtensions('DNS:first.example.org', 'IP:127.0.0.1'))
  issue('second', 'servers', serverExtensions('DNS:second.example.org', 'DNS:*.second.example.org'), { type: 'rsa:2048' })
  makeAuthority('clients')
  issue('anna', 'clients', clientExtensions)
})

async function withFirst(t: TestContext, options: Parameters<typeof newKeystore>[0] = {}) {
  const keystore = newKeystore(options)
  const path = await bring(keystore, 'first', 'servers', 'servers-root')
  keystore.tls.addPath(path)
  return { keystore, path, ...(await openTls(t, keystore)) }
}

test('openssl sees exactly the path that is assigned, and its question comes by https', { skip, timeout: 30_000 }, async t => {
  const { port, soap } = await withFirst(t)
  for (const version of ['-tls1_2', '-tls1_3']) {
    const seen = await sClient(port, version, '-CAfile', at('servers-root.crt'), '-verify_return_error')
    assert.equal(seen.answer, ok, seen.output)
    assert.deepEqual(seen.chain, ['first', 'servers', 'servers-root'].map(fingerprint))
  }
  assert.equal(soap[0]?.origin.href, 'https://127.0.0.1/')
})

test('a version that is not enabled ends with protocol_version, from the next handshake on', { skip, timeout: 60_000 }, async t => {
  const { keystore, port } = await withFirst(t)
  const old = ['-cipher', 'DEFAULT@SECLEVEL=0']
  const outcomes = async () => {
    const seen: (string | number | undefined)[] = []
    for (const version of ['-tls1', '-tls1_1', '-tls1_2', '-tls1_3']) {
      const { alert, answer } = await sClient(port, version, ...(version === '-tls1_3' ? [] : old))
      seen.push(answer ?? alert)
    }
    return seen
  }
  assert.deepEqual(await outcomes(), [70, 70, ok, ok])
  keystore.tls.setVersions(['1.3'])
  assert.deepEqual(await outcomes(), [70, 70, 70, ok])
  keystore.tls.setVersions(['1.2'])
  assert.deepEqual(await outcomes(), [70, 70, ok, 70])
})

test('with legacy crypto the old versions can be enabled, also with a gap', { skip, timeout: 60_000 }, async t => {
  const { keystore, port } = await withFirst(t, { legacy: true })
  const old = ['-cipher', 'DEFAULT@SECLEVEL=0']
  assert.equal((await sClient(port, '-tls1_1', ...old)).alert, 70, 'off until a client enables it')
  keystore.tls.setVersions(['1.1', '1.3'])
  assert.equal((await sClient(port, '-tls1', ...old)).alert, 70)
  assert.equal((await sClient(port, '-tls1_1', ...old)).answer, ok)
  // Such a client asks for 1.2 or less, and ends it by itself when it is offered 1.1.
  assert.equal((await sClient(port, '-tls1_2', ...old)).answer, undefined)
  assert.equal((await sClient(port, '-tls1_3')).answer, ok)
})

test('no weak cipher, no compression, no ticket and no resumption, no renegotiation', { skip, timeout: 60_000 }, async t => {
  const { port } = await withFirst(t)
  for (const cipher of [
    'AES128-SHA',
    'AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-SHA',
    'ECDHE-ECDSA-AES256-SHA384',
    'DHE-RSA-AES128-GCM-SHA256',
  ]) {
    assert.equal((await sClient(port, '-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`)).alert, 40, cipher)
  }
  const { output } = await sClient(port, '-tls1_2')
  assert.match(output, /Compression: NONE/)
  assert.doesNotMatch(output, /TLS session ticket:/)
  const reused = await sClient(port, '-tls1_2', '-reconnect')
  assert.match(reused.output, /New, TLS/)
  assert.doesNotMatch(reused.output, /Reused, TLS/)
})

test('each host name gets the certificate that has it, any other the first one', { skip, timeout: 60_000 }, async t => {
  const { keystore, port } = await withFirst(t)
  keystore.tls.addPath(await bring(keystore, 'second', 'servers'))
  const leaf = async (...args: readonly string[]) => (await sClient(port, ...args)).chain[0]
  assert.equal(await leaf('-noservername'), fingerprint('first'))
  assert.equal(await leaf('-servername', 'elsewhere.example.org'), fingerprint('first'))
  assert.equal(await leaf('-servername', 'first.example.org'), fingerprint('first'))
  assert.equal(await leaf('-servername', 'SECOND.example.org'), fingerprint('second'))
  assert.equal(await leaf('-servername', 'one.second.example.org'), fingerprint('second'))
  assert.equal(await leaf('-servername', 'two.one.second.example.org'), fingerprint('first'), 'an asterisk is one label')
})

test('20 clients in a loop lose no request while the certificate is replaced 50 times', { skip, timeout: 120_000 }, async t => {
  const { keystore, path, port } = await withFirst(t)
  const other = await bring(keystore, 'second', 'servers', 'servers-root')
  const shown = new Set<string>()
  const failures: unknown[] = []
  let answered = 0
  let stop = false
  // Half of them keep their connection, the others make a new one for each request.
  const client = async (keepAlive: boolean) => {
    const agent = new Agent({ keepAlive, maxSockets: 1, ca: readFileSync(at('servers-root.crt')), checkServerIdentity: () => undefined })
    while (!stop) {
      try {
        shown.add(await askOnce(port, agent))
        answered++
      } catch (error) {
        failures.push(error)
      }
    }
    agent.destroy()
  }
  const clients = Array.from({ length: 20 }, (_, index) => client(index % 2 === 0))
  for (let i = 0; i < 50; i++) {
    const [from, to] = i % 2 === 0 ? [path, other] : [other, path]
    keystore.tls.replacePath(from, to)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  stop = true
  await Promise.all(clients)
  assert.deepEqual(failures, [])
  assert.ok(answered > 200, `${answered} requests were answered`)
  assert.deepEqual(shown, new Set([fingerprint('first'), fingerprint('second')]))
  t.diagnostic(`${answered} requests answered, none lost`)
})

/** What each connection was shown in its handshake. */
const shownOn = new WeakMap<Socket, string>()

/** Gives the fingerprint of the certificate of the connection that was asked on. */
function askOnce(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({ port, host: '127.0.0.1', method: 'POST', path: '/onvif/device_service', agent }, response => {
      const print = shownOn.get(response.socket) ?? ''
      response.resume().once('end', () => (response.statusCode === 200 ? resolve(print) : reject(new Error('no answer'))))
    })
    asking.once('socket', socket => {
      if (!(socket instanceof TLSSocket) || shownOn.has(socket)) return
      socket.once('secureConnect', () => shownOn.set(socket, socket.getPeerX509Certificate()?.fingerprint256 ?? ''))
    })
    asking.once('error', reject).end('<q/>')
  })
}

test('a connection lives on when its certificate is replaced', { skip, timeout: 30_000 }, async t => {
  const { keystore, path, port } = await withFirst(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  t.after(() => agent.destroy())
  assert.equal(await askOnce(port, agent), fingerprint('first'))
  keystore.tls.replacePath(path, await bring(keystore, 'second'))
  assert.equal(await askOnce(port, agent), fingerprint('first'))
  assert.equal((await sClient(port)).chain[0], fingerprint('second'))
})

async function withPolicy(t: TestContext, options: Parameters<typeof newKeystore>[0] = {}) {
  const made = await withFirst(t, options)
  const anchorIds = [certificateId(made.keystore, 'clients-root')]
  const policy = made.keystore.policies.create({ requireClientAuthUsage: true, useDeltaCrls: false, anchorIds })
  made.keystore.tls.addPolicy(policy)
  return { ...made, policy }
}

/** The answer or the alert that a client gets who shows this, in both versions. */
async function outcome(port: number, ...args: readonly string[]): Promise<readonly (string | number | undefined)[]> {
  const seen: (string | number | undefined)[] = []
  for (const version of ['-tls1_2', '-tls1_3']) {
    const { answer, alert } = await sClient(port, version, ...args)
    seen.push(answer ?? alert)
  }
  return seen
}

test('client certificates: issued, none, wrong CA, wrong usage, expired, revoked each get what TLS has for it', {
  skip,
  timeout: 120_000,
}, async t => {
  const clock = handClock()
  const { keystore, port, soap } = await withPolicy(t, { clock })
  makeRoot('stranger')
  issue('eve', 'stranger', clientExtensions)
  issue('web', 'clients', serverExtensions('DNS:web.example.org'))
  issue('gone', 'clients', clientExtensions)
  issue('brief', 'clients', clientExtensions, { days: '1' })

  assert.deepEqual(await outcome(port), [ok, ok], 'a certificate is optional')
  assert.deepEqual(soap.at(-1)?.certificateNames, undefined)
  assert.deepEqual(await outcome(port, ...shows('anna')), [ok, ok])
  assert.deepEqual(soap.at(-1)?.certificateNames, ['anna'])
  const asked = soap.length

  assert.deepEqual(await outcome(port, ...shows('eve', 'stranger')), [48, 48], 'unknown_ca')
  assert.deepEqual(await outcome(port, ...shows('anna', '')), [48, 48], 'without the CA in between it leads nowhere')
  assert.deepEqual(await outcome(port, ...shows('web')), [43, 43], 'unsupported_certificate')
  keystore.crls.upload(makeCrl('clients', ['gone']))
  assert.deepEqual(await outcome(port, ...shows('gone')), [44, 44], 'certificate_revoked')
  clock.time = new Date(Date.now() + 2 * 86_400_000)
  assert.deepEqual(await outcome(port, ...shows('brief')), [45, 45], 'certificate_expired, by the clock of the device')
  assert.equal(soap.length, asked, 'nothing that they asked was heard')

  keystore.tls.setClientAuthenticationRequired(true)
  assert.deepEqual(await outcome(port), [40, 116], 'handshake_failure, certificate_required')
  assert.deepEqual(await outcome(port, ...shows('anna')), [ok, ok])
  keystore.tls.setClientAuthenticationRequired(false)
  assert.deepEqual(await outcome(port), [ok, ok])
})

test('the alert comes with every cipher of TLS 1.3', { skip, timeout: 30_000 }, async t => {
  const { keystore, port } = await withPolicy(t)
  keystore.tls.setClientAuthenticationRequired(true)
  for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])
    assert.equal((await sClient(port, '-tls1_3', '-ciphersuites', suite)).alert, 116, suite)
})

test('a client that goes on after its alert is not heard, and cut off', { skip, timeout: 30_000 }, async t => {
  const { keystore, port, soap } = await withPolicy(t)
  keystore.tls.setClientAuthenticationRequired(true)
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.3' })
  socket.on('error', () => {})
  socket.write('POST /onvif/device_service HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n<q/>')
  await new Promise(resolve => socket.once('close', resolve))
  assert.equal(soap.length, 0)
})

test('the names of the CAs that are believed are sent to the client, and not asked for without a policy', {
  skip,
  timeout: 30_000,
}, async t => {
  const { keystore, port, policy } = await withPolicy(t)
  assert.match((await sClient(port)).output, /Acceptable client certificate CA names\nCN = clients-root/)
  keystore.tls.removePolicy(policy)
  assert.match((await sClient(port)).output, /No client certificate CA names sent/)
})
