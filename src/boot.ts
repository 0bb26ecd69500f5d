import { createAccounts } from './accounts.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import { createBearer } from './auth/bearer.ts'
import { jwtIssuersOf } from './auth/configuredIssuers.ts'
import { createConsumers } from './client/consumers.ts'
import { type Config, ConfigError, parseOrigin } from './config.ts'
import { appSequenceDocument, createAppSequence, parseAppSequence } from './device/appSequence.ts'
import { createAuthorizationServers } from './device/authorizationServers.ts'
import { createAuxiliary } from './device/auxiliary.ts'
import { createBackup } from './device/backup/backup.ts'
import { createForeignKeys } from './device/backup/foreignKeys.ts'
import { createRestore } from './device/backup/restore.ts'
import { makeFirstCertificate } from './device/certificates/firstCertificate.ts'
import { createKeystore } from './device/certificates/keystore.ts'
import { keystoreOverview } from './device/certificates/overview.ts'
import { createDiscoveryMode } from './device/discoveryMode.ts'
import { createSubscriptions } from './device/events/subscriptions.ts'
import { createFirmware, type Firmware } from './device/firmware/firmware.ts'
import { createHealth } from './device/firmware/health.ts'
import { createSettingsSnapshot } from './device/firmware/settingsSnapshot.ts'
import { createGeoLocations } from './device/geoLocations.ts'
import { createJwt } from './device/jwt.ts'
import { createAddressFilter } from './device/network/addressFilter.ts'
import { createOwnHostName } from './device/network/ownNames.ts'
import { createProtocols, type Listener, type WantedPorts } from './device/network/protocols.ts'
import { operatingTimesDocument, parseOperatingTimes } from './device/operatingTimes.ts'
import { createRelays } from './device/relays.ts'
import { createRemoteDiscovery } from './device/remoteDiscovery.ts'
import { createScopes } from './device/scopes.ts'
import { createSeal } from './device/seal.ts'
import { createStorageConfigurations } from './device/storageConfigurations.ts'
import { carryDocuments } from './device/store.ts'
import { createSupportInformation } from './device/supportInformation.ts'
import { createDateTime } from './device/time/dateTime.ts'
import type { UploadTarget } from './device/upload.ts'
import { createDiscovery, type Discovery } from './discovery/discovery.ts'
import { downloads } from './downloads.ts'
import { createEngine } from './engine.ts'
import { createEventSources } from './eventSources.ts'
import { healthChecks } from './healthChecks.ts'
import type { HttpOptions } from './http/server.ts'
import { paths } from './operations/device/addresses.ts'
import { createHandlers } from './operations/services.ts'
import { readTrust } from './platform/developmentCa.ts'
import { createFileStorage } from './platform/fileStorage.ts'
import { hostNames } from './platform/hostNames.ts'
import { readJwtIssuers } from './platform/jwtIssuersFile.ts'
import { createLogs } from './platform/logs.ts'
import { createMachinePower } from './platform/machinePower.ts'
import { readPassphrase } from './platform/passphraseFile.ts'
import type { AntiRollbackStore, Platform } from './platform/platform.ts'
import { createProcessor } from './platform/processor.ts'
import { createPublishedKeys } from './platform/publishedKeys.ts'
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
  /** For tests: another UDP port than that of WS-Discovery. */
  readonly discoveryPort: number | undefined
  readonly listener: Listener & {
    /** Ends the connections that `Running.admits` does not admit any more. */
    expel(): void
    /** The IP address that is listened on. */
    address(): string
  }
}

/** Everything that runs between two boots; it keeps nothing but what is in the state folder. */
export interface Running extends Omit<HttpOptions, 'handle' | 'admits' | 'isOwn' | 'bounds'> {
  readonly service: Service
  /** Whether a client with this address may connect. */
  readonly admits: (remoteAddress: string) => boolean
  /** Where to listen. */
  readonly ports: WantedPorts
  /** Path of the device service. */
  readonly servicePath: string
  /** Undefined where the operator does without. */
  readonly discovery: Discovery | undefined
  /** Goes on with an upgrade that the reboot was part of; `selfCheck` rejects where the device is not well. */
  resume(selfCheck: () => Promise<void>): Promise<void>
  /** Tells those who watch the device that it goes down. */
  announceEnd(): void
  /** Breaks off what must not be cut in the middle, and then lets go of whoever waits for events. */
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
  { config, terminal, firstPassword, restart, listener, antiRollback, discoveryPort }: Order,
  state: StateFolder,
  opened: { close(): void }[],
  closeAll: () => void,
): Promise<Running> {
  const opening = <T extends { close(): void }>(resource: T): T => {
    opened.unshift(resource)
    return resource
  }
  if (config.requireTls && config.tls !== 'self-signed')
    throw new ConfigError('--require-tls needs --tls self-signed: without any certificate nobody could log in to bring one')
  const publicOrigin = config.publicUrl === undefined ? undefined : parseOrigin(config.publicUrl)
  const issuers = config.jwtIssuers === undefined ? [] : readJwtIssuers(config.jwtIssuers)
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
    processor: createProcessor(),
  })
  const { identity, network } = platform
  const [nic] = await network.interfaces()
  const sources = createEventSources({
    store,
    clock,
    log: logs.system,
    relays: config.relays,
    processor: platform.processor,
    networkInterface: nic?.token ?? '',
  })
  opening({ close: sources.close })
  const { events, operatingTimes } = sources
  const power = sources.announcing(platform.power)

  const accounts = createAccounts({ store, seal, clock, log: logs.system, warned: sources.authFailed })
  const { users } = accounts
  /** Known as soon as the door is open. */
  let ownRequest = async (): Promise<void> => {}
  const health = createHealth({
    clock,
    log: logs.system,
    settleMs: config.settle * 1000,
    deadlineMs: config.healthDeadline * 1000,
    confirm: config.confirm,
    checks: healthChecks(config, { store, storage, folder: upgradeFolder, log: logs.system, ownRequest: () => ownRequest() }),
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
    changed: () => sources.upgradeChanged(firmware.progress()),
  })
  const scopes = createScopes({ store, identity, hwAddress: nic?.hwAddress ?? '', changed: () => void discovery?.changed() })
  const discoveryMode = createDiscoveryMode(store, () => void discovery?.modeSet())
  const dateTime = createDateTime({ store, clock, network, synchronized: sources.clockSynchronized })
  const keystore = createKeystore({
    store,
    seal,
    clock,
    log: logs.system,
    allowLegacy: config.legacyCrypto,
    isTlsEnabled: () => protocols.isTlsEnabled(),
    onKeyStatus: sources.keyStatus,
  })
  opening({ close: keystore.stop })
  const jwt = createJwt({ store, keys: keystore.keys, policies: keystore.policies })
  const authorizationServers = createAuthorizationServers({ store, seal, ...keystore })
  const storageConfigurations = createStorageConfigurations({ store, seal, policies: keystore.policies, authorizationServers })
  for (const { references } of [jwt, authorizationServers, storageConfigurations]) keystore.referTo(references)
  authorizationServers.referTo(storageConfigurations.authorizationServers)
  const protocols = createProtocols({
    store,
    listener,
    changed: () => void discovery?.changed(),
    tls:
      config.tls === 'off'
        ? undefined
        : { isReady: () => keystore.tls.paths().length > 0, required: config.requireTls, onAtFirst: config.tls === 'self-signed' },
  })
  const addressFilter = createAddressFilter(store)
  const discovery =
    config.discovery === 'off'
      ? undefined
      : createDiscovery({
          clock,
          log: logs.system,
          endpoint: `urn:uuid:${identity.uuid}`,
          scopes: () => scopes.list().map(({ uri }) => uri),
          isDiscoverable: () => discoveryMode.get() === 'Discoverable',
          admits: addressFilter.admits,
          door: { address: listener.address, protocols: protocols.list, publicOrigin, path: paths.service },
          interfaces: config.discoveryInterface,
          sequence: createAppSequence(store),
          port: discoveryPort,
        })
  const geoLocations = createGeoLocations({ store })
  const relays = createRelays({ store, clock, log: logs.system, count: config.relays, changed: sources.relayChanged })
  const auxiliary = createAuxiliary({ store, log: logs.system, functions: config.auxiliary ?? [] })
  // There in any case, so that a backup that has it can be restored.
  const remoteDiscovery = createRemoteDiscovery({ store })
  const passphrase = config.backupPassphraseFile === undefined ? undefined : readPassphrase(config.backupPassphraseFile)
  const backup = createBackup({ store, key: state.key, passphrase, foreignKeys, clock, identity, fetched: sources.backupFetched })
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
      keystore: keystoreOverview(keystore),
      jwt: jwt.get(),
      authorizationServers: authorizationServers.list(),
    }),
    upgrades: () => firmware.history(),
  })
  // Last of all documents to be looked at: a restored or reset store is complete by now.
  if (users.isEmpty()) users.reset(config.adminUser, firstPassword(config.adminUser))
  if (config.tls === 'self-signed' && keystore.tls.paths().length === 0)
    await makeFirstCertificate(keystore, hostNames(listener.address()), identity.serialNumber)

  const authenticator = createAuthenticator({
    accounts: users,
    clock,
    journal,
    algorithms: accounts.hashingAlgorithms.offered,
    permits: accounts.permits,
    failed: accounts.authFailureWarning.failed,
    bearer: createBearer({
      issuers: jwtIssuersOf(issuers, jwt.trust, createPublishedKeys({ clock, log: logs.system, trustOf: keystore.serverTrust })),
      clock,
    }),
    cnMapsToUser: keystore.tls.cnMapsToUser,
  })
  sources.begin({ relays, firmware })
  const subscriptions = createSubscriptions({ clock, log: logs.system, events })
  opening({ close: subscriptions.close })
  const handlers = createHandlers({
    identity,
    network,
    power,
    logs,
    store,
    operatingTimes,
    clock,
    events,
    subscriptions,
    consumers: opening(createConsumers({ isLocalAllowed: config.notifyLocal })),
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
    keystore,
    jwt,
    authorizationServers,
    servesTls: config.tls !== 'off',
    allowLegacy: config.legacyCrypto,
    remoteDiscovery: config.legacyRemoteDiscovery ? remoteDiscovery : undefined,
    protocols,
    discovers: discovery !== undefined,
    addressFilter,
    expel: listener.expel,
  })

  return {
    service: createService({ handlers, authenticator, clock, logs, strict: config.strict, publicOrigin, requireTls: config.requireTls }),
    servicePath: paths.service,
    ports: protocols.wantedPorts(),
    tls: config.tls === 'off' ? undefined : keystore.tls,
    insteadPort: config.requireTls ? () => listener.ports().https[0] ?? config.httpsPort : undefined,
    discovery,
    admits: addressFilter.admits,
    publicOrigin,
    isOwnName: await createOwnHostName(network),
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
    announceEnd: sources.goDown,
    async interrupt(reason) {
      await firmware.goDown(reason)
      await subscriptions.lastWords()
      subscriptions.close()
    },
    async close() {
      await firmware.close()
      relays.close()
      closeAll()
    },
  }
}

/** Neither time nor what has happened nor what clients order our messages by goes back with the settings. */
const carryMachine = (present: string, restored: string): void =>
  carryDocuments(present, restored, {
    [clockDocument]: parseClockOffset,
    [appSequenceDocument]: parseAppSequence,
    [operatingTimesDocument]: parseOperatingTimes,
  })
