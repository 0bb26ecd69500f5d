import type { OnKeyStatus } from './device/certificates/keys.ts'
import { createEvents } from './device/events/events.ts'
import { type TopicName, topics } from './device/events/topics.ts'
import type { UpgradeProgress } from './device/firmware/upgradeProgress.ts'
import { createOperatingTimes } from './device/operatingTimes.ts'
import { createProcessorUsage } from './device/processorUsage.ts'
import type { Relays } from './device/relays.ts'
import type { Store } from './device/store.ts'
import type { Clock, Log, Power, Processor } from './platform/platform.ts'

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** How many relays the machine has. */
  readonly relays: number
  /** Undefined where the machine does not tell how busy it is. */
  readonly processor: Processor | undefined
  /** The token of the network interface by which clients come. */
  readonly networkInterface: string
}

/**
 * What becomes of the things that subjects tell: no subject knows that there are events. Also makes the two subjects that are there
 * for events alone.
 */
export function createEventSources({ store, clock, log, relays, processor, networkInterface }: Parts) {
  const without = (topic: TopicName): boolean =>
    (topic === 'tns1:Device/Trigger/Relay' && relays === 0) || (topic === 'tns1:Monitoring/ProcessorUsage' && processor === undefined)
  const events = createEvents({ clock, log, emitted: topicNames.filter(topic => !without(topic)) })
  const { publish, withdraw } = events
  // Later, because the note may be part of a transaction: what is published is what came of it.
  const operatingTimes = createOperatingTimes({ store, clock, changed: () => queueMicrotask(publishTimes) })
  const usage =
    processor &&
    createProcessorUsage({
      processor,
      clock,
      changed: percent => publish('tns1:Monitoring/ProcessorUsage', { Token: 'cpu' }, { Value: percent }),
    })
  let upgrade: UpgradeProgress | undefined
  /** The transaction of the last upload that has begun. */
  let begun: string | undefined
  let goesDown = false

  function publishTimes(): void {
    const { lastReboot, lastReset, lastClockSynchronization, lastBackup } = operatingTimes.get()
    publish('tns1:Monitoring/OperatingTime/LastReboot', {}, { Status: lastReboot })
    publish('tns1:Monitoring/OperatingTime/LastReset', {}, { Status: lastReset })
    publish('tns1:Monitoring/OperatingTime/LastClockSynchronization', {}, { Status: lastClockSynchronization })
    publish('tns1:Monitoring/Backup/Last', {}, { Status: lastBackup })
  }

  /** What was done is done, whether it can be noted or not. */
  const noting = (kind: 'lastClockSynchronization' | 'lastBackup') => () => {
    try {
      operatingTimes.note(kind)
    } catch (error) {
      log.warn({ error, kind }, 'an operating time could not be kept')
    }
  }

  function shutsDown(): void {
    goesDown = true
    publish('tns1:Device/OperationMode/ShutdownInitiated', {}, {})
  }

  function relayChanged(token: string, active: boolean): void {
    publish('tns1:Device/Trigger/Relay', { RelayToken: token }, { LogicalState: active ? 'active' : 'inactive' })
  }

  /** One upgrade at a time: the one before it is forgotten as soon as there is a new one. */
  function upgradeChanged(now: UpgradeProgress | undefined): void {
    if (upgrade && upgrade.transaction !== now?.transaction) withdraw('tns1:Monitoring/AsynchronousOperationStatus', sourceOf(upgrade))
    upgrade = now
    if (now?.state === 'Transfer' && now.transaction !== begun) {
      begun = now.transaction
      publish('tns1:Device/OperationMode/UploadInitiated', {}, {})
    }
    if (now?.uploadPercent === undefined) withdraw('tns1:Monitoring/UploadStatus', {})
    else publish('tns1:Monitoring/UploadStatus', {}, { Status: now.uploadPercent })
    if (now === undefined) return
    // Without the words of the failure: they are for administrators, and any user may watch.
    const { progress, state, version, failure } = now
    publish('tns1:Monitoring/AsynchronousOperationStatus', sourceOf(now), {
      Progress: progress,
      'ofd:State': state,
      'ofd:Version': version,
      'ofd:Reason': failure?.reason,
    })
  }

  return {
    events,
    operatingTimes,
    relayChanged,
    upgradeChanged,
    clockSynchronized: noting('lastClockSynchronization'),
    backupFetched: noting('lastBackup'),

    authFailed(remoteAddress: string): void {
      const data = remoteAddress.includes(':') ? { SourceIPv6: remoteAddress.replace(/%.*/, '') } : { SourceIPv4: remoteAddress }
      publish('tns1:Device/SecurityPolicy/AuthFailed', { NetworkInterface: networkInterface }, data)
    },

    keyStatus: ((id, status, before) =>
      publish('tns1:Advancedsecurity/Keystore/KeyStatus', { KeyID: id }, { OldStatus: before, NewStatus: status })) satisfies OnKeyStatus,

    /** The same power, which says it before it restarts the machine. */
    announcing: (power: Power): Power => ({
      get bootTimeMs() {
        return power.bootTimeMs
      },
      async reboot(reason) {
        shutsDown()
        try {
          await power.reboot(reason)
        } catch (error) {
          goesDown = false
          throw error
        }
      },
    }),

    /** To be called when the device goes down, for whatever reason; what was announced is not announced again. */
    goDown(): void {
      if (!goesDown) shutsDown()
    },

    /** How everything stands, for those who come from now on. */
    begin(subjects: { readonly relays: Pick<Relays, 'list'>; readonly firmware: { progress(): UpgradeProgress | undefined } }): void {
      publishTimes()
      for (const { token, active } of subjects.relays.list()) relayChanged(token, active)
      upgradeChanged(subjects.firmware.progress())
    },

    close: (): void => usage?.close(),
  }
}

const topicNames = Object.keys(topics).filter((name): name is TopicName => Object.hasOwn(topics, name))

/** What tells this upgrade from every other. `unknown`, as its user, where nothing but the boot record is left of it. */
const sourceOf = ({ transaction, operation }: UpgradeProgress) => ({
  Token: transaction,
  OperationName: operation ?? 'unknown',
  ServiceName: 'Device',
})
