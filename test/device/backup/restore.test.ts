import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBackup } from '../../../src/device/backup/backup.ts'
import { createForeignKeys } from '../../../src/device/backup/foreignKeys.ts'
import { createRestore } from '../../../src/device/backup/restore.ts'
import { createScopes } from '../../../src/device/scopes.ts'
import { createSeal } from '../../../src/device/seal.ts'
import { openStore } from '../../../src/device/store.ts'
import { UploadRefusal } from '../../../src/device/upload.ts'
import { createUsers } from '../../../src/device/users.ts'
import { limits } from '../../../src/limits.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import type { Clock, Log } from '../../../src/platform/platform.ts'
import { temporaryFolder } from '../../support/daemon.ts'

const identity = { manufacturer: 'onvifd', model: 'M', serialNumber: 'V1', hardwareId: 'h', uuid: 'u' }
const location = 'onvif://www.onvif.org/location/unknown'

function setUp(key: Uint8Array = randomBytes(32), passphrase?: string) {
  const store = openStore(':memory:')
  const foreignKeys = createForeignKeys({ store, key })
  const seal = createSeal(key, foreignKeys.list)
  const users = createUsers({ store, seal })
  const scopes = createScopes({ store, identity, hwAddress: '02:00:5e:00:53:01' })
  const serial = store.document<string>('machine/serial', String, () => 'factory')
  users.reset('admin', 'Correct-horse-7')
  let time = 0
  const clock: Clock = { now: () => new Date('2026-11-21T00:00:00Z'), monotonicMs: () => time, after: () => () => {}, set: async () => {} }
  const done: string[] = []
  const log: Log = { debug() {}, info() {}, warn: (_, message) => void done.push(message), error() {} }
  const power = { bootTimeMs: 2000, reboot: async (reason: string) => void done.push(`reboot for ${reason}`) }
  const backup = createBackup({ store, key, passphrase, foreignKeys, clock, identity })
  const restore = createRestore({
    backup,
    store,
    foreignKeys,
    clock,
    power,
    log,
    interrupt: async reason => void done.push(`interrupted for ${reason}`),
  })
  const settings = () => JSON.stringify([users.list(), users.find('admin')?.password, scopes.list()])
  const wait = (ms: number) => {
    time += ms
  }
  return { store, clock, foreignKeys, users, scopes, serial, backup, restore, done, settings, wait }
}

const request = (ticket: string, lengthBytes?: number) => ({
  ticket,
  lengthBytes,
  user: 'admin',
  remoteAddress: '127.0.0.1',
  signal: new AbortController().signal,
})

async function* body(...pieces: Uint8Array[]) {
  yield* pieces
}

const refused = (status: number, reason: string) => (error: unknown) => {
  assert.ok(error instanceof UploadRefusal, String(error))
  assert.deepEqual([error.status, error.reason], [status, reason])
  return true
}

test('a restore brings back every setting, and the machine stays what it is', async () => {
  const { backup, restore, settings, users, scopes, serial, done } = setUp()
  users.create([{ name: 'ada', password: 'Correct-horse-8', level: 'Operator' }])
  scopes.add(['urn:x:1'])
  const before = settings()
  const file = await backup.make()
  users.delete(['ada'])
  users.set([{ name: 'admin', password: 'Correct-horse-9', level: 'Administrator' }])
  scopes.replace(['urn:x:2'])
  serial.set('of the machine')
  assert.notEqual(settings(), before)

  const { ticket, expectedDownTimeMs } = restore.start()
  assert.match(ticket, /^[A-Za-z0-9_-]{22}$/)
  assert.equal(expectedDownTimeMs, 2400)
  const receipt = await restore.upload.receive(request(ticket), body(file.subarray(0, 10), file.subarray(10)))
  assert.equal(settings(), before)
  assert.deepEqual(done, ['interrupted for a restore', 'the settings of a backup were restored'])
  await receipt.afterReply()
  assert.equal(done.at(-1), 'reboot for a restore')
  assert.equal(serial.get(), 'of the machine')
})

test('what was never set before the backup is not set after the restore', async () => {
  const { store, backup, restore, scopes } = setUp()
  store.clear(['users'])
  const file = await backup.make()
  scopes.replace(['urn:x:2'])
  await restore.upload.receive(request(restore.start().ticket), body(file))
  assert.deepEqual(
    scopes
      .list()
      .filter(scope => !scope.fixed)
      .map(scope => scope.uri),
    [location],
  )
})

test('neither names nor passwords can be read in a backup, and no two are alike', async () => {
  const { backup, users } = setUp()
  const [one, two] = [await backup.make(), await backup.make()]
  assert.ok(!one.includes('admin') && !one.includes('Correct-horse-7') && !one.includes(users.find('admin')?.password ?? ''))
  assert.notDeepEqual(one, two)
})

test('a flipped bit anywhere is refused, and nothing changes', async () => {
  const { backup, restore, scopes, settings, done } = setUp()
  const file = await backup.make()
  scopes.replace(['urn:x:2'])
  const before = settings()
  const firstLineBytes = file.indexOf('\n') + 1
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length * 8 - 1), async bit => {
      const broken = Buffer.from(file)
      broken.writeUInt8(broken.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      await assert.rejects(
        restore.upload.receive(request(restore.start().ticket), body(broken)),
        refused(415, bit < firstLineBytes * 8 ? 'format' : 'signature'),
      )
      assert.equal(settings(), before)
    }),
    { numRuns: 300 },
  )
  assert.deepEqual(done, [])
})

test('a backup that is cut off, lengthened, empty, somebody else’s or something else is refused', async () => {
  const { backup, restore, settings } = setUp()
  const before = settings()
  const file = await backup.make()
  const cases: [Buffer, string][] = [
    [Buffer.alloc(0), 'format'],
    [file.subarray(0, 30), 'format'],
    [file.subarray(0, -1), 'signature'],
    [Buffer.concat([file, Buffer.of(0)]), 'signature'],
    [await setUp().backup.make(), 'signature'],
    [Buffer.from('PK\u0003\u0004 something else that is long enough to be a backup'), 'format'],
  ]
  for (const [content, reason] of cases) {
    await assert.rejects(restore.upload.receive(request(restore.start().ticket), body(content)), refused(415, reason))
  }
  assert.equal(settings(), before)
})

test('a backup of a newer version, whose documents are not known here, is refused as a whole', async () => {
  const key = randomBytes(32)
  const newer = setUp(key)
  newer.store.document<number>('wormhole', Number, () => 7)
  newer.scopes.replace(['urn:x:2'])
  const { restore, settings } = setUp(key)
  const before = settings()
  await assert.rejects(restore.upload.receive(request(restore.start().ticket), body(await newer.backup.make())), refused(415, 'content'))
  assert.equal(settings(), before)
})

test('a ticket is for one upload, for ten minutes, and until the next one', async () => {
  const { backup, restore, wait } = setUp()
  const file = await backup.make()
  const admit = (ticket: string) => restore.upload.admit(request(ticket))
  assert.throws(() => admit('AAAAAAAAAAAAAAAAAAAAAA'), refused(404, 'ticket'))
  assert.throws(() => admit(''), refused(404, 'ticket'))

  const first = restore.start().ticket
  const second = restore.start().ticket
  assert.throws(() => admit(first), refused(410, 'ticket'))
  admit(second)
  await restore.upload.receive(request(second), body(file))
  assert.throws(() => admit(second), refused(410, 'ticket'))
  await assert.rejects(restore.upload.receive(request(second), body(file)), refused(410, 'ticket'))

  const third = restore.start().ticket
  await assert.rejects(restore.upload.receive(request(third), body(Buffer.from('rubbish'))), refused(415, 'format'))
  assert.throws(() => admit(third), refused(410, 'ticket'))

  const fourth = restore.start().ticket
  wait(limits.ticketLifetimeMs - 1)
  admit(fourth)
  wait(1)
  assert.throws(() => admit(fourth), refused(410, 'ticket'))
})

test('an upload that breaks off may be tried again, three times in all', async () => {
  const { restore } = setUp()
  const { ticket } = restore.start()
  const broken = async function* () {
    yield Buffer.from('onvifd')
    throw new UploadRefusal(408, 'aborted', 'the client hung up')
  }
  for (let attempt = 0; attempt < limits.uploadAttemptsMax; attempt += 1) {
    await assert.rejects(restore.upload.receive(request(ticket), broken()), refused(408, 'aborted'))
  }
  await assert.rejects(restore.upload.receive(request(ticket), broken()), refused(410, 'ticket'))
})

test('what is larger than any backup is refused by its length, or where it has grown too large', async () => {
  const { restore } = setUp()
  const { ticket } = restore.start()
  assert.throws(() => restore.upload.admit(request(ticket, limits.backupBytesMax + 1)), refused(413, 'nospace'))
  let sent = 0
  const endless = async function* () {
    for (;;) {
      sent += 65_536
      yield Buffer.alloc(65_536)
    }
  }
  await assert.rejects(restore.upload.receive(request(ticket), endless()), refused(413, 'nospace'))
  assert.ok(sent <= limits.backupBytesMax + 65_536)
})

test('while one upload runs, another is refused, and so is a new StartSystemRestore', async () => {
  const { backup, restore } = setUp()
  const { ticket } = restore.start()
  const gate = Promise.withResolvers<void>()
  const slow = async function* () {
    await gate.promise
    yield await backup.make()
  }
  const running = restore.upload.receive(request(ticket), slow())
  assert.throws(() => restore.upload.admit(request(ticket)), refused(409, 'busy'))
  await assert.rejects(restore.upload.receive(request(ticket), body()), refused(409, 'busy'))
  assert.throws(restore.start, (error: unknown) => error instanceof SoapFault && error.subcodes.join() === 'Action')
  gate.resolve()
  await running
  restore.start()
})

/** Made by the first release for the device whose key is 32 times 7; nothing in it is of any use. */
const version1 = [
  'b252aWZkIGJhY2t1cCAxCuTJJVwIIV/j6gcAoYhSsHdMKYT62VRBgneP46B2b8yJiLY0vn9str/BUafWmb6mJIQCwvBOkjbeqwbk82GLc8VCYJJV7O1VU774',
  'Ykg9LHlojLkGraZA2MYZb7bpqTzSWKvQoXIsvnn5H3LSLMG/BdPGNGu6DthFVtVW0KEy87ShAeVLBQ45LeuUnVG/Muazeg19CFOGytYUEphGbrCQuW5WPTXu',
  'CzW57yVxhEC2zUL+DF3y1OmEMOBpCpBEm2jKfbDrWEILj21iJymjfmsGTSMFQk9D8lF7r6fSJFbZ/B8aFd8toST7sizTyL2ighYQ+LhfqwxGrtHZKD6SHjoI',
  'EgTf4n179nvh8dOXkinuAGnON6VHvliJ/L/KtWKbhHsh3hQFtiadM4uMTfLUwmDeaEtSNt18rUoevcA5Dv2/OcD7KQh16t9FUPwrkuNYGwQ8vdwHPfmGm5lY',
  'Qsrzc3jeaMs5lT8eObcgdJDb5DJK8djVOFyjFWtQgP5lmuDVK4DQkOU1f13pGi4lnbnIkqwUg+zdsn3BTVO4x2Yn4s5ysvehrhX5W/rb2DbVxLSQqr3hbLC4',
  'rgPkMDZiRe5cmCwsDb59eGVuG7C6OMMAUQH0p98yLk9asdAQa6K677j0Bxgy8CGqSb3oMrRRE6Z06rnEUV8qG+ya',
].join('')

test('a backup of version 1 is restored, migrated to the present schema', async () => {
  const { store, backup, restore, users, scopes } = setUp(Buffer.alloc(32, 7))
  const others = ['hostname', 'discoveryMode', 'dateTime'].map(name =>
    store.document<unknown>(
      name,
      stored => stored,
      () => undefined,
    ),
  )
  const file = Buffer.from(version1, 'base64')
  assert.equal((await backup.open(file)).documents.hostname instanceof Object, true)
  await restore.upload.receive(request(restore.start().ticket), body(file))
  assert.deepEqual(users.list(), [
    { name: 'admin', level: 'Administrator' },
    { name: 'ada', level: 'Operator' },
  ])
  assert.equal(users.find('ada')?.password, 'Correct-horse-8')
  assert.deepEqual(scopes.list().at(-1), { uri: 'urn:x:1', fixed: false })
  assert.deepEqual(
    others.map(document => document.get()),
    [
      { name: 'gate-7', fromDHCP: false },
      'NonDiscoverable',
      { source: 'Manual', daylightSavings: true, timeZone: 'CET-1CEST,M3.5.0,M10.5.0/3' },
    ],
  )
  const broken = Buffer.from(file)
  broken.writeUInt8(broken.readUInt8(100) ^ 1, 100)
  await assert.rejects(restore.upload.receive(request(restore.start().ticket), body(broken)), refused(415, 'signature'))
})

const passphrase = 'a passphrase for tests'

test('with a passphrase a backup opens on another device, secrets and all, and that device’s own backup has them too', async () => {
  const first = setUp(randomBytes(32), passphrase)
  first.users.create([{ name: 'ada', password: 'Correct-horse-8', level: 'Operator' }])
  const second = setUp(randomBytes(32), passphrase)
  await second.restore.upload.receive(request(second.restore.start().ticket), body(await first.backup.make()))
  assert.equal(second.users.find('ada')?.password, 'Correct-horse-8')
  second.users.set([{ name: 'admin', password: 'Correct-horse-9', level: 'Administrator' }])

  const third = setUp(randomBytes(32), passphrase)
  await third.restore.upload.receive(request(third.restore.start().ticket), body(await second.backup.make()))
  assert.deepEqual(
    ['admin', 'ada'].map(name => third.users.find(name)?.password),
    ['Correct-horse-9', 'Correct-horse-8'],
  )
  assert.equal(third.foreignKeys.list().length, 2)
  assert.deepEqual(Object.keys(third.store.exportDocuments()).sort(), ['scopes', 'users'], 'keys of others are no setting')

  const own = setUp(randomBytes(32), passphrase)
  const before = await own.backup.make()
  await own.restore.upload.receive(request(own.restore.start().ticket), body(await third.backup.make()))
  await own.restore.upload.receive(request(own.restore.start().ticket), body(before))
  assert.deepEqual([own.foreignKeys.list(), own.users.find('admin')?.password], [[], 'Correct-horse-7'])
})

test('of devices that a backup went through there are at most foreignKeysMax', async () => {
  const keysOf = (count: number) => Array.from({ length: count }, () => randomBytes(32))
  const taking = async (at: ReturnType<typeof setUp>, file: Buffer) =>
    at.restore.upload.receive(request(at.restore.start().ticket), body(file))
  const first = setUp(randomBytes(32), passphrase)
  // The device that made it counts too, elsewhere than on itself.
  first.foreignKeys.adopt(keysOf(limits.foreignKeysMax - 1))
  const second = setUp(randomBytes(32), passphrase)
  await taking(second, await first.backup.make())
  assert.equal(second.foreignKeys.list().length, limits.foreignKeysMax)

  const third = setUp(randomBytes(32), passphrase)
  const before = third.settings()
  const full = await second.backup.make()
  await assert.rejects(taking(third, full), refused(415, 'content'))
  assert.deepEqual([third.settings(), third.foreignKeys.list()], [before, []])
  await taking(second, full)
  assert.equal(second.foreignKeys.list().length, limits.foreignKeysMax)

  // No device makes such a backup, but whoever has the passphrase can.
  const { store, clock } = third
  const foreignKeys = { ...third.foreignKeys, all: () => keysOf(limits.foreignKeysMax + 2) }
  const forged = await createBackup({ store, key: randomBytes(32), passphrase, foreignKeys, clock, identity }).make()
  await assert.rejects(third.backup.open(forged), { name: 'BackupError', reason: 'content' })
})

test('a file of the state with more than foreignKeysMax is damaged, and one with as many is not', async t => {
  const folder = await temporaryFolder(t)
  const key = randomBytes(32)
  for (const count of [limits.foreignKeysMax, limits.foreignKeysMax + 1]) {
    const path = join(folder, `${count}.db`)
    const sealed = Array.from({ length: count }, () => createSeal(key).seal(randomBytes(32).toString('base64'), 'foreign key'))
    const before = openStore(path)
    before.document<unknown>('machine/foreignKeys', String, () => []).set(sealed)
    before.close()
    const store = openStore(path)
    if (count === limits.foreignKeysMax) assert.equal(createForeignKeys({ store, key }).list().length, count)
    else assert.throws(() => createForeignKeys({ store, key }), /damaged: its machine\/foreignKeys/)
    store.close()
  }
})

test('another passphrase, none, or a flipped bit: refused, and nothing changes', async () => {
  const file = await setUp(randomBytes(32), passphrase).backup.make()
  for (const other of ['another passphrase', undefined]) {
    const { restore, settings } = setUp(randomBytes(32), other)
    const before = settings()
    await assert.rejects(restore.upload.receive(request(restore.start().ticket), body(file)), refused(415, 'signature'))
    assert.equal(settings(), before)
  }
  const { restore, settings, foreignKeys } = setUp(randomBytes(32), passphrase)
  const before = settings()
  const lineBytes = file.indexOf('\n') + 1
  // In the salt, the IV, the content and the tag.
  for (const at of [0, lineBytes - 1, lineBytes, lineBytes + 20, lineBytes + 40, file.length - 1]) {
    const broken = Buffer.from(file)
    broken.writeUInt8(broken.readUInt8(at) ^ 0x10, at)
    const reason = at < lineBytes ? 'format' : 'signature'
    await assert.rejects(restore.upload.receive(request(restore.start().ticket), body(broken)), refused(415, reason))
  }
  assert.deepEqual([settings(), foreignKeys.list()], [before, []])
})

test('a device that has a passphrase takes its older backups, too', async () => {
  const key = randomBytes(32)
  const before = await setUp(key).backup.make()
  const { restore, users } = setUp(key, passphrase)
  users.set([{ name: 'admin', password: 'Correct-horse-9', level: 'Administrator' }])
  await restore.upload.receive(request(restore.start().ticket), body(before))
  assert.equal(users.find('admin')?.password, 'Correct-horse-7')
})

test('where the settings are refused, the keys that came with them are not kept', async () => {
  const newer = setUp(randomBytes(32), passphrase)
  newer.store.document<number>('wormhole', Number, () => 7)
  const { restore, settings, foreignKeys } = setUp(randomBytes(32), passphrase)
  const before = settings()
  await assert.rejects(restore.upload.receive(request(restore.start().ticket), body(await newer.backup.make())), refused(415, 'content'))
  assert.deepEqual([settings(), foreignKeys.list()], [before, []])
})

test('in a message the same is told as a fault, one restore at a time', async () => {
  const { backup, restore, settings, users, done } = setUp()
  const before = settings()
  const file = await backup.make()
  users.set([{ name: 'admin', password: 'Correct-horse-9', level: 'Administrator' }])
  const author = { user: 'admin', remoteAddress: '127.0.0.1' }
  const raises = (name: string) => (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === name
  await assert.rejects(restore.restore(file.subarray(1), author), raises('InvalidBackupFile'))
  await assert.rejects(restore.restore(file.subarray(0, -1), author), raises('InvalidBackupFile'))
  assert.notEqual(settings(), before)
  const running = restore.restore(file, author)
  assert.throws(restore.start, raises('Action'))
  await assert.rejects(restore.restore(file, author), raises('Action'))
  const afterReply = await running
  assert.equal(settings(), before)
  await afterReply()
  assert.equal(done.at(-1), 'reboot for a restore')
})
