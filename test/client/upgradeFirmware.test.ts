import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ClientError } from '../../src/client/errors.ts'
import { connect } from '../../src/client/onvifClient.ts'
import { UpgradeError, type UpgradeProgress, upgradeFirmware } from '../../src/client/upgradeFirmware.ts'
import type { UploadSource } from '../../src/client/upload.ts'
import { createDigestGate, faultXml, password, user } from './standIn.ts'
import { bytes, type Device, source, startDevice } from './upgradableDevice.ts'

async function upgrade(
  t: TestContext,
  device: Device,
  image: UploadSource = source(),
  options: Parameters<typeof upgradeFirmware>[2] = {},
) {
  const client = connect(device.url, { user, password, timeoutMs: 5_000 })
  t.after(() => client.close())
  return upgradeFirmware(client, image, { downTimeMaxMs: 10_000, ...options })
}

test('sends the image as it is, waits out the reboot and gives both versions', async t => {
  const device = await startDevice(t)
  const seen: UpgradeProgress[] = []
  const image = source()
  const result = await upgrade(t, device, image, { onProgress: progress => seen.push(progress) })
  assert.deepEqual(result, { oldVersion: '1.0.0', newVersion: '1.1.0', message: 'accepted', wasAway: true })

  const [upload] = device.uploads
  assert.ok(upload)
  assert.ok(upload.image.equals(bytes))
  assert.equal(device.uploads.length, 1)
  assert.equal(image.opened(), 1, 'the body is sent once')
  assert.equal(upload.request.headers.expect, '100-continue')
  assert.equal(upload.request.headers['content-type'], 'application/octet-stream')
  assert.equal(upload.request.headers['content-length'], String(bytes.length))

  const sent = seen.flatMap(progress => (progress.phase === 'upload' ? [progress.sentBytes] : []))
  assert.deepEqual(
    sent,
    [...sent].sort((a, b) => a - b),
  )
  assert.equal(sent.at(0), 0)
  assert.equal(sent.at(-1), bytes.length)
  assert.deepEqual(
    seen.filter(({ phase }) => phase !== 'upload').map(({ phase }) => phase),
    ['install', 'reboot'],
  )
})

test('gets its 401 before the body is sent when the upload wants another log-in than the service', async t => {
  const gate = createDigestGate('MD5')
  const device = await startDevice(t, {
    challenge: false,
    refuseHead(request, response) {
      if (gate.check({ request, operation: '', body: '' }) === 'good') return false
      response.writeHead(401, { 'www-authenticate': gate.challenge() }).end()
      return true
    },
  })
  const image = source()
  assert.equal((await upgrade(t, device, image)).newVersion, '1.1.0')
  assert.equal(image.opened(), 1)
})

test('sends the body unasked to a device that knows no Expect, and only once when it knows the log-in already', async t => {
  const device = await startDevice(t, { ignoresExpect: true })
  const image = source()
  assert.equal((await upgrade(t, device, image, { continueTimeoutMs: 20 })).newVersion, '1.1.0')
  assert.equal(image.opened(), 1)
})

test('waits the delay that the device asks for, and refuses one without end', async t => {
  const device = await startDevice(t, { delay: 'PT0.2S' })
  const seen: UpgradeProgress[] = []
  const times: number[] = []
  await upgrade(t, device, source(), {
    onProgress(progress) {
      seen.push(progress)
      times.push(performance.now())
    },
  })
  const [asked = 0, begun = 0] = times
  assert.ok(begun - asked >= 199)
  assert.deepEqual(seen[0], { phase: 'delay', delayMs: 200 })
  await assert.rejects(upgrade(t, await startDevice(t, { delay: 'P9Y' })), /minutes before the upload/)
})

test('does without the estimates that a device leaves out', async t => {
  const device = await startDevice(t, { withoutEstimates: true })
  assert.equal((await upgrade(t, device)).newVersion, '1.1.0')
})

test('finds the device where the upload address only makes sense inside of its network', async t => {
  const closed = createTcpServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const device = await startDevice(t, { uploadUri: () => `http://127.0.0.2:${port}/upload/1` })
  assert.equal((await upgrade(t, device)).newVersion, '1.1.0')
  const relative = await startDevice(t, { uploadUri: () => '/upload/2' })
  assert.equal((await upgrade(t, relative)).newVersion, '1.1.0')
})

const refusals: readonly (readonly [status: number, type: string, body: string, says: RegExp])[] = [
  [
    415,
    'text/plain',
    'signature the signer is\u001b[31m not trusted\n',
    /^the device refuses the image: signature the signer is \[31m not trusted$/,
  ],
  [415, 'text/html', '<h1>no</h1>', /^the device refuses the image$/],
  [500, 'text/plain', 'nospace', /^the upload failed with HTTP 500 Internal Server Error: nospace$/],
  [503, 'application/soap+xml', faultXml('Receiver', ['Action'], 'busy'), /^the upload failed with HTTP 503 Service Unavailable: busy$/],
]

for (const [status, type, body, says] of refusals) {
  test(`tells what the device said with ${status} in ${type}`, async t => {
    const device = await startDevice(t, { takeImage: (_, response) => response.writeHead(status, { 'content-type': type }).end(body) })
    await assert.rejects(upgrade(t, device), error => {
      assert.ok(error instanceof UpgradeError)
      assert.equal(error.status, status)
      assert.match(error.message, says)
      return true
    })
  })
}

test('stops sending when the device refuses in the middle of the body', async t => {
  const device = await startDevice(t, {
    refuseHead(request, response) {
      response.writeContinue()
      request.once('data', () => response.writeHead(415, { 'content-type': 'text/plain', connection: 'close' }).end('format no image'))
      return true
    },
  })
  const image = source(Buffer.alloc(60_000_000))
  let sent = 0
  const outcome = upgrade(t, device, image, {
    onProgress(progress) {
      if (progress.phase === 'upload') sent = progress.sentBytes
    },
  })
  await assert.rejects(outcome, /the device refuses the image: format no image/)
  assert.ok(sent < image.sizeBytes, `${sent} bytes were sent`)
})

test('a log-in that the upload refuses is told, after one try', async t => {
  const gate = createDigestGate('MD5')
  let tries = 0
  const device = await startDevice(t, {
    challenge: false,
    refuseHead(_, response) {
      tries++
      response.writeHead(401, { 'www-authenticate': gate.challenge() }).end()
      return true
    },
  })
  await assert.rejects(upgrade(t, device), error => error instanceof UpgradeError && error.status === 401)
  assert.equal(tries, 2)
})

test('a device that is no onvifd is asked nothing new', async t => {
  const device = await startDevice(t)
  await upgrade(t, device)
  assert.deepEqual([...new Set(device.asked)], ['POST /upload/1'])
})

test('an onvifd without a door for questions is waited for like any other device', async t => {
  const device = await startDevice(t, {
    takeImage(_, response, own) {
      response.writeHead(200, { 'content-type': 'text/plain', 'x-onvifd-transaction': '01HX' }).end('accepted')
      own.reboot('1.1.0')
    },
  })
  const result = await upgrade(t, device)
  assert.deepEqual(result, { oldVersion: '1.0.0', newVersion: '1.1.0', message: 'accepted', wasAway: true })
  assert.ok(device.asked.includes('GET /onvif/firmware'))
})

test('an upload that breaks off is told, and nobody waits for a reboot', async t => {
  const device = await startDevice(t, {
    refuseHead(request, response) {
      response.writeContinue()
      request.once('data', () => request.socket.destroy())
      return true
    },
  })
  await assert.rejects(
    upgrade(t, device, source(Buffer.alloc(60_000_000))),
    error => error instanceof ClientError && error.kind === 'closed',
  )
  assert.deepEqual(device.asked.slice(-2), ['POST /upload/1', 'HEAD /upload/1'], 'it is asked once, and says that it does not know')
})

test('a device that calls every nonce stale is given up', async t => {
  const gate = createDigestGate('MD5')
  let tries = 0
  const device = await startDevice(t, {
    challenge: false,
    refuseHead(_, response) {
      tries++
      response.writeHead(tries < 10 ? 401 : 500, { 'www-authenticate': gate.challenge(true) }).end()
      return true
    },
  })
  await assert.rejects(upgrade(t, device), error => error instanceof UpgradeError && error.status === 401)
  assert.equal(tries, 3)
})

test('a device that restarts without an answer has taken the image if it says so afterwards', async t => {
  const device = await startDevice(t, {
    takeImage(_, response, self) {
      self.reboot('1.1.0')
      response.socket?.destroy()
    },
  })
  const result = await upgrade(t, device)
  assert.equal(result.newVersion, '1.1.0')
  assert.equal(result.message, '')
  const broken = await startDevice(t, {
    takeImage(_, response, self) {
      self.reboot('1.0.0')
      response.socket?.destroy()
    },
  })
  await assert.rejects(upgrade(t, broken), /without an answer to the upload and still runs 1\.0\.0/)
})

test('a device that comes back with its old version is told as it is', async t => {
  const result = await upgrade(t, await startDevice(t, { newVersion: '1.0.0' }))
  assert.deepEqual([result.oldVersion, result.newVersion, result.wasAway], ['1.0.0', '1.0.0', true])
})

test('does not wait for ever for a device that does not restart, or does not come back', async t => {
  const accept = (response: ServerResponse) => response.writeHead(200).end()
  const lazy = await startDevice(t, { takeImage: (_, response) => accept(response) })
  assert.equal((await upgrade(t, lazy, source(), { downTimeMaxMs: 400 })).wasAway, false)
  const dead = await startDevice(t, {
    takeImage(_, response, self) {
      accept(response)
      self.reboot()
    },
  })
  await assert.rejects(upgrade(t, dead, source(), { downTimeMaxMs: 100 }), /not back after/)
})

test('stops when it is told to', async t => {
  const device = await startDevice(t, { takeImage: () => {} })
  const stop = new AbortController()
  const outcome = upgrade(t, device, source(), { signal: stop.signal, onProgress: ({ phase }) => phase === 'install' && stop.abort() })
  await assert.rejects(outcome, { name: 'AbortError' })
})

test('an image that shrinks while it is sent is not passed off as whole', async t => {
  const device = await startDevice(t)
  const image = { ...source(), sizeBytes: bytes.length + 1 }
  await assert.rejects(upgrade(t, device, image), /shrunk/)
  await assert.rejects(upgrade(t, device, { ...source(), sizeBytes: 10 }), /grown/)
  await assert.rejects(upgrade(t, device, source(Buffer.alloc(0))), /empty/)
})

test('a device that names no address for the upload gets nothing', async t => {
  const device = await startDevice(t, { uploadUri: () => '' })
  await assert.rejects(upgrade(t, device), /no address for the upload/)
})
