import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createDevice, type DeviceOptions } from '../src/createDevice.ts'
import { buildImage } from '../src/device/firmware/imageBuilder.ts'
import { limits } from '../src/limits.ts'
import { pieces } from './device/firmware/workbench.ts'
import { admin, temporaryFolder } from './support/daemon.ts'
import { envelope } from './support/device.ts'

/** A device with its door open. What its events say is given as `Topic name=value …`. */
async function openDevice(t: TestContext, options: DeviceOptions = {}) {
  const state = await temporaryFolder(t, async () => device.stop())
  const made = { state, port: 0, bootTime: 0.2, logLevel: 'silent', adminPassword: admin.password, discovery: 'off', ...options } as const
  const device = await createDevice(made)
  const url = await device.start()
  /** By pull point. */
  const said = new Map<string, string[]>()

  async function ask(body: string, at = url, login: Parameters<typeof envelope>[1] = admin) {
    const response = await fetch(at, { method: 'POST', body: envelope(body, login) })
    return { status: response.status, xml: await response.text() }
  }

  async function subscribe(filter = ''): Promise<string> {
    const { xml } = await ask(`<tev:CreatePullPointSubscription>${filter}</tev:CreatePullPointSubscription>`)
    return /<wsa:Address>([^<]+)</.exec(xml)?.[1] ?? assert.fail(xml)
  }

  async function pull(point: string): Promise<readonly string[]> {
    const { status, xml } = await ask(
      `<tev:PullMessages><tev:Timeout>PT5S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit></tev:PullMessages>`,
      point,
    )
    assert.equal(status, 200, xml)
    return [...xml.matchAll(/<wsnt:NotificationMessage[\s>][\s\S]*?<\/wsnt:NotificationMessage>/g)].map(([message]) => {
      const topic = /<wsnt:Topic[^>]*>[^<]*\/([^</]+)</.exec(message)?.[1]
      const items = [...message.matchAll(/Name="([^"]+)" Value="([^"]*)"/g)].map(([, name, value]) => `${name}=${value}`)
      return [topic, ...items].join(' ')
    })
  }

  /** Pulls until this has been said; all that was said since the subscription. */
  async function hear(point: string, pattern: RegExp): Promise<readonly string[]> {
    const heard = said.get(point) ?? []
    said.set(point, heard)
    for (let turn = 0; turn < 8 && !heard.some(text => pattern.test(text)); turn += 1) heard.push(...(await pull(point)))
    assert.ok(
      heard.some(text => pattern.test(text)),
      `${pattern} is not among ${heard.join('; ')}`,
    )
    return heard
  }

  return { state, url, device, ask, subscribe, pull, hear }
}

const only = (topic: string): string =>
  `<tev:Filter><wsnt:TopicExpression xmlns:tns1="http://www.onvif.org/ver10/topics" Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</wsnt:TopicExpression></tev:Filter>`

const pullNow = '<tev:PullMessages><tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit></tev:PullMessages>'

/** A request as it goes over a connection. */
function posted(address: string, body: string, ...headers: readonly string[]): string {
  const message = envelope(body, admin)
  const lines = ['Host: d', `Content-Length: ${Buffer.byteLength(message)}`, ...headers]
  return `POST ${new URL(address).pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${message}`
}

/** A connection to the device, on which nothing is read yet. */
async function connected(t: TestContext, url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

const switchRelay = (state: 'active' | 'inactive') =>
  `<tds:SetRelayOutputState><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:LogicalState>${state}</tds:LogicalState></tds:SetRelayOutputState>`

/** Until the device answers again. */
async function back({ subscribe }: { subscribe(): Promise<string> }): Promise<string> {
  for (let turn = 0; turn < 200; turn += 1) {
    try {
      return await subscribe()
    } catch {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  return assert.fail('the device did not come back')
}

test('each of the subjects of a device is heard', async t => {
  const { ask, subscribe, pull, hear } = await openDevice(t, { relays: 1 })
  const point = await subscribe()
  const first = (await pull(point)).map(text => text.replace(/=.*/, ''))
  for (const topic of ['LastReboot Status', 'LastReset Status', 'LastClockSynchronization Status', 'Last Status', 'Relay RelayToken'])
    assert.ok(first.includes(topic), `${topic} is not among ${first.join(', ')}`)

  const heard = async (body: string, pattern: RegExp) => {
    assert.equal((await ask(body)).status, 200, body)
    await hear(point, pattern)
  }
  const relay = '<tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:LogicalState>active</tds:LogicalState>'
  await heard(`<tds:SetRelayOutputState>${relay}</tds:SetRelayOutputState>`, /^Relay RelayToken=relay1 LogicalState=active$/)
  await heard(
    '<tas:CreateECCKeyPair><tas:EllipticCurve>secp256r1</tas:EllipticCurve></tas:CreateECCKeyPair>',
    /^KeyStatus KeyID=\S+ OldStatus=generating NewStatus=ok$/,
  )
  await heard('<tds:GetSystemBackup/>', /^Last Status=202\d-/)
  const limit = '<tds:Enabled>true</tds:Enabled><tds:MonitorPeriod>60</tds:MonitorPeriod><tds:MaxAuthFailures>1</tds:MaxAuthFailures>'
  await ask(`<tds:SetAuthFailureWarningConfiguration>${limit}</tds:SetAuthFailureWarningConfiguration>`)
  for (let turn = 0; turn < 2; turn += 1) await ask('<tds:GetUsers/>', undefined, { name: 'admin', password: 'guessed' })
  await hear(point, /^AuthFailed NetworkInterface=eth0 SourceIPv4=127\.0\.0\.1$/)
  await hear(point, /^ProcessorUsage Token=cpu Value=\d+$/)
  const now = new Date()
  const utc = `<tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date>`
  await heard(
    `<tds:SetSystemDateAndTime><tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings><tds:UTCDateTime>${utc}</tds:UTCDateTime></tds:SetSystemDateAndTime>`,
    /^LastClockSynchronization Status=20/,
  )
})

test('what was delivered is not delivered again, where the connection ends with the answer', async t => {
  const { ask, url, subscribe, pull } = await openDevice(t, { relays: 1 })
  const point = await subscribe()
  for (let round = 0; round < 2; round += 1) {
    const socket = await connected(t, url)
    assert.equal((await ask(switchRelay('active'))).status, 200)
    socket.write(posted(point, pullNow, 'Connection: close'))
    const answer = await text(socket)
    assert.match(answer, /^HTTP\/1.1 200 [\s\S]*relay1[\s\S]*LogicalState" Value="active"/)
    assert.match(answer, /^Connection: close\r$/m)
    await ask(switchRelay('inactive'))
    const next = (await pull(point)).filter(each => each.startsWith('Relay'))
    assert.deepEqual(next, ['Relay RelayToken=relay1 LogicalState=inactive'])
  }
})

test('a client that is reset before the answer is out is told with its next pull', async t => {
  const { ask, url, subscribe, pull, hear } = await openDevice(t, { relays: 1 })
  const point = await subscribe()
  await pull(point)
  const quiet = await subscribe(only('tns1:Advancedsecurity/Keystore/KeyStatus'))
  await ask(switchRelay('active'))
  const socket = await connected(t, url)
  // The second answer is made, and has to wait until the first is out.
  const wait = pullNow.replace('PT0S', 'PT1M')
  socket.write(posted(quiet, wait) + posted(point, pullNow))
  await new Promise(resolve => setTimeout(resolve, 300))
  assert.doesNotMatch((await ask(pullNow, point)).xml, /relay1/, 'it has been taken')
  socket.resetAndDestroy()
  await hear(point, /^Relay RelayToken=relay1 LogicalState=active$/)
})

test('a reboot is heard before the connections close, and who waits for nothing is let go', async t => {
  const opened = await openDevice(t)
  const { ask, subscribe, pull, hear } = opened
  const point = await subscribe()
  await pull(point)
  const waiting = hear(point, /^ShutdownInitiated/)
  assert.equal((await ask('<tds:SystemReboot/>')).status, 200)
  assert.deepEqual(
    (await waiting).filter(text => !/^ProcessorUsage/.test(text)),
    ['ShutdownInitiated'],
  )
  assert.ok((await pull(await back(opened))).some(text => text.startsWith('LastReboot')))
})

test('a machine with a reboot command of its own says it when it gives the order', async t => {
  const { ask, subscribe, pull, hear } = await openDevice(t, { rebootCommand: 'true' })
  const point = await subscribe()
  await pull(point)
  const waiting = hear(point, /^ShutdownInitiated/)
  assert.equal((await ask('<tds:SystemReboot/>')).status, 200)
  await waiting
  assert.equal((await ask('<tds:GetSystemDateAndTime/>')).status, 200, 'it answers until the machine ends it')
})

test('a hard factory default is told after it, and so is a backup before it', async t => {
  const opened = await openDevice(t)
  const { ask, pull } = opened
  await ask('<tds:GetSystemBackup/>')
  assert.equal(
    (await ask('<tds:SetSystemFactoryDefault><tds:FactoryDefault>Hard</tds:FactoryDefault></tds:SetSystemFactoryDefault>')).status,
    200,
  )
  await new Promise(resolve => setTimeout(resolve, 100))
  const told = await pull(await back(opened))
  assert.match(told.find(text => text.startsWith('LastReset')) ?? '', /Status=20/)
  assert.match(told.find(text => text.startsWith('Last Status')) ?? '', /Status=20/)
})

test('whoever waits when the device is stopped learns it', async t => {
  const { device, subscribe, pull, hear } = await openDevice(t)
  const point = await subscribe()
  await pull(point)
  const waiting = hear(point, /^ShutdownInitiated/)
  await new Promise(resolve => setTimeout(resolve, 100))
  await device.stop()
  assert.ok((await waiting).includes('ShutdownInitiated'))
})

test('whoever waits for something else when the device is stopped gets an answer, and nobody waits for him', async t => {
  const { device, subscribe, pull } = await openDevice(t)
  const point = await subscribe(only('tns1:Advancedsecurity/Keystore/KeyStatus'))
  const waiting = pull(point)
  await new Promise(resolve => setTimeout(resolve, 100))
  const began = performance.now()
  await device.stop()
  assert.deepEqual(await waiting, [])
  assert.ok(performance.now() - began < limits.drainTimeoutMs, `${Math.round(performance.now() - began)} ms`)
})

test('an upgrade is heard from its upload to the restart, and its end after it', async t => {
  const opened = await openDevice(t)
  const { ask, state, subscribe, pull, hear } = opened
  const ca = join(state, 'firmware-ca')
  const payload = randomBytes(300_000)
  for (let turn = 0; turn < 100 && !existsSync(join(ca, 'signer.pem')); turn += 1) await new Promise(resolve => setTimeout(resolve, 50))
  const image = Buffer.concat(
    await Array.fromAsync(
      buildImage({
        version: '1.1.0',
        board: { name: 'onvifd-virtual', revision: '1.0' },
        payload: { name: 'rootfs.img', read: () => pieces(payload) },
        keyPem: readFileSync(join(ca, 'signer.key'), 'utf8'),
        certificatePem: readFileSync(join(ca, 'signer.pem'), 'utf8'),
      }),
    ),
  )
  const point = await subscribe()
  await pull(point)
  const waiting = hear(point, /^ShutdownInitiated/)
  const file = `<tds:UpgradeSystemFirmware><tds:Firmware><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:1"/></tds:Firmware></tds:UpgradeSystemFirmware>`
  const head = (type: string, id: string) => `--b\r\nContent-Type: ${type}\r\nContent-ID: <${id}>\r\n\r\n`
  const message = Buffer.concat([
    Buffer.from(
      `${head('application/xop+xml; type="application/soap+xml"', '0')}${envelope(file, admin)}\r\n${head('application/octet-stream', '1')}`,
    ),
    image,
    Buffer.from('\r\n--b--\r\n'),
  ])
  const contentType = 'multipart/related; type="application/xop+xml"; start="<0>"; start-info="application/soap+xml"; boundary=b'
  const answer = await fetch(opened.url, { method: 'POST', body: message, headers: { 'content-type': contentType } })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  const transaction = /transaction ([0-9A-Z]{26})/.exec(text)?.[1]
  const heard = await waiting
  const source = `AsynchronousOperationStatus Token=${transaction} OperationName=UpgradeSystemFirmware ServiceName=Device`
  const states = heard.filter(each => each.startsWith(source)).map(each => /State=(\w+)/.exec(each)?.[1])
  assert.deepEqual([...new Set(states)], ['Transfer', 'Check', 'Activating', 'Rebooting'])
  assert.ok(heard.includes('UploadInitiated') && heard.includes('UploadStatus Status=100'))
  const after = await hear(await back(opened), /State=Succeeded/)
  assert.equal(after.at(-1)?.startsWith(`${source} Progress=1`), true, after.at(-1))
  assert.equal((await ask('<tds:GetDeviceInformation/>')).xml.includes('1.1.0'), true)
})
