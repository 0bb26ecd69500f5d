import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { OctetString } from '@peculiar/asn1-schema'
import { options as known } from '../src/config.ts'
import { parseDer } from '../src/device/der.ts'
import { parseDescription } from '../src/device/firmware/description.ts'
import { readQuestion, writeMatch } from '../src/discovery/messages.ts'
import { Restraint } from '../src/discovery/restraint.ts'
import { limits } from '../src/limits.ts'
import { readPassphrase } from '../src/platform/passphraseFile.ts'
import { probe } from './discovery/questions.ts'
import { Client, openDoor, post, until } from './http/door.ts'
import { readBudgets } from './support/budgets.ts'
import { temporaryFolder } from './support/daemon.ts'
import { testDevice } from './support/device.ts'
import {
  certificateIds,
  createPath,
  tas,
  uploadCertificate,
  uploadKey,
  uploadPassphrase,
  uploadPkcs12,
} from './support/keystoreRequests.ts'

type Name = keyof typeof limits

// --- Requests that are one beyond a bound, and the same within it ---

const complexity = (element: string) => (value: number) =>
  `<tds:SetPasswordComplexityConfiguration><tds:${element}>${value}</tds:${element}></tds:SetPasswordComplexityConfiguration>`
const warning = (period: number, failures: number) =>
  `<tds:SetAuthFailureWarningConfiguration><tds:Enabled>true</tds:Enabled><tds:MonitorPeriod>${period}</tds:MonitorPeriod><tds:MaxAuthFailures>${failures}</tds:MaxAuthFailures></tds:SetAuthFailureWarningConfiguration>`
const relay = (seconds: number) =>
  `<tds:SetRelayOutputSettings><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:Properties><tt:Mode>Monostable</tt:Mode><tt:DelayTime>PT${seconds}S</tt:DelayTime><tt:IdleState>open</tt:IdleState></tds:Properties></tds:SetRelayOutputSettings>`
const label = 'a'.repeat(49)
/** Labels of 49 characters with their dots: five of them are 249, and 253 with three more. */
const hostName = (characters: number) => `${`${label}.`.repeat(5)}${'b'.repeat(characters - 250)}`

const createCertificate = (id: string) => `<tds:CreateCertificate><tds:CertificateID>${id}</tds:CertificateID></tds:CreateCertificate>`
const trusting = (anchors: number) => {
  const each = Array.from({ length: anchors }, (_, index) => `<tas:TrustAnchor>${certificateIds(`i${index}`)}</tas:TrustAnchor>`)
  return tas('CreateCertPathValidationPolicy', `<tas:Parameters/>${each.join('')}`)
}

const refusals: readonly (readonly [
  name: Name,
  request: (value: number) => string,
  reason: RegExp,
  within: 'taken' | RegExp,
  step?: number,
])[] = [
  ['hostnameCharactersMax', value => `<tds:SetHostname><tds:Name>${hostName(value)}</tds:Name></tds:SetHostname>`, /name/, 'taken'],
  ['passwordMinLenMax', complexity('MinLen'), /64/, 'taken'],
  ['passwordKindMax', complexity('Uppercase'), /16/, 'taken'],
  ['authFailuresMax', value => warning(60, value), /1000/, 'taken'],
  ['authFailurePeriodSecondsMax', value => warning(value, 5), /86400/, 'taken'],
  ['relayDelayMsMax', value => relay(value / 1000), /86400 s/, 'taken', 1000],
  ['keystoreTextCharactersMax', value => uploadPassphrase('a passphrase', 'x'.repeat(value)), /alias/, 'taken'],
  ['certificateBytesMax', value => uploadCertificate(Buffer.alloc(value)), /8192 bytes/, /^(?!.*8192)/],
  ['privateKeyBytesMax', value => uploadKey(Buffer.alloc(value)), /16384 bytes/, /^(?!.*16384)/],
  ['keystoreIdCharactersMax', value => createCertificate('i'.repeat(value)), /64 characters/, 'taken'],
  [
    'certificationPathLengthMax',
    value => createPath(...Array.from({ length: value }, (_, index) => `i${index}`)),
    /1 to 10/,
    /^(?!.*1 to)/,
  ],
  ['trustAnchorsMax', trusting, /1 to 32/, /^(?!.*1 to)/],
  ['pkcs12BytesMax', value => uploadPkcs12(Buffer.alloc(value), 'a passphrase'), /65536 bytes/, /^(?!.*65536)/],
]

for (const [name, request, reason, within, step = 1] of refusals) {
  test(`beyond ${name} a request is refused with a reason, and within it is not`, async t => {
    const { ask } = await testDevice(t, { relays: 1 })
    const refused = await ask(request(limits[name] + step))
    assert.notEqual(refused.fault, undefined)
    assert.match(refused.reason ?? '', reason)
    const taken = await ask(request(limits[name]))
    if (within === 'taken') assert.equal(taken.fault, undefined, taken.reason)
    else assert.match(taken.reason ?? '', within, 'what is wrong with it is not its length')
  })
}

// --- The listener ---

const service = '/onvif/device_service'

test('beyond pipelinedMax a client that asks and does not wait loses its connection', { timeout: 10_000 }, async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const door = await openDoor(t, {
    async handle() {
      await promise
      return { status: 200, headers: { 'content-length': '0' }, body: '', afterReply: undefined }
    },
  })
  const patient = new Client(t, door.port)
  await patient.send(post(service, '<q/>').repeat(limits.pipelinedMax + 1))
  await until(() => door.soap.length === limits.pipelinedMax + 1)
  const greedy = new Client(t, door.port)
  await greedy.send(post(service, '<q/>').repeat(limits.pipelinedMax + 2))
  await greedy.ended()
  resolve()
  for (let each = 0; each <= limits.pipelinedMax; each++) assert.equal((await patient.answer())?.status, 200)
})

test('beyond connectionShare one source gets no more connections, however many are left', { timeout: 10_000 }, async t => {
  for (const [connectionShare, served] of [
    [1, 4],
    [3, 6],
  ] as const) {
    const door = await openDoor(t, { bounds: { connectionsMax: 8, connectionShare } })
    let answers = 0
    for (let each = 0; each < 8; each++) {
      const client = new Client(t, door.port)
      await client.send(post(service, '<q/>'))
      if (await client.answer()) answers++
    }
    assert.equal(answers, served)
  }
})

test('beyond headerBytesMax a head is refused', async t => {
  const door = await openDoor(t)
  for (const [bytes, status] of [
    [limits.headerBytesMax - 200, 200],
    [limits.headerBytesMax + 1, 431],
  ] as const) {
    const client = new Client(t, door.port)
    await client.send(post(service, '<q/>', [`X-A: ${'a'.repeat(bytes)}`]))
    assert.equal((await client.answer())?.status, status)
  }
})

test('beyond hostCharactersMax a Host is nobody’s name', async t => {
  const door = await openDoor(t, { isOwnName: () => true })
  const hostOf = (characters: number) => `${'a'.repeat(61)}.`.repeat(4) + 'b'.repeat(characters - 248)
  for (const [characters, isTaken] of [
    [limits.hostCharactersMax, true],
    [limits.hostCharactersMax + 1, false],
  ] as const) {
    const client = new Client(t, door.port)
    await client.send(`POST ${service} HTTP/1.1\r\nHost: ${hostOf(characters)}\r\nContent-Length: 1\r\n\r\nx`)
    await client.answer()
    assert.equal(door.soap.at(-1)?.origin.hostname === hostOf(characters), isTaken)
  }
})

test('beyond lingerTotalTimeoutMs nobody is listened to whose answer is out, however fast he sends', { timeout: 10_000 }, async t => {
  const door = await openDoor(t, { bounds: { lingerTotalTimeoutMs: 200, lingerIdleTimeoutMs: 5_000 } })
  const client = new Client(t, door.port)
  await client.send(`POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 4000000000\r\n\r\n`)
  const drip = setInterval(() => client.socket.write(Buffer.alloc(65_536)), 20)
  t.after(() => clearInterval(drip))
  assert.equal((await client.answer())?.status, 404)
  await client.closed
})

test('below lingerBytesPerSecondMin neither', { timeout: 10_000 }, async t => {
  const door = await openDoor(t, { bounds: { lingerBytesPerSecondMin: 1_000_000, lingerIdleTimeoutMs: 200 } })
  const client = new Client(t, door.port)
  await client.send(`POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 4000000000\r\n\r\n`)
  const drip = setInterval(() => client.socket.write('x'), 20)
  t.after(() => clearInterval(drip))
  assert.equal((await client.answer())?.status, 404)
  await client.closed
})

// --- Discovery ---

test('beyond discoverySourcesMax and discoveryRepeatsMax the oldest are forgotten, and nobody is let through for it', () => {
  const restraint = new Restraint()
  const address = (index: number) => `2001:db8::${index.toString(16)}`
  let [allowed, seconds] = [0, 0]
  for (; seconds < 60; seconds++) {
    for (let index = 0; index < limits.discoverySourcesMax + limits.discoveryRepeatsMax; index++)
      if (restraint.allows({ address: address(index), port: 1 }, `${seconds} ${index}`, seconds * 1_000)) allowed++
  }
  assert.ok(allowed <= limits.discoveryAnswersBurstOfAll + seconds * limits.discoveryAnswersPerSecondOfAll, `${allowed}`)
})

test('beyond discoveryNamespacesMax a question is met with silence', () => {
  const declared = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => ` xmlns:n${from + index}="u"`).join('')
  // In force at the innermost element, on three because of the bound on attributes of one. The envelope has five, and XML one.
  const probing = (count: number) =>
    readQuestion(Buffer.from(probe(`<x${declared(0, 40)}><y${declared(40, 80)}><z${declared(80, count)}/></y></x>`)))
  assert.equal(probing(limits.discoveryNamespacesMax - 8)?.kind, 'probe')
  assert.equal(probing(limits.discoveryNamespacesMax + 1), undefined)
})

test('beyond discoveryScopesCharactersMax an answer names those that fit', () => {
  const question = readQuestion(Buffer.from(probe()))
  assert.ok(question)
  const scopes = Array.from({ length: 100 }, (_, index) => `onvif://www.onvif.org/${'x'.repeat(100)}/${index}`)
  const description = { endpoint: 'urn:uuid:1', scopes, xaddrs: ['http://192.0.2.1:80/'], metadataVersion: 1 }
  const answer = writeMatch(question, description, { instanceId: 1, messageNumber: 1 })
  const told = /<d:Scopes>([^<]*)</.exec(answer)?.[1] ?? ''
  assert.ok(told.length > limits.discoveryScopesCharactersMax - 130 && told.length <= limits.discoveryScopesCharactersMax, `${told.length}`)
})

// --- Files and options ---

const options: readonly (readonly [name: Name, parse: (value: number) => unknown])[] = [
  ['relaysMax', value => known.relays.parse(String(value))],
  ['imageSignersMax', value => known.firmwareSigners.parse(String(value))],
  ['interfacesMax', value => known.interfaces.parse(Array.from({ length: value }, (_, index) => `eth${index}`).join())],
  ['imageVersionCharactersMax', value => parseDescription(described({ version: `1.0.0-${'x'.repeat(value - 6)}` }))],
  ['imageRoleCharactersMax', value => parseDescription(described({ role: 'r'.repeat(value) }))],
  ['imageEntriesMax', value => parseDescription(described({ boards: value }))],
]

/** A description that is taken, but for what is changed. */
function described({ version = '1.0.0', role = 'app', boards = 1 }): Buffer {
  const file = (filename: string, properties: object) => ({ filename, sha256: '0'.repeat(64), properties })
  const images = [file('a', { 'x-role': 'rootfs' }), file('b', { 'x-role': role })]
  const compatible = Array.from({ length: boards }, (_, index) => `board${index}`)
  return Buffer.from(JSON.stringify({ software: { version, images, 'x-onvif': { compatible } } }))
}

for (const [name, parse] of options) {
  test(`beyond ${name} it is refused, and within it is not`, () => {
    parse(limits[name])
    assert.throws(() => parse(limits[name] + 1))
  })
}

test('below backupPassphraseCharactersMin nobody is kept out', async t => {
  const file = join(await temporaryFolder(t), 'passphrase')
  writeFileSync(file, `${'x'.repeat(limits.backupPassphraseCharactersMin - 1)}\n`)
  assert.throws(() => readPassphrase(file), /needs 12 characters/)
  writeFileSync(file, `${'x'.repeat(limits.backupPassphraseCharactersMin)}\n`)
  assert.equal(readPassphrase(file).length, limits.backupPassphraseCharactersMin)
})

const sequence = (content: Buffer): Buffer => {
  const { length } = content
  return Buffer.concat([Buffer.from(length < 128 ? [0x30, length] : [0x30, 0x82, length >> 8, length & 0xff]), content])
}
const asnNull = Buffer.from([5, 0])

test('beyond derDepthMax and derNodesMax DER is not read', () => {
  const nested = (depth: number) => Array.from({ length: depth }).reduce<Buffer>(sequence, asnNull)
  const wide = (nodes: number) => sequence(Buffer.concat(Array.from({ length: nodes - 1 }, () => asnNull)))
  const parsing = (der: Buffer) => () => parseDer(der, OctetString)
  assert.throws(parsing(nested(limits.derDepthMax)), /not instance/, 'what is wrong with it is not its depth')
  assert.throws(parsing(nested(limits.derDepthMax + 1)), /depth exceeded/)
  assert.throws(parsing(wide(limits.derNodesMax)), /not instance/)
  assert.throws(parsing(wide(limits.derNodesMax + 1)), /node count exceeded/)
})

// --- The census ---

/** Of the device's own doing: nobody beyond it can exceed them. */
const paces: readonly Name[] = [
  'alertLingerMs',
  'backupScryptCost',
  'demoStartTimeoutMs',
  'demoStopTimeoutMs',
  'discoveryAddressPollMs',
  'downTimeMargin',
  'enginePollMs',
  'engineStartPollMs',
  'healthHookLastWordsMs',
  'keyGenerationsMax',
  'logDelayMs',
  'logFieldNamesRememberedMax',
  'mtuBytesMinIPv6',
  'originsRememberedMax',
  'processorStepPercent',
  'storeLockTimeoutMs',
  'activationWaitMs',
  'guessesCountedMax',
  'bodyRetryAfterSeconds',
  'uploadRetryAfterSeconds',
  'settingsHeadBytesMax',
]

/** What a client of ours allows a device: it is no bound of the device. */
const isOfClient = (name: Name): boolean => /^(?:client|search|commandWait|terminalLine)/.test(name)

/** Exceeded by a test that writes the number: where, and what it says. */
const byNumber: Partial<Record<Name, readonly [file: string, text: string]>> = {
  imageNameBytesMax: ['device/firmware/swu.test.ts', 'a file name of 4294967295 bytes'],
  imageSignatureBytesMax: ['device/firmware/swu.test.ts', 'a signature of 1 MiB'],
  uploadRateGraceMs: ['device/firmware/firmware.test.ts', 'sends a byte every ten seconds'],
  logFieldDepthMax: ['platform/logs.test.ts', 'what a client made long, wide or deep stays a line of bounded length'],
  logFieldEntriesMax: ['platform/logs.test.ts', 'what a client made long, wide or deep stays a line of bounded length'],
}

test('every other budget is named by a test that shortens or exceeds it', () => {
  const folder = new URL('.', import.meta.url)
  const own = ['budgets.test.ts', 'support/budgets.ts']
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts') && !own.includes(file))
  const words = new Set(files.flatMap(file => readFileSync(new URL(file, folder), 'utf8').match(/\b[a-z]\w+\b/g) ?? []))
  const here = readFileSync(new URL(import.meta.url), 'utf8').split('// --- The census ---')[0] ?? ''
  const isNamed = (name: Name) => words.has(name) || new RegExp(`\\b${name}\\b`).test(here)
  const missing = readBudgets()
    .map(({ name }) => name)
    .filter(name => !isNamed(name) && !isOfClient(name) && !paces.includes(name) && byNumber[name] === undefined)
  assert.deepEqual(missing, [])
  for (const [file, text] of Object.values(byNumber)) assert.ok(readFileSync(new URL(file, folder), 'utf8').includes(text), text)
  assert.deepEqual(
    paces.filter(name => isNamed(name)),
    [],
    'those have one now',
  )
})
