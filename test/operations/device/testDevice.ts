import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createAccounts } from '../../../src/accounts.ts'
import { createConsumers } from '../../../src/client/consumers.ts'
import { createAuthorizationServers } from '../../../src/device/authorizationServers.ts'
import { createAuxiliary } from '../../../src/device/auxiliary.ts'
import { createBackup } from '../../../src/device/backup/backup.ts'
import { createForeignKeys } from '../../../src/device/backup/foreignKeys.ts'
import { createRestore } from '../../../src/device/backup/restore.ts'
import { createKeystore } from '../../../src/device/certificates/keystore.ts'
import { createDiscoveryMode } from '../../../src/device/discoveryMode.ts'
import { createSubscriptions } from '../../../src/device/events/subscriptions.ts'
import { createFirmware, type Firmware } from '../../../src/device/firmware/firmware.ts'
import { createHealth } from '../../../src/device/firmware/health.ts'
import { createGeoLocations } from '../../../src/device/geoLocations.ts'
import { createJwt } from '../../../src/device/jwt.ts'
import { createAddressFilter } from '../../../src/device/network/addressFilter.ts'
import { createProtocols } from '../../../src/device/network/protocols.ts'
import { createRelays } from '../../../src/device/relays.ts'
import { createRemoteDiscovery } from '../../../src/device/remoteDiscovery.ts'
import { createScopes } from '../../../src/device/scopes.ts'
import { createSeal } from '../../../src/device/seal.ts'
import { createStorageConfigurations } from '../../../src/device/storageConfigurations.ts'
import { openStore } from '../../../src/device/store.ts'
import { createSupportInformation } from '../../../src/device/supportInformation.ts'
import { createDateTime } from '../../../src/device/time/dateTime.ts'
import { createEventSources } from '../../../src/eventSources.ts'
import { contract } from '../../../src/onvif/contract.generated.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import type { Call } from '../../../src/onvif/handlers.ts'
import type { OperationName, Operations } from '../../../src/onvif/types.generated.ts'
import { createHandlers } from '../../../src/operations/services.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import { createLogs } from '../../../src/platform/logs.ts'
import type { Network, UpdateBackend } from '../../../src/platform/platform.ts'
import { createClock } from '../../../src/platform/virtual/clock.ts'
import { virtualPlatform } from '../../../src/platform/virtual/virtualPlatform.ts'
import { createCodec } from '../../../src/soap/codec.ts'
import { writeAnswer } from '../../../src/soap/envelope.ts'
import { validateMessage } from '../../support/schemaValidator.ts'

const codec = createCodec(contract)

/** On its port, and no other one is ever opened. */
const noListener = {
  ports: () => ({ http: [8080], https: [] }),
  own: () => ({ http: 8080, https: 8443 }),
  open: async () => {},
  keep: async () => {},
}

/** Slots that are there and never written: what an upgrade does has its own tests. */
const update: UpdateBackend = {
  name: 'builtin',
  imageBytesMax: 1000,
  canAbort: true,
  recover: async () => {},
  record: async () => 'whole',
  slots: async () => [
    { id: 'A', running: true, confirmed: true, next: true, version: '1.0.0', sha256: 'a', triesLeft: 3, transaction: undefined },
    { id: 'B', running: false, confirmed: false, next: false, version: undefined, sha256: undefined, triesLeft: 0, transaction: undefined },
  ],
  install: async () => assert.fail('no image was sent'),
  activate: async () => {},
  confirm: async () => {},
  reject: async () => {},
  discard: async () => {},
}

interface Options {
  readonly origin?: string
  readonly listenAddress?: string
  readonly interfaces?: readonly string[]
  /** What the keystore takes for the state of HTTPS. */
  readonly tlsEnabled?: boolean
  readonly servesTls?: boolean
  readonly allowLegacy?: boolean
  /** What the machine has instead. */
  readonly network?: Partial<Network>
}

/** The device behind its desks: every subject is real, the store is in memory, and a reboot is only noted. */
export async function createTestDevice(
  t: TestContext,
  {
    origin = 'http://192.0.2.7',
    listenAddress = '127.0.0.1',
    interfaces = ['eth0'],
    tlsEnabled = false,
    servesTls = true,
    allowLegacy = false,
    network: other = {},
  }: Options = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-operations-'))
  const key = randomBytes(32)
  const store = openStore(':memory:')
  const clock = createClock(store)
  const logs = await createLogs({ level: 'silent', format: 'json', folder: join(folder, 'logs'), terminal: { write() {} }, now: clock.now })
  t.after(() => {
    logs.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const reboots: string[] = []
  const storage = createFileStorage()
  const restart = async (reason: string) => void reboots.push(reason)
  const machine = {
    store,
    clock,
    model: 'Virtual Device',
    serialNumber: 'V1',
    seal: createSeal(key),
    interfaces,
    listenAddress: () => listenAddress,
    bootTimeMs: 2000,
    restart,
    storage,
    update,
  }
  const platform = virtualPlatform(machine)
  const { identity } = platform
  const network = { ...platform.network, ...other }
  const sources = createEventSources({
    store,
    clock,
    log: logs.system,
    relays: 2,
    processor: undefined,
    networkInterface: 'eth0',
  })
  const { events, operatingTimes } = sources
  const subscriptions = createSubscriptions({ clock, log: logs.system, events })
  const consumers = createConsumers({ isLocalAllowed: false })
  t.after(() => {
    subscriptions.close()
    consumers.close()
  })
  const power = sources.announcing(platform.power)

  const firmware: Firmware = await createFirmware({
    backend: update,
    clock,
    storage,
    power,
    log: logs.system,
    folder,
    hold: false,
    health: createHealth({ clock, checks: [], settleMs: 0, deadlineMs: 300_000, confirm: 'auto', log: logs.system }),
    settings: { async keep() {}, async drop() {} },
    changed: () => sources.upgradeChanged(firmware.progress()),
  })
  await firmware.resume()
  const seal = createSeal(key)
  const accounts = createAccounts({ store, seal, clock, log: logs.system, warned: sources.authFailed })
  const { users } = accounts
  users.reset('admin', 'Correct-horse-7')
  const scopes = createScopes({ store, identity, hwAddress: '02:00:5e:00:53:01' })
  const discoveryMode = createDiscoveryMode(store)
  const dateTime = createDateTime({ store, clock, network, synchronized: sources.clockSynchronized })
  const foreignKeys = createForeignKeys({ store, key })
  const backup = createBackup({ store, key, passphrase: undefined, foreignKeys, clock, identity, fetched: sources.backupFetched })
  const restore = createRestore({ backup, store, foreignKeys, clock, power, log: logs.system, interrupt: firmware.abort })
  const settings = () => ({ users: users.list() })
  const supportInformation = createSupportInformation({ identity, clock, network, update, logs, settings, upgrades: firmware.history })
  const keystore = createKeystore({
    store,
    seal,
    clock,
    log: logs.system,
    allowLegacy,
    isTlsEnabled: () => tlsEnabled,
    onKeyStatus: sources.keyStatus,
  })
  const jwt = createJwt({ store, keys: keystore.keys, policies: keystore.policies })
  const authorizationServers = createAuthorizationServers({ store, seal, ...keystore })
  const storageConfigurations = createStorageConfigurations({ store, seal, policies: keystore.policies, authorizationServers })
  for (const { references } of [jwt, authorizationServers, storageConfigurations]) keystore.referTo(references)
  authorizationServers.referTo(storageConfigurations.authorizationServers)
  const chapters = {
    geoLocations: createGeoLocations({ store }),
    relays: createRelays({ store, clock, log: logs.system, count: 2, changed: sources.relayChanged }),
    auxiliary: createAuxiliary({ store, log: logs.system, functions: ['tt:IRLamp'] }),
    storageConfigurations,
    keystore,
    jwt,
    authorizationServers,
    servesTls,
    allowLegacy,
    remoteDiscovery: createRemoteDiscovery({ store }),
  }
  t.after(() => chapters.relays.close())
  t.after(() => chapters.keystore.stop())
  const services = {
    protocols: createProtocols({ store, listener: noListener }),
    addressFilter: createAddressFilter(store),
    expel: () => {},
  }
  const subjects = {
    ...chapters,
    ...services,
    identity,
    network,
    power,
    logs,
    store,
    operatingTimes,
    clock,
    events,
    subscriptions,
    consumers,
    firmware,
    backup,
    restore,
    supportInformation,
    ...accounts,
    scopes,
    discoveryMode,
    dateTime,
    discovers: true,
  }
  sources.begin({ relays: chapters.relays, firmware })
  const handlers = createHandlers(subjects)

  /** Performs the operation, sees that the answer is valid by the schema, and then does what comes after the answer. */
  async function perform<O extends OperationName>(operation: O, request: Operations[O]['request']): Promise<Operations[O]['response']> {
    const effects: (() => Promise<void>)[] = []
    const call: Call = {
      caller: { name: 'admin', level: 'Administrator' },
      origin: new URL(origin),
      remoteAddress: '192.0.2.99',
      target: '/onvif/device_service',
      hungUp: new AbortController().signal,
      isMultipart: false,
      afterReply: effect => void effects.push(effect),
      attachment: () => undefined,
      stream: async () => undefined,
      attach: (_, contentType) => ({ contentType, Include: { href: 'cid:1@onvifd' } }),
    }
    const before = reboots.length
    const response = await handlers[operation](request, call)
    assert.deepEqual(validateMessage(writeAnswer(codec.encodeResponse(operation, response))), [])
    assert.equal(reboots.length, before, 'nothing restarts before the answer has left')
    for (const effect of effects) await effect()
    return response
  }

  return { ...subjects, backup, perform, handlers, reboots }
}

/** For assert.rejects: the fault with its code and subcodes, `Sender/InvalidArgVal/NoScope`. */
export const raises = (fault: string) => (error: unknown) => {
  assert.ok(error instanceof SoapFault, String(error))
  assert.equal([error.code, ...error.subcodes].join('/'), fault)
  return true
}
