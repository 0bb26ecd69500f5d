import { createAccounts } from '../../src/accounts.ts'
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticate.ts'
import { createAuthorizationServers } from '../../src/device/authorizationServers.ts'
import { createAuxiliary } from '../../src/device/auxiliary.ts'
import { type Backup, createBackup } from '../../src/device/backup/backup.ts'
import { createForeignKeys } from '../../src/device/backup/foreignKeys.ts'
import { createRestore, type Restore } from '../../src/device/backup/restore.ts'
import { createKeystore, type Keystore } from '../../src/device/certificates/keystore.ts'
import { createDiscoveryMode } from '../../src/device/discoveryMode.ts'
import { createSubscriptions } from '../../src/device/events/subscriptions.ts'
import { createFirmware, type Firmware } from '../../src/device/firmware/firmware.ts'
import { createHealth } from '../../src/device/firmware/health.ts'
import { createSettingsSnapshot } from '../../src/device/firmware/settingsSnapshot.ts'
import { storageCheck } from '../../src/device/firmware/storageCheck.ts'
import { createGeoLocations } from '../../src/device/geoLocations.ts'
import { createJwt } from '../../src/device/jwt.ts'
import { createAddressFilter } from '../../src/device/network/addressFilter.ts'
import { createProtocols } from '../../src/device/network/protocols.ts'
import { createRelays } from '../../src/device/relays.ts'
import { createRemoteDiscovery } from '../../src/device/remoteDiscovery.ts'
import { createScopes, type Scopes } from '../../src/device/scopes.ts'
import { createSeal } from '../../src/device/seal.ts'
import { createStorageConfigurations } from '../../src/device/storageConfigurations.ts'
import type { Store } from '../../src/device/store.ts'
import { createSupportInformation } from '../../src/device/supportInformation.ts'
import { createDateTime } from '../../src/device/time/dateTime.ts'
import type { Users } from '../../src/device/users.ts'
import { createEventSources } from '../../src/eventSources.ts'
import { createHandlers } from '../../src/operations/services.ts'
import type { Logs, Network, Storage, UpdateBackend } from '../../src/platform/platform.ts'
import type { ReplayFile } from '../../src/platform/replayFile.ts'
import type { Slot } from '../../src/platform/slots/bootRecord.ts'
import { launch } from '../../src/platform/slots/launcher.ts'
import { virtualLayout } from '../../src/platform/slots/layout.ts'
import { prepareSlots } from '../../src/platform/slots/prepareSlots.ts'
import { createSlotEngine } from '../../src/platform/slots/slotEngine.ts'
import { virtualPlatform } from '../../src/platform/virtual/virtualPlatform.ts'
import { createService, type Service } from '../../src/service.ts'
import type { SoapRequest } from '../../src/soap/message.ts'
import { appBytesMax, board, factoryContent, silent, trusting } from '../device/firmware/workbench.ts'
import { authorityPem } from './images.ts'
import { clockOf, type Time } from './time.ts'

/** The machine that a start finds, as far as it goes through ports. */
export interface Surroundings {
  readonly storage: Storage
  readonly time: Time
  /** The 32 bytes of the device. */
  readonly key: Uint8Array
  /** Whether the image that runs passes its checks; undefined where our code never runs in it. */
  isWell(running: Slot): Promise<boolean | undefined>
  carry(present: string, restored: string): void
  /** The settings and the tokens that were used; called when nobody else may change the settings any more. */
  open(): { readonly store: Store; readonly journal: ReplayFile }
  /** The settings as a file, whole. */
  readSettings(store: Store): Buffer
  readonly restart: (reason: string) => void
  readonly firstPassword: string
}

export const places = { slots: '/state/slots', upgrade: '/state/upgrade', database: '/state/device.db' } as const
export const paths = { upload: '/onvif/upload/', restore: '/onvif/restore/' } as const

/** One start of the device. */
export interface Life {
  readonly running: Slot
  readonly backend: UpdateBackend
  readonly service: Service
  readonly authenticator: Authenticator
  readonly firmware: Firmware
  readonly restore: Restore
  readonly backup: Backup
  readonly store: Store
  readonly users: Users
  readonly scopes: Scopes
  readonly network: Network
  readonly keystore: Keystore
  readonly now: () => Date
  /** Goes on with an upgrade. */
  resume(): Promise<void>
  close(): Promise<void>
}

const logs: Logs = { system: silent, access: silent, read: async () => Buffer.alloc(0) }
const noListener = {
  ports: () => ({ http: [8080], https: [] }),
  own: () => ({ http: 8080, https: 8443 }),
  open: async () => {},
  keep: async () => {},
}

/**
 * A start as boot.ts does it, on ports that the schedule owns: from power-on to a service that answers. What is left out is at the
 * doors: sockets, discovery, logs, files of the operator. Undefined where the image that was booted never gets so far.
 */
export async function start(around: Surroundings): Promise<Life | undefined> {
  const { storage, time } = around
  const clock = clockOf(time)
  await prepareSlots(storage, places.slots, { version: '1.0.0', content: factoryContent })
  const running = await launch(storage, places.slots)
  const isWell = await around.isWell(running)
  if (isWell === undefined) return undefined

  const layout = virtualLayout(places.slots, 65_536, appBytesMax)
  const trust = trusting(authorityPem)
  const backend = createSlotEngine({ storage, layout, record: places.slots, running, board, trust, clock, log: silent })
  const { carry, key } = around
  const snapshot = createSettingsSnapshot({ storage, folder: places.upgrade, databaseFile: places.database, carry, log: silent })
  await snapshot.reconcile(await backend.slots(), await backend.record())
  const { store, journal } = around.open()
  clock.keepIn(store)
  const foreignKeys = createForeignKeys({ store, key })
  const seal = createSeal(key, foreignKeys.list)
  const { identity, network, power } = virtualPlatform({
    store,
    seal,
    clock,
    model: 'Virtual Device',
    serialNumber: undefined,
    interfaces: ['eth0'],
    listenAddress: () => '192.0.2.7',
    bootTimeMs: 2_000,
    restart: async reason => around.restart(reason),
    storage,
    update: backend,
  })
  const accounts = createAccounts({ store, seal, clock, log: silent })
  let ownRequest = async (): Promise<void> => {}
  const health = createHealth({
    clock,
    checks: [
      { name: 'own request', run: () => ownRequest() },
      { name: 'settings', run: async () => store.verify() },
      storageCheck(storage, places.upgrade),
    ],
    settleMs: 0,
    deadlineMs: 60_000,
    confirm: 'auto',
    log: silent,
  })
  const firmware = await createFirmware({
    backend,
    clock,
    storage,
    folder: places.upgrade,
    log: silent,
    power,
    hold: false,
    health,
    settings: { keep: (slot, transaction) => snapshot.keep(slot, transaction, around.readSettings(store)), drop: snapshot.drop },
  })
  const scopes = createScopes({ store, identity, hwAddress: '02:00:5e:00:53:01' })
  const keystore = createKeystore({ store, seal, clock, log: silent, isTlsEnabled: () => false })
  const jwt = createJwt({ store, keys: keystore.keys, policies: keystore.policies })
  keystore.referTo(jwt.references)
  const authorizationServers = createAuthorizationServers({ store, seal, ...keystore })
  keystore.referTo(authorizationServers.references)
  const storageConfigurations = createStorageConfigurations({ store, seal, policies: keystore.policies, authorizationServers })
  keystore.referTo(storageConfigurations.references)
  authorizationServers.referTo(storageConfigurations.authorizationServers)
  const sources = createEventSources({ store, clock, log: silent, relays: 1, processor: undefined, networkInterface: 'eth0' })
  const { events, operatingTimes } = sources
  const subscriptions = createSubscriptions({ clock, log: silent, events })
  const relays = createRelays({ store, clock, log: silent, count: 1, changed: sources.relayChanged })
  const backup = createBackup({ store, key, passphrase: undefined, foreignKeys, clock, identity })
  const restore = createRestore({ backup, store, foreignKeys, clock, power, log: silent, interrupt: firmware.abort })
  const subjects = {
    ...accounts,
    identity,
    network,
    power,
    logs,
    store,
    firmware,
    backup,
    restore,
    scopes,
    keystore,
    jwt,
    authorizationServers,
    operatingTimes,
    clock,
    events,
    subscriptions,
    consumers: { open: () => Promise.reject(new Error('nobody is out there')) },
    relays,
    servesTls: true,
    allowLegacy: false,
    discovers: false,
    expel() {},
    supportInformation: createSupportInformation({
      identity,
      clock,
      network,
      update: backend,
      logs,
      settings: () => ({}),
      upgrades: firmware.history,
    }),
    discoveryMode: createDiscoveryMode(store),
    dateTime: createDateTime({ store, clock, network, synchronized: sources.clockSynchronized }),
    geoLocations: createGeoLocations({ store }),
    auxiliary: createAuxiliary({ store, log: silent, functions: [] }),
    storageConfigurations,
    remoteDiscovery: createRemoteDiscovery({ store }),
    protocols: createProtocols({ store, listener: noListener }),
    addressFilter: createAddressFilter(store),
  }
  if (accounts.users.isEmpty()) accounts.users.reset('admin', around.firstPassword)
  const { users, permits, hashingAlgorithms } = accounts
  const authenticator = createAuthenticator({ accounts: users, clock, journal, algorithms: hashingAlgorithms.offered, permits })
  const service = createService({ handlers: createHandlers(subjects), authenticator, clock, logs, strict: false, publicOrigin: undefined })

  return {
    running,
    backend,
    service,
    authenticator,
    firmware,
    restore,
    backup,
    store,
    users,
    scopes,
    network,
    keystore,
    now: clock.now,

    async resume() {
      ownRequest = async () => {
        const { status } = await service.handle(question)
        if (status !== 200 || !isWell) throw new Error('not well')
      }
      await firmware.resume()
    },

    async close() {
      await firmware.goDown('the device goes down')
      subscriptions.close()
      sources.close()
      await firmware.close()
      relays.close()
      keystore.stop()
      journal.close()
      store.close()
    },
  }
}

/** What every client asks first. */
const question: SoapRequest = {
  body: Buffer.from(
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>',
  ),
  origin: new URL('http://192.0.2.7:8080'),
  remoteAddress: '192.0.2.7',
  target: '/onvif/device_service',
}
