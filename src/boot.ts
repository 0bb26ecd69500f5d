import { createAuthenticator } from './auth/authenticate.ts'
import { digestAlgorithms } from './auth/httpDigest.ts'
import { type Config, parseOrigin } from './config.ts'
import { createAccessPolicy } from './device/accessPolicy.ts'
import { createAuthFailureWarning } from './device/authFailureWarning.ts'
import { createAuxiliary } from './device/auxiliary.ts'
import { createBackup } from './device/backup/backup.ts'
import { createForeignKeys } from './device/backup/foreignKeys.ts'
import { createRestore } from './device/backup/restore.ts'
import { createDiscoveryMode } from './device/discoveryMode.ts'
import { createFirmware, type Firmware } from './device/firmware/firmware.ts'
import { type Check, createHealth } from './device/firmware/health.ts'
import { createSettingsSnapshot } from './device/firmware/settingsSnapshot.ts'
import { storageCheck } from './device/firmware/storageCheck.ts'
import { createGeoLocations } from './device/geoLocations.ts'
import { createHashingAlgorithms } from './device/hashingAlgorithms.ts'
import { createAddressFilter } from './device/network/addressFilter.ts'
import { createProtocols, type Listener } from './device/network/protocols.ts'
import { createPasswordPolicy } from './device/passwordPolicy.ts'
import { createRelays } from './device/relays.ts'
import { createRemoteDiscovery } from './device/remoteDiscovery.ts'
import { createRemoteUser } from './device/remoteUser.ts'
import { createScopes } from './device/scopes.ts'
import { createSeal, type Seal } from './device/seal.ts'
import { createStorageConfigurations } from './device/storageConfigurations.ts'
import { carryDocuments, type Store } from './device/store.ts'
import { createSupportInformation } from './device/supportInformation.ts'
import { createDateTime } from './device/time/dateTime.ts'
import type { UploadTarget } from './device/upload.ts'
import { createUserRoles } from './device/userRoles.ts'
import { createUsers } from './device/users.ts'
import { createEngine } from './engine.ts'
import type { Download } from './http/app.ts'
import type { HttpOptions } from './http/server.ts'
import { limits } from './limits.ts'
import type { Permits } from './onvif/handlers.ts'
import { paths } from './operations/device/addresses.ts'
import { deviceHandlers } from './operations/device/index.ts'
import { readTrust } from './platform/developmentCa.ts'
import { createFileStorage } from './platform/fileStorage.ts'
import { runHealthHooks } from './platform/healthHooks.ts'
import { createLogs } from './platform/logs.ts'
import { createMachinePower } from './platform/machinePower.ts'
import { readPassphrase } from './platform/passphraseFile.ts'
import type { AntiRollbackStore, Clock, Log, Platform, Storage } from './platform/platform.ts'
import { openReplayFile } from './platform/replayFile.ts'
import { databaseFile, lockStateFolder, openStateFolder, type StateFolder, subfolder } from './platform/stateFolder.ts'
import { makeStoreFile, openStoreFile, readStoreFile } from './platform/storeFile.ts'
import { clockDocument, createClock, parseClockOffset } from './platform/virtual/clock.ts'
import { virtualPlatform } from './platform/virtual/virtualPlatform.ts'
import { createService, type Service } from './service.ts'

interface Order {
  readonly config: Config
  readonly terminal: { write(text: string): unknown; readonly isTTY?: boolean | undefined }
  /** Asked where there are no users yet. */
  readonly firstPassword: (name: string) => string
  readonly restart: (reason: string, downMs: number) => Promise<void>
  /** Beside the boot record, where the machine has a safer place. */
  readonly antiRollback: AntiRollbackStore | undefined
  readonly listener: Listener & {
    /** Ends the connections that `Running.admits` does not admit any more. */
    expel(): void
    /** The IP address that is listened on. */
    address(): string
  }
}

/** Everything that runs between two boots; it keeps nothing but what is in the state folder. */
export interface Running extends Pick<HttpOptions, 'uploads' | 'downloads' | 'firmware' | 'authenticator' | 'logs' | 'publicOrigin'> {
  readonly service: Service
  /** Whether a client with this address may connect. */
  readonly admits: (remoteAddress: string) => boolean
  /** The ports that a client has set; undefined where the operator's hold. */
  readonly httpPorts: readonly number[] | undefined
  /** Path of the device service. */
  readonly servicePath: string
  /** Goes on with an upgrade that the reboot was part of; `selfCheck` rejects where the device is not well. */
  resume(selfCheck: () => Promise<void>): Promise<void>
  /** Breaks off what must not be cut in the middle. */
  interrupt(reason: string): Promise<void>
  close(): Promise<void>
}

/** From the state folder to a device that answers: the rooms are introduced to each other here, and nowhere else. */
export async function boot(order: Order): Promise<Running> {
  const state = openStateFolder(order.config.state)
  /** What was opened, the last in front. */
  const opened: { close(): void }[] = []
  const close = () => {
    for (const each of opened.splice(0)) each.close()
  }
  try {
    return await introduce(order, state, opened, close)
  } catch (error) {
    close()
    throw error
  }
}

async function introduce(
  { config, terminal, firstPassword, restart, listener, antiRollback }: Order,
  state: StateFolder,
  opened: { close(): void }[],
  closeAll: () => void,
): Promise<Running> {
  const opening = <T extends { close(): void }>(resource: T): T => {
    opened.unshift(resource)
    return resource
  }
  const publicOrigin = config.publicUrl === undefined ? undefined : parseOrigin(config.publicUrl)
  const lock = lockStateFolder(state)
  opening({ close: lock.release })
  const file = databaseFile(state.path)
  // Before the slots: a folder with slots and without settings is taken for a damaged one.
  makeStoreFile(file)
  const clock = createClock()
  const logs = opening(
    await createLogs({
      level: config.logLevel,
      format: config.logFormat,
      folder: subfolder(state, 'logs'),
      terminal,
      now: clock.now,
    }),
  )
  const storage = createFileStorage()
  const trust = () => readTrust(config, state.path, firmware.passed())
  const { backend: update } = opening(await createEngine({ config, state, storage, clock, log: logs.system, trust, antiRollback }))

  // A slot that runs again gets its own settings back, before anybody opens them.
  const upgradeFolder = subfolder(state, 'upgrade')
  const snapshot = createSettingsSnapshot({ storage, folder: upgradeFolder, databaseFile: file, carry: carryMachine, log: logs.system })
  await snapshot.reconcile(await update.slots(), await update.record())
  const store = opening(openStoreFile(file))
  clock.keepIn(store)
  const journal = opening(openReplayFile(subfolder(state, 'tokens')))
  const foreignKeys = createForeignKeys({ store, key: state.key })
  const seal = createSeal(state.key, foreignKeys.list)
  const machinePower =
    config.rebootCommand === undefined
      ? undefined
      : createMachinePower({ store, now: clock.now, command: config.rebootCommand, bootTimeMs: config.bootTime * 1000, log: logs.system })
  const platform: Platform = virtualPlatform({
    store,
    seal,
    clock,
    model: config.model,
    serialNumber: config.serial,
    interfaces: config.interfaces,
    listenAddress: listener.address,
    bootTimeMs: config.bootTime * 1000,
    restart,
    storage,
    update,
    power: machinePower,
  })
  const { identity, network, power } = platform

  const accounts = createAccounts({ store, seal, clock, log: logs.system })
  const { users } = accounts
  /** Known as soon as the door is open. */
  let ownRequest = async (): Promise<void> => {}
  const health = createHealth({
    clock,
    log: logs.system,
    settleMs: config.settle * 1000,
    deadlineMs: config.healthDeadline * 1000,
    confirm: config.confirm,
    checks: checksOf(config, { store, storage, folder: upgradeFolder, log: logs.system, ownRequest: () => ownRequest() }),
  })
  const firmware: Firmware = await createFirmware({
    backend: update,
    clock,
    storage,
    folder: upgradeFolder,
    log: logs.system,
    power,
    hold: config.activate === 'manual',
    health,
    settings: { keep: (slot, transaction) => snapshot.keep(slot, transaction, readStoreFile(store, file)), drop: snapshot.drop },
  })
  const [nic] = await network.interfaces()
  const scopes = createScopes({ store, identity, hwAddress: nic?.hwAddress ?? '' })
  const discoveryMode = createDiscoveryMode(store)
  const dateTime = createDateTime({ store, clock, network })
  const protocols = createProtocols({ store, listener })
  const addressFilter = createAddressFilter(store)
  const geoLocations = createGeoLocations({ store })
  const relays = createRelays({ store, clock, log: logs.system, count: config.relays })
  const auxiliary = createAuxiliary({ store, log: logs.system, functions: config.auxiliary ?? [] })
  const storageConfigurations = createStorageConfigurations({ store, seal })
  // There in any case, so that a backup that has it can be restored.
  const remoteDiscovery = createRemoteDiscovery({ store })
  const passphrase = config.backupPassphraseFile === undefined ? undefined : readPassphrase(config.backupPassphraseFile)
  const backup = createBackup({ store, key: state.key, passphrase, foreignKeys, clock, identity })
  const restore = createRestore({ backup, store, foreignKeys, clock, power, log: logs.system, interrupt: firmware.abort })
  const supportInformation = createSupportInformation({
    identity,
    clock,
    network,
    update,
    logs,
    settings: () => ({
      scopes: scopes.list(),
      discoveryMode: discoveryMode.get(),
      dateTime: dateTime.read(),
      users: users.list(),
      userRoles: accounts.userRoles.list(),
      remoteUser: accounts.remoteUser.get(),
      hashingAlgorithms: accounts.hashingAlgorithms.offered(),
      complexity: accounts.passwordPolicy.complexity(),
      history: accounts.passwordPolicy.history(),
      authFailureWarning: accounts.authFailureWarning.get(),
      protocols: protocols.list(),
      addressFilter: addressFilter.get(),
      geoLocations: geoLocations.list(),
      relays: relays.list(),
      auxiliary: auxiliary.states(),
      storageConfigurations: storageConfigurations.list(),
    }),
    upgrades: async () => firmware.history(),
  })
  // Last of all documents to be looked at: a restored or reset store is complete by now.
  if (users.isEmpty()) users.reset(config.adminUser, firstPassword(config.adminUser))

  const authenticator = createAuthenticator({
    accounts: users,
    clock,
    journal,
    algorithms: accounts.hashingAlgorithms.offered,
    permits: accounts.permits,
    failed: accounts.authFailureWarning.failed,
  })
  const handlers = deviceHandlers({
    identity,
    network,
    power,
    logs,
    store,
    firmware,
    backup,
    restore,
    supportInformation,
    ...accounts,
    scopes,
    discoveryMode,
    dateTime,
    geoLocations,
    relays,
    auxiliary,
    storageConfigurations,
    remoteDiscovery: config.legacyRemoteDiscovery ? remoteDiscovery : undefined,
    protocols,
    addressFilter,
    expel: listener.expel,
  })

  return {
    service: createService({ handlers, authenticator, clock, logs, strict: config.strict, publicOrigin }),
    servicePath: paths.service,
    httpPorts: protocols.httpPorts(),
    admits: addressFilter.admits,
    publicOrigin,
    authenticator,
    logs,
    uploads: new Map<string, UploadTarget>([
      [paths.upload, { ...firmware.upload, operation: 'StartFirmwareUpgrade' }],
      [paths.restore, { ...restore.upload, operation: 'StartSystemRestore' }],
    ]),
    downloads: downloads({ logs, supportInformation, backup }),
    firmware,
    async resume(selfCheck) {
      machinePower?.answered()
      ownRequest = selfCheck
      await firmware.resume()
      logs.system.info({ version: firmware.runningVersion(), state: state.path }, 'the device is up')
      // A new device has no CA yet. Making one takes longer than a start may, and a CA that cannot be read is better told now.
      trust().catch(error => logs.system.error({ error }, 'the firmware CA cannot be read: no upgrade will be accepted'))
    },
    interrupt: firmware.goDown,
    async close() {
      await firmware.close()
      relays.close()
      closeAll()
    },
  }
}

/** Time does not go back with the settings. */
const carryMachine = (present: string, restored: string): void => carryDocuments(present, restored, { [clockDocument]: parseClockOffset })

/** What a new image has to be able to do before it is kept. */
function checksOf(
  { healthHooks }: Config,
  {
    store,
    storage,
    folder,
    log,
    ownRequest,
  }: {
    readonly store: Store
    readonly storage: Storage
    readonly folder: string
    readonly log: Log
    readonly ownRequest: () => Promise<void>
  },
): readonly Check[] {
  const own: readonly Check[] = [
    { name: 'own request', run: ownRequest },
    // A restart would read them again.
    { name: 'settings', run: async () => store.verify() },
    storageCheck(storage, folder),
  ]
  if (healthHooks === undefined) return own
  return [
    ...own,
    {
      name: 'hooks',
      timeoutMs: limits.healthHooksMax * limits.healthHookTimeoutMs,
      run: signal => runHealthHooks(healthHooks, log, signal),
    },
  ]
}

/** Who may log in, how, and what for. */
export function createAccounts({
  store,
  seal,
  clock,
  log,
}: {
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
}) {
  const passwordPolicy = createPasswordPolicy({ store })
  const { weaknessOf, remembered } = passwordPolicy
  const userRoles = createUserRoles({ store, isUsed: role => users.list().some(({ roles }) => roles?.includes(role)) })
  const users = createUsers({ store, seal, weaknessOf, remembered, roleExists: userRoles.exists })
  const accessPolicy = createAccessPolicy({ store })
  /** By the access policy, or by what the roles of a user of the level Extended open. */
  const permits: Permits = ({ level, roles = [] }, access, operation) =>
    level === 'Extended' ? userRoles.permit(roles, operation, of => accessPolicy.admits(access, of)) : accessPolicy.admits(access, level)
  return {
    users,
    userRoles,
    accessPolicy,
    permits,
    passwordPolicy,
    remoteUser: createRemoteUser({ store, seal }),
    authFailureWarning: createAuthFailureWarning({ store, clock, log }),
    hashingAlgorithms: createHashingAlgorithms({ store, supported: digestAlgorithms }),
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
      operation: 'GetSystemLog',
      contentType: 'text/plain; charset=utf-8',
      fileName,
      read: () => from.logs.read(type),
    }) as const
  return new Map<string, Download>([
    [paths.systemLog, log('System', 'system.log')],
    [paths.accessLog, log('Access', 'access.log')],
    [
      paths.supportInformation,
      {
        access,
        operation: 'GetSystemSupportInformation',
        contentType: 'application/x-tar',
        fileName: 'support.tar',
        read: async () => from.supportInformation.archive(),
      },
    ],
    [
      paths.backup,
      {
        access,
        operation: 'GetSystemBackup',
        contentType: 'application/octet-stream',
        fileName: 'onvifd.backup',
        read: from.backup.make,
      },
    ],
  ])
}
