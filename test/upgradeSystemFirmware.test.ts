import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import { createDevice, type Device, type DeviceOptions } from '../src/createDevice.ts'
import { UploadRefusal } from '../src/device/upload.ts'
import { limits } from '../src/limits.ts'
import { Client } from './http/door.ts'
import { admin, type Daemon, eventually, startDaemon, temporaryFolder } from './support/daemon.ts'
import { envelope, people } from './support/device.ts'
import {
  imageFor,
  inlineAround,
  inlineMessage,
  packageEnd,
  packageMessage,
  packageType,
  partHead,
  rootPart,
  sizeOf,
} from './support/firmwareMessage.ts'

const path = '/onvif/device_service'

interface Answer {
  readonly status: number
  readonly text: string
}

/** `Sender/InvalidArgs/InvalidFirmware` */
const faultOf = ({ text }: Answer) => [...text.matchAll(/<env:Value>\w+:(\w+)</g)].map(([, code]) => code).join('/')
const reasonOf = ({ text }: Answer) => /<env:Text[^>]*>([^<]*)/.exec(text)?.[1] ?? ''

// --- in memory ---

interface InMemory {
  readonly state: string
  readonly device: Device
  send(bytes: AsyncIterable<Uint8Array> | Uint8Array, contentType?: string): Promise<Answer & { readonly admitted: boolean }>
  version(): Promise<string>
}

async function inMemory(t: TestContext, options: DeviceOptions = {}): Promise<InMemory> {
  let device: Device | undefined
  const state = await temporaryFolder(t, async () => device?.stop())
  device = await createDevice({ state, port: 0, bootTime: 0.01, logLevel: 'silent', adminPassword: admin.password, ...options })
  await device.start()
  const { handle } = device
  const send: InMemory['send'] = async (bytes, contentType) => {
    let admitted = false
    const { status, body } = await handle({
      body:
        bytes instanceof Uint8Array
          ? bytes
          : {
              bytes,
              lengthBytes: undefined,
              signal: new AbortController().signal,
              admit() {
                admitted = true
              },
            },
      origin: new URL('http://192.0.2.7'),
      remoteAddress: '192.0.2.99',
      target: path,
      contentType,
    })
    return { status, text: String(body), admitted }
  }
  const version = async () => {
    const { text } = await send(Buffer.from(envelope('<tds:GetDeviceInformation/>', admin)))
    return /FirmwareVersion>([^<]*)</.exec(text)?.[1] ?? ''
  }
  return { state, device, send, version }
}

async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

for (const [how, contentType, write] of [
  ['by MTOM', packageType, packageMessage],
  ['by inline base64', undefined, inlineMessage],
] as const) {
  for (const [form, sent] of [
    ['whole', (bytes: Buffer) => bytes],
    ['as it arrives', (bytes: Buffer) => inPieces(bytes, 10_000)],
  ] as const) {
    test(`an image ${how}, ${form}, is activated before the answer, and the device restarts after it`, async t => {
      const { state, send, version } = await inMemory(t)
      const image = await imageFor(state, '1.1.0', 300_000)
      const answer = await send(sent(await whole(write(image(), admin))), contentType)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.admitted, form === 'as it arrives')
      assert.match(answer.text, /<tds:Message>firmware 1\.1\.0 is installed.*\(transaction [0-9A-Z]{26}\)<\/tds:Message>/)
      await eventually(async () => assert.equal(await version(), '1.1.0'))
    })
  }
}

test('only a known sender who may do this is asked for more than the envelope', async t => {
  const { state, send, version } = await inMemory(t)
  await send(
    Buffer.from(
      envelope(
        `<tds:CreateUsers><tds:User><tt:Username>${people.Operator.name}</tt:Username><tt:Password>${people.Operator.password}</tt:Password><tt:UserLevel>Operator</tt:UserLevel></tds:User></tds:CreateUsers>`,
        admin,
      ),
    ),
  )
  const image = await imageFor(state, '1.1.0', 3_000_000)
  for (const [write, type] of [
    [packageMessage, packageType],
    [inlineMessage, undefined],
  ] as const) {
    for (const [login, status] of [
      [undefined, 401],
      [people.Operator, 401],
      [{ ...admin, password: 'wrong' }, 400],
    ] as const) {
      let taken = 0
      const counted = async function* () {
        for await (const piece of write(image(), login))
          for await (const small of inPieces(Buffer.from(piece), 16_384)) {
            taken += small.length
            yield small
          }
      }
      const answer = await send(counted(), type)
      assert.deepEqual([answer.status, faultOf(answer), answer.admitted], [status, 'Sender/NotAuthorized', false])
      assert.ok(taken < 130_000, `${taken} bytes were taken`)
    }
  }
  assert.equal(await version(), '1.0.0')
})

test('what is wrong with the image or its message is said in the fault, and nothing is activated', async t => {
  const { state, send, version } = await inMemory(t)
  const image = await whole((await imageFor(state, '1.1.0', 300_000))())
  const older = await whole((await imageFor(state, '0.9.0', 300_000))())
  const damaged = Buffer.from(image)
  damaged.writeUInt8(damaged.readUInt8(200_000) ^ 1, 200_000)
  const parts = (...texts: readonly (string | Buffer)[]) => Buffer.concat(texts.map(text => Buffer.from(text)))
  /** With a token of its own. */
  const inline = (text: string, change = (after: string) => after) => {
    const [before, after] = inlineAround(admin)
    return Buffer.from(before + text + change(after))
  }
  const text = image.toString('base64')
  const invalid = 'Sender/InvalidArgs/InvalidFirmware'
  const cases: readonly (readonly [what: string, message: () => Buffer, type: string | undefined, fault: string, reason: RegExp])[] = [
    [
      'a damaged image',
      () => parts(rootPart(admin), partHead('image'), damaged, packageEnd),
      packageType,
      invalid,
      /^hash: .*\(transaction [0-9A-Z]{26}\)$/,
    ],
    ['an older image', () => parts(rootPart(admin), partHead('image'), older, packageEnd), packageType, invalid, /^version: /],
    [
      'half an image',
      () => parts(rootPart(admin), partHead('image'), image.subarray(0, 100_000), packageEnd),
      packageType,
      invalid,
      /^truncated: /,
    ],
    ['rubbish', () => parts(rootPart(admin), partHead('image'), Buffer.alloc(200_000, 'x'), packageEnd), packageType, invalid, /^format: /],
    [
      'the wrong cid',
      () => parts(rootPart(admin, 'cid:other'), partHead('image'), image, packageEnd),
      packageType,
      invalid,
      /did not come/,
    ],
    [
      'no cid',
      () => parts(rootPart(admin, 'http://192.0.2.1/image'), partHead('image'), image, packageEnd),
      packageType,
      invalid,
      /did not come/,
    ],
    ['no image part', () => parts(rootPart(admin), packageEnd), packageType, invalid, /did not come/],
    [
      'another boundary',
      () => parts(rootPart(admin), partHead('image'), image, packageEnd),
      packageType.replace('a-bound', 'b-bound'),
      'Sender/WellFormed',
      /malformed/,
    ],
    [
      'no end of the package',
      () => parts(rootPart(admin), partHead('image'), image),
      packageType,
      'Sender/WellFormed',
      /no end.*transaction|no end/,
    ],
    [
      'two roots',
      () => parts(rootPart(admin), partHead('image'), image, rootPart(admin), packageEnd),
      packageType,
      'Sender/WellFormed',
      /same Content-ID/,
    ],
    [
      'two images',
      () => parts(rootPart(admin), partHead('image'), image, partHead('image'), image, packageEnd),
      packageType,
      'Sender/WellFormed',
      /same Content-ID/,
    ],
    [
      'garbage in base64',
      () => inline(`${text.slice(0, 200_000)}*${text.slice(200_000)}`),
      undefined,
      'Sender/InvalidArgVal',
      /not base64/,
    ],
    [
      'a second Body',
      () => inline(text, after => after.replace('</s:Envelope>', '<s:Body><tds:SystemReboot/></s:Body></s:Envelope>')),
      undefined,
      'Sender/WellFormed',
      /more than the end/,
    ],
    [
      'a second operation',
      () => inline(text, after => after.replace('</s:Body>', '<tds:SystemReboot/></s:Body>')),
      undefined,
      'Sender/WellFormed',
      /more than the end/,
    ],
    ['no end of the envelope', () => inline(text, after => after.slice(0, -3)), undefined, 'Sender/WellFormed', /more than the end/],
  ]
  for (const [what, message, type, fault, reason] of cases) {
    const answer = await send(inPieces(message(), 10_000), type)
    assert.deepEqual([answer.status, faultOf(answer)], [400, fault], `${what}: ${answer.text}`)
    assert.match(reasonOf(answer), reason, what)
  }
  const broken = async function* () {
    yield* inPieces(Buffer.concat([Buffer.from(rootPart(admin) + partHead('image')), image.subarray(0, 100_000)]), 10_000)
    throw new Error('the connection broke')
  }
  const answer = await send(broken(), packageType)
  assert.deepEqual([answer.status, faultOf(answer)], [500, 'Receiver/Action/FirmwareUpgradeFailed'])
  assert.equal(await version(), '1.0.0')
  assert.equal((await send(inPieces(parts(rootPart(admin), partHead('image'), image, packageEnd), 10_000), packageType)).status, 200)
  await eventually(async () => assert.equal(await version(), '1.1.0'))
})

test('an upgrade under way is not disturbed by another one', async t => {
  const { state, send, version } = await inMemory(t)
  const image = await whole((await imageFor(state, '1.1.0', 300_000))())
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const slow = async function* () {
    const message = Buffer.concat([Buffer.from(rootPart(admin) + partHead('image')), image, Buffer.from(packageEnd)])
    yield* inPieces(message.subarray(0, 100_000), 10_000)
    begin()
    await gate
    yield message.subarray(100_000)
  }
  const first = send(slow(), packageType)
  await begun
  const second = await send(await whole(packageMessage(inPieces(image, 10_000), admin)), packageType)
  assert.equal(faultOf(second), 'Receiver/Action/FirmwareUpgradeFailed')
  assert.match(reasonOf(second), /an upgrade is under way: Transfer, transaction/)
  open()
  assert.equal((await first).status, 200)
  await eventually(async () => assert.equal(await version(), '1.1.0'))
})

test('a strict device takes an image by MTOM only', async t => {
  const { state, send, version } = await inMemory(t, { strict: true })
  const image = await imageFor(state, '1.1.0', 300_000)
  const endless = async function* () {
    for await (const piece of inlineMessage(image(), admin)) yield piece
    throw new UploadRefusal(413, 'nospace', 'the message is too large')
  }
  assert.equal((await send(endless())).status, 500, 'it is read as any other message that is too large')
  assert.equal((await send(await whole(inlineMessage(image(), admin)))).status, 400)
  assert.equal((await send(packageMessage(image(), admin), packageType)).status, 200)
  await eventually(async () => assert.equal(await version(), '1.1.0'))
})

// --- through a socket ---

const large = 200 * 1_048_576
const residentBytesMax = 200 * 1_048_576

async function versionOf({ url }: Daemon): Promise<string> {
  const answer = await fetch(url, { method: 'POST', body: envelope('<tds:GetDeviceInformation/>', admin) })
  return /FirmwareVersion>([^<]*)</.exec(await answer.text())?.[1] ?? ''
}

/** The most that the process ever had in memory. */
const peakBytes = async ({ process }: Daemon): Promise<number> =>
  1024 * Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${process.pid}/status`, 'utf8'))?.[1])

async function post({ url }: Daemon, message: AsyncIterable<Uint8Array>, headers: Record<string, string | number>): Promise<Answer> {
  const request = httpRequest(url, { method: 'POST', headers })
  const answered = once(request, 'response')
  await pipeline(Readable.from(message), request)
  const [response] = await answered
  let text = ''
  for await (const piece of response) text += piece
  return { status: response.statusCode, text }
}

for (const [how, message, contentType] of [
  ['by MTOM', (image: AsyncIterable<Uint8Array>) => packageMessage(image, admin), packageType],
  ['by inline base64', (image: AsyncIterable<Uint8Array>) => inlineMessage(image, admin), 'application/soap+xml'],
  ['by inline base64 in lines', (image: AsyncIterable<Uint8Array>) => inlineMessage(image, admin, true), 'application/soap+xml'],
] as const) {
  test(`200 MB ${how} pass through, and are never held`, { timeout: 120_000 }, async t => {
    const daemon = await startDaemon(t)
    const image = await imageFor(daemon.state, '1.1.0', large)
    const length = how === 'by MTOM' ? { 'content-length': await sizeOf(message(image())) } : {}
    const before = await peakBytes(daemon)
    const began = performance.now()
    const answer = await post(daemon, message(image()), { 'content-type': contentType, ...length })
    const seconds = (performance.now() - began) / 1000
    assert.equal(answer.status, 200, answer.text)
    const peak = await peakBytes(daemon)
    t.diagnostic(
      `200 MB ${how}: ${seconds.toFixed(1)} s, peak ${Math.round(peak / 1e6)} MB of memory, ${Math.round(before / 1e6)} MB before`,
    )
    assert.ok(peak < residentBytesMax, `${peak}`)
    await eventually(async () => assert.equal(await versionOf(daemon), '1.1.0'))
  })
}

test('a backup of megabytes is held, once its sender is known, and judged as a small one is', async t => {
  const daemon = await startDaemon(t)
  const restore = (data: string, login: typeof admin | undefined) =>
    envelope(
      `<tds:RestoreSystem><tds:BackupFiles><tt:Name>a</tt:Name><tt:Data>${data}</tt:Data></tds:BackupFiles></tds:RestoreSystem>`,
      login,
    )
  async function* message(login: typeof admin | undefined, bytes: number) {
    yield Buffer.from(partHead('envelope') + restore('<xop:Include href="cid:image"/>', login) + partHead('image'))
    yield Buffer.alloc(bytes, 'x')
    yield Buffer.from(packageEnd)
  }
  const type = { 'content-type': packageType }
  const taken = await post(daemon, message(admin, 3_000_000), type)
  assert.deepEqual([taken.status, faultOf(taken)], [400, 'Sender/InvalidArgVal/InvalidBackupFile'])
  assert.equal((await post(daemon, message(undefined, 3_000_000), type)).status, 401)
  assert.equal((await post(daemon, message(admin, limits.packageBytesMax), type)).status, 413)
  const inline = inPieces(Buffer.from(restore(Buffer.alloc(1_500_000, 'x').toString('base64'), admin)), 65_536)
  assert.equal((await post(daemon, inline, { 'content-type': 'application/soap+xml' })).status, 413)
})

test('hostile senders', { timeout: 120_000 }, async t => {
  const daemon = await startDaemon(t, ['--log-level', 'warn'])
  const port = Number(new URL(daemon.url).port)
  const head = (...lines: readonly string[]) => `POST ${path} HTTP/1.1\r\n${['Host: d', ...lines].join('\r\n')}\r\n\r\n`
  const type = `Content-Type: ${packageType}`
  const image = await imageFor(daemon.state, '1.1.0', 3_000_000)

  /** Sends the same piece again and again until an answer comes; gives it and how much was sent before. */
  async function flood(beginning: string, piece: Buffer): Promise<{ readonly status: number | undefined; readonly sentBytes: number }> {
    const client = new Client(t, port)
    await client.send(beginning)
    let status: number | undefined
    void client.answer().then(answer => {
      status = answer?.status
    })
    let sentBytes = 0
    while (status === undefined && sentBytes < 500_000_000) {
      await client.send(piece)
      sentBytes += piece.length
      await new Promise(setImmediate)
    }
    client.socket.destroy()
    return { status, sentBytes }
  }

  /** What the system holds between two sockets is sent, and never asked for. */
  const sentBytesMax = 16_000_000
  const stranger = { name: 'stranger', password: 'Nothing-known-1' }
  const [before] = inlineAround(stranger)
  const gigabytes = 'Content-Length: 5000000000'
  const block = Buffer.alloc(262_144, 'QUJD')
  for (const [what, beginning, status] of [
    ['an unknown sender by MTOM', head(gigabytes, type) + rootPart(stranger) + partHead('image'), 400],
    ['nobody by MTOM', head(gigabytes, type) + rootPart(undefined) + partHead('image'), 401],
    ['an unknown sender of base64', head(gigabytes) + before, 400],
    ['nobody with base64', head(gigabytes) + inlineAround(undefined)[0], 401],
    ['text without end', `${head(gigabytes)}${envelope('<tds:SetHostname>', admin).split('</s:Body>')[0]}!`, 413],
    ['base64 for another operation', `${head(gigabytes)}${envelope('<tds:SetHostname><tds:Name>|', admin).split('|')[0]}`, 413],
    ['the image part first', `${head(gigabytes, type)}${partHead('image')}`, 400],
    ['a part that nobody wants', head(gigabytes, type) + rootPart(admin, 'cid:none') + partHead('image'), 413],
  ] as const) {
    const answer = await flood(beginning, block)
    assert.equal(answer.status, status, what)
    t.diagnostic(`${what}: answered after ${Math.round(answer.sentBytes / 1000)} KB were sent`)
    assert.ok(answer.sentBytes < sentBytesMax, `${what}: ${answer.sentBytes}`)
  }

  const declared = new Client(t, port)
  await declared.send(head(type, 'Expect: 100-continue', 'Content-Length: 10000000000'))
  assert.equal((await declared.answer())?.status, 413, '10 GB are refused before a byte of them')

  const expecting = new Client(t, port)
  await expecting.send(head(type, 'Expect: 100-continue', gigabytes))
  assert.equal((await expecting.answer())?.status, 100)
  await expecting.send(rootPart(stranger) + partHead('image'))
  const refused = await expecting.answer()
  assert.equal(refused?.status, 400)
  assert.equal(refused.headers.get('connection'), 'close')

  // Hangs up in the middle of an image; another one is taken at once.
  const leaving = new Client(t, port)
  const bytes = await whole(image())
  await leaving.send(head(type, `Content-Length: ${limits.packageBytesMax * 2}`) + rootPart(admin) + partHead('image'))
  await leaving.send(bytes.subarray(0, 2_000_000))
  await eventually(async () => {
    const { text } = await post(daemon, packageMessage(image(), admin), { 'content-type': packageType })
    assert.match(text, /an upgrade is under way: Transfer/)
  })
  leaving.socket.destroy()
  await eventually(async () => {
    const { status, text } = await post(daemon, packageMessage(image(), admin), { 'content-type': packageType })
    assert.equal(status, 200, text)
  })
  await eventually(async () => assert.equal(await versionOf(daemon), '1.1.0'))
  const peak = await peakBytes(daemon)
  t.diagnostic(`peak ${Math.round(peak / 1e6)} MB of memory`)
  assert.ok(peak < residentBytesMax, `${peak}`)
  assert.doesNotMatch(daemon.output(), /an operation failed|found no answer/)
})
