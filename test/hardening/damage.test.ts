import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from '../../src/client/onvifClient.ts'
import { createDevice } from '../../src/createDevice.ts'
import { admin, buildImage, curlUpload, eventually, startDaemon, temporaryFolder } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'

const olga = { name: 'olga', password: 'Nightshift-42' }
const flags = ['--tls', 'self-signed', '--https-port', '0']

interface Life {
  readonly name: string
  readonly state: string
  /** A message that logged in by token. */
  readonly used: string
}

/** A device that has settings, certificates, tokens and an upgrade: in the middle of its trial, and after it. */
async function lives(t: TestContext): Promise<readonly Life[]> {
  const folder = await temporaryFolder(t)
  const device = await startDaemon(t, [...flags, '--settle', '600'])
  const client = connect(device.url, { user: admin.name, password: admin.password })
  t.after(() => client.close())
  await client.call('CreateUsers', { User: [{ Username: olga.name, Password: olga.password, UserLevel: 'Operator' }] })
  const { UploadUri } = await eventually(() => client.call('StartFirmwareUpgrade', {}))
  const { body } = await curlUpload(UploadUri, await buildImage(t, device.state, '2.0.0'))
  assert.match(body, /^ok /)
  await eventually(async () => {
    assert.equal((await client.call('GetDeviceInformation', {})).FirmwareVersion, '2.0.0')
    assert.match(device.output(), /"Trial"/)
  })
  const usedOnTrial = await withToken(device.url)
  const onTrial = join(folder, 'on trial')
  device.process.kill('SIGKILL')
  await once(device.process, 'exit')
  cpSync(device.state, onTrial, { recursive: true })

  const later = await startDaemon(t, [...flags, '--settle', '0'], { state: device.state })
  await eventually(async () => assert.match(later.output(), /upgrade succeeded/))
  const used = await withToken(later.url)
  assert.equal(await later.stop(), 0)
  const stopped = join(folder, 'stopped')
  cpSync(device.state, stopped, { recursive: true })
  return [
    { name: 'killed on trial', state: onTrial, used: usedOnTrial },
    { name: 'stopped', state: stopped, used },
  ]
}

async function withToken(url: string): Promise<string> {
  const message = envelope('<tds:GetUsers/>', admin)
  assert.equal((await fetch(url, { method: 'POST', body: message })).status, 200)
  return message
}

const damages: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  truncated: () => Buffer.alloc(0),
  'cut in half': bytes => bytes.subarray(0, bytes.length / 2),
  zeroed: bytes => Buffer.alloc(bytes.length),
  garbled: bytes => Buffer.from(bytes.map((byte, index) => (index % 7 === 3 ? byte ^ 0x5a : byte))),
}

/** Without settings or their key there is no telling who may log in. */
const cannotBeWithout: ReadonlySet<string> = new Set(['device.db', 'device.key'])

const errors: ReadonlySet<string> = new Set(['StateError', 'StoreError', 'BackendError', 'ConfigError'])

/** What becomes of a device whose folder this is: `refused` with what it says, or `up` with its first log-in as it was. */
async function start(state: string, used: string | undefined): Promise<{ readonly kind: 'up' | 'refused'; readonly says: string }> {
  let said = ''
  let first: string | undefined
  const device = await createDevice({
    state,
    port: 0,
    httpsPort: 0,
    tls: 'self-signed',
    settle: 0,
    bootTime: 0,
    logLevel: 'warn',
    logFormat: 'json',
    discovery: 'off',
    terminal: { write: text => (said += text) },
    onFirstPassword: (_name, password) => {
      first = password
    },
  }).catch((error: unknown) => {
    if (!(error instanceof Error) || !errors.has(error.name)) throw error
    said = error.message
  })
  assert.equal(first, undefined, 'the first log-in is back')
  if (!device) return { kind: 'refused', says: said }
  try {
    const url = await device.start()
    for (const user of [admin, olga]) {
      const client = connect(url, { user: user.name, password: user.password })
      await client.call('GetDeviceInformation', {})
      client.close()
    }
    const client = connect(url, { user: admin.name, password: 'admin' })
    await assert.rejects(client.call('GetUsers', {}))
    client.close()
    if (used) assert.notEqual((await fetch(url, { method: 'POST', body: used })).status, 200, 'a token was taken twice')
    await withToken(url)
    return { kind: 'up', says: said }
  } finally {
    await device.stop()
  }
}

test('each file of the state folder, damaged: the device comes up with its users, or says what is to be done and leaves it', async t => {
  const room = await temporaryFolder(t)
  const seen = new Set<string>()
  for (const { name: life, state: source, used } of await lives(t)) {
    const files = readdirSync(source, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => relative(source, join(parentPath, name)))
    const hasLog = files.some(file => file === 'device.db-wal' && statSync(join(source, file)).size > 0)
    for (const file of files) {
      const before = readFileSync(join(source, file))
      for (const [how, harm] of Object.entries(damages)) {
        const after = harm(before)
        if (after.equals(before)) continue
        const what = `${life}: ${file} ${how}`
        const state = join(room, 'state')
        rmSync(state, { recursive: true, force: true })
        cpSync(source, state, { recursive: true })
        writeFileSync(join(state, file), after)
        // The kernel keeps what a killed process wrote; only when the power goes, or at a clean end, can its loss be noticed.
        const isUnnoticed = life === 'killed on trial' && file === 'tokens/tokens.current' && after.length < before.length
        const { kind, says } = await start(state, isUnnoticed ? undefined : used).catch((cause: unknown) => {
          throw new Error(what, { cause })
        })
        seen.add(file)
        // Where the process was killed, SQLite puts what its log has back into the file before anybody looks, damaged or not.
        const isMendable = file === 'device.db' && hasLog
        if (!isMendable) assert.equal(kind, cannotBeWithout.has(file) ? 'refused' : 'up', what)
        if (kind === 'up') continue
        assert.match(says, /device\.(db|key) is (damaged|empty).*(put|Put) .*back/, what)
        if (!isMendable) assert.deepEqual(readFileSync(join(state, file)), after, 'it is left for whoever can mend it')
      }
    }
  }
  for (const part of ['device.key', 'device.db', 'slots/env0.bin', 'upgrade/journal.json', 'upgrade/history.json', 'upgrade/settings.used'])
    assert.ok(seen.has(part), `${part} was damaged`)
  for (const part of ['tokens/tokens.current', 'tokens/tokens.mark', 'logs/system.log', 'logs/access.log', 'firmware-ca/ca.pem'])
    assert.ok(seen.has(part), `${part} was damaged`)
})
