import { createAuthenticator } from './auth/authenticate.ts'
import type { Config } from './config.ts'
import { createBackup } from './device/backup/backup.ts'
import { createRestore } from './device/backup/restore.ts'
import { createDiscoveryMode } from './device/discoveryMode.ts'
import { createFirmware } from './device/firmware/firmware.ts'
import { createScopes } from './device/scopes.ts'
import { createSeal } from './device/seal.ts'
import { createSupportInformation } from './device/supportInformation.ts'
import { createDateTime } from './device/time/dateTime.ts'
import { createUsers } from './device/users.ts'
import type { Download } from './http/app.ts'
import type { HttpOptions } from './http/server.ts'
import { limits } from './limits.ts'
import { paths } from './operations/device/addresses.ts'
import { deviceHandlers } from './operations/device/index.ts'
import { readFirmwareCa } from './platform/developmentCa.ts'
import { createFileStorage } from './platform/fileStorage.ts'
import { createLogs } from './platform/logs.ts'
import type { Platform } from './platform/platform.ts'
import { openReplayFile } from './platform/replayFile.ts'
import { launch } from './platform/slots/launcher.ts'
import { prepareSlots } from './platform/slots/prepareSlots.ts'
import { createSlotEngine } from './platform/slots/slotEngine.ts'
import { databaseFile, openStateFolder, subfolder } from './platform/stateFolder.ts'
import { openStoreFile } from './platform/storeFile.ts'
import { createClock } from './platform/virtual/clock.ts'
import { virtualPlatform } from './platform/virtual/virtualPlatform.ts'
import { createService, type Service } from './service.ts'

interface Order {
  readonly config: Config
  readonly terminal: { write(text: string): unknown; readonly isTTY?: boolean | undefined }
  /** Asked where there are no users yet. */
  readonly firstPassword: (name: string) => string
  readonly restart: (reason: string, downMs: number) => Promise<void>
  /** The IP address and TCP port that are listened on. */
  readonly listening: () => { readonly host: string; readonly port: number }
}

/** Everything that runs between two boots; it keeps nothing but what is in the state folder. */
export interface Running extends Pick<HttpOptions, 'uploads' | 'downloads' | 'authenticator' | 'logs'> {
  readonly service: Service
  /** Path of the device service. */
  readonly servicePath: string
  /** Goes on with an upgrade that the reboot was part of; `selfCheck` rejects where the device is not well. */
  resume(selfCheck: () => Promise<void>): Promise<void>
  /** Breaks off what must not be cut in the middle. */
  interrupt(reason: string): Promise<void>
  close(): Promise<void>
}

/** The factory's firmware: version 1.0.0 and nothing that anybody would want to run. */
const factoryImage = { version: '1.0.0', content: Buffer.from('onvifd virtual device, factory firmware 1.0.0\n') }
const board = { name: 'onvifd-virtual', revision: '1.0' }

/** From the state folder to a device that answers: the rooms are introduced to each other here, and nowhere else. */
export async function boot({ config, terminal, firstPassword, restart, listening }: Order): Promise<Running> {
  const state = openStateFolder(config.state)
  const store = openStoreFile(databaseFile(state.path))
  const clock = createClock(store)
  const logs = await createLogs({
    level: config.logLevel,
    format: config.logFormat,
    folder: subfolder(state, 'logs'),
    terminal,
    now: clock.now,
  })
  const journal = openReplayFile(subfolder(state, 'tokens'))
  const storage = createFileStorage()

  const trust = () => readFirmwareCa(config.firmwareCa, state.path)
  const slots = subfolder(state, 'slots')
  await prepareSlots(storage, slots, factoryImage)
  const update = createSlotEngine({
    storage,
    folder: slots,
    running: await launch(storage, slots),
    slotBytesMax: limits.virtualSlotBytesMax,
    board,
    trust,
    clock,
  })
  const platform: Platform = virtualPlatform({
    store,
    clock,
    model: config.model,
    serialNumber: config.serial,
    listenAddress: () => listening().host,
    bootTimeMs: config.bootTime * 1000,
    restart,
    storage,
    update,
  })
  const { identity, network, power } = platform

  const seal = createSeal(state.key)
  const users = createUsers({ store, seal })
  const firmware = await createFirmware({ backend: update, clock, storage, folder: subfolder(state, 'upgrade'), log: logs.system, power })
  const [nic] = await network.interfaces()
  const scopes = createScopes({ store, identity, hwAddress: nic?.hwAddress ?? '' })
  const discoveryMode = createDiscoveryMode(store)
  const dateTime = createDateTime({ store, clock, network })
  const backup = createBackup({ store, key: state.key, clock, identity })
  const restore = createRestore({ backup, store, clock, power, log: logs.system, interrupt: firmware.abort })
  const supportInformation = createSupportInformation({
    identity,
    clock,
    network,
    update,
    logs,
    settings: () => ({ scopes: scopes.list(), discoveryMode: discoveryMode.get(), dateTime: dateTime.read(), users: users.list() }),
    upgrades: async () => firmware.history(),
  })
  // Last of all documents to be looked at: a restored or reset store is complete by now.
  if (users.isEmpty()) users.reset(config.adminUser, firstPassword(config.adminUser))

  const authenticator = createAuthenticator({ accounts: users, clock, journal })
  const handlers = deviceHandlers({
    identity,
    network,
    power,
    logs,
    store,
    firmware,
    restore,
    supportInformation,
    users,
    scopes,
    discoveryMode,
    dateTime,
    httpPort: () => listening().port,
    hashingAlgorithms: ['MD5', 'SHA-256'],
  })

  return {
    service: createService({ handlers, authenticator, clock, logs, strict: config.strict }),
    servicePath: paths.service,
    authenticator,
    logs,
    uploads: new Map([
      [paths.upload, firmware.upload],
      [paths.restore, restore.upload],
    ]),
    downloads: downloads({ logs, supportInformation, backup }),
    async resume(selfCheck) {
      await firmware.resume(selfCheck)
      logs.system.info({ version: firmware.runningVersion(), state: state.path }, 'the device is up')
      // A new device has no CA yet. Making one takes longer than a start may, and a CA that cannot be read is better told now.
      trust().catch(error => logs.system.error({ error }, 'the firmware CA cannot be read: no upgrade will be accepted'))
    },
    interrupt: firmware.abort,
    async close() {
      await firmware.close()
      journal.close()
      store.close()
      logs.close()
    },
  }
}

/** What GetSystemUris names. The operation is for every user, the files are not: they are asked for on their own (Core 8.3.2). */
function downloads(from: {
  readonly logs: Awaited<ReturnType<typeof createLogs>>
  readonly supportInformation: ReturnType<typeof createSupportInformation>
  readonly backup: ReturnType<typeof createBackup>
}): ReadonlyMap<string, Download> {
  const access = 'READ_SYSTEM_SECRET'
  const log = (type: 'System' | 'Access', fileName: string) =>
    ({
      access,
      contentType: 'text/plain; charset=utf-8',
      fileName,
      read: () => from.logs.read(type),
    }) as const
  return new Map<string, Download>([
    [paths.systemLog, log('System', 'system.log')],
    [paths.accessLog, log('Access', 'access.log')],
    [
      paths.supportInformation,
      { access, contentType: 'application/x-tar', fileName: 'support.tar', read: async () => from.supportInformation.archive() },
    ],
    [paths.backup, { access, contentType: 'application/octet-stream', fileName: 'onvifd.backup', read: async () => from.backup.make() }],
  ])
}
