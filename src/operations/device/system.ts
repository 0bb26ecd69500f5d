import type { Restore } from '../../device/backup/restore.ts'
import { factoryDefault } from '../../device/factoryDefault.ts'
import type { Firmware } from '../../device/firmware/firmware.ts'
import type { Store } from '../../device/store.ts'
import type { SupportInformation } from '../../device/supportInformation.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { Identity, Logs, Network, Power } from '../../platform/platform.ts'
import { replaceIllegal } from '../../soap/characters.ts'
import { addressOf, duration, paths } from './addresses.ts'
import { notImplemented } from './notImplemented.ts'

export interface SystemSubjects {
  readonly identity: Identity
  readonly network: Network
  readonly power: Power
  readonly logs: Logs
  readonly store: Store
  readonly firmware: Firmware
  readonly restore: Restore
  readonly supportInformation: SupportInformation
}

/** Core 8.3.1 to 8.3.5, 8.3.8, 8.3.11 to 8.3.13. What restarts the device does so when the answer has left. */
export function system(subjects: SystemSubjects): Chapter<'system'> {
  const { identity, network, power, logs, store, firmware, restore, supportInformation } = subjects
  return {
    async GetDeviceInformation() {
      const { manufacturer, model, serialNumber, hardwareId } = identity
      return {
        Manufacturer: manufacturer,
        Model: model,
        // Nobody knows it where the boot record was lost.
        FirmwareVersion: firmware.runningVersion() ?? 'unknown',
        SerialNumber: serialNumber,
        HardwareId: hardwareId,
      }
    },

    async SystemReboot(_, call) {
      await firmware.abort('SystemReboot')
      call.afterReply(() => power.reboot('SystemReboot'))
      return { Message: `Rebooting, back in about ${Math.ceil(power.bootTimeMs / 1000)} seconds.` }
    },

    async SetSystemFactoryDefault({ FactoryDefault }, call) {
      await firmware.abort('SetSystemFactoryDefault')
      factoryDefault(store, FactoryDefault)
      logs.system.warn({ user: call.caller?.name, from: call.remoteAddress, type: FactoryDefault }, 'factory default')
      call.afterReply(async () => {
        // The answer leaves by the network as it is.
        if (FactoryDefault === 'Hard') await network.reset()
        await power.reboot('SetSystemFactoryDefault')
      })
      return {}
    },

    async GetSystemUris(_, call) {
      const log = (type: 'System' | 'Access', path: string) => ({ Type: type, Uri: addressOf(path, call) })
      return {
        SystemLogUris: { SystemLog: [log('System', paths.systemLog), log('Access', paths.accessLog)] },
        SupportInfoUri: addressOf(paths.supportInformation, call),
        SystemBackupUri: addressOf(paths.backup, call),
      }
    },

    async GetSystemLog({ LogType }) {
      return { SystemLog: { String: replaceIllegal(String(await logs.read(LogType))) } }
    },

    async GetSystemSupportInformation() {
      return { SupportInformation: { String: replaceIllegal(await supportInformation.text()) } }
    },

    async StartSystemRestore(_, call) {
      const { ticket, expectedDownTimeMs } = restore.start()
      return { UploadUri: addressOf(paths.restore + ticket, call), ExpectedDownTime: duration(expectedDownTimeMs) }
    },

    RestoreSystem: notImplemented('RestoreSystem'),
    GetSystemBackup: notImplemented('GetSystemBackup'),
  }
}
