import type { Auxiliary } from '../../device/auxiliary.ts'
import type { Backup } from '../../device/backup/backup.ts'
import type { Restore } from '../../device/backup/restore.ts'
import { factoryDefault } from '../../device/factoryDefault.ts'
import type { Firmware } from '../../device/firmware/firmware.ts'
import type { OperatingTimes } from '../../device/operatingTimes.ts'
import type { Relays } from '../../device/relays.ts'
import type { Store } from '../../device/store.ts'
import type { SupportInformation } from '../../device/supportInformation.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { duration } from '../../onvif/times.ts'
import type { Identity, Logs, Network, Power } from '../../platform/platform.ts'
import { replaceIllegal } from '../../soap/characters.ts'
import { addressOf, paths } from './addresses.ts'

export interface SystemSubjects {
  readonly identity: Identity
  readonly network: Network
  readonly power: Power
  readonly logs: Logs
  readonly store: Store
  readonly operatingTimes: Pick<OperatingTimes, 'note'>
  readonly firmware: Pick<Firmware, 'runningVersion' | 'abort'>
  readonly backup: Backup
  readonly restore: Restore
  readonly supportInformation: SupportInformation
  readonly relays: Relays
  readonly auxiliary: Auxiliary
}

/** Core 8.3.1 to 8.3.5, 8.3.8, 8.3.11 to 8.3.13. What restarts the device does so when the answer has left. */
export function system(subjects: SystemSubjects): Chapter<'system'> {
  const { identity, network, power, logs, store, operatingTimes, firmware, backup, restore, supportInformation, relays, auxiliary } =
    subjects
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
      store.transaction(() => {
        // What they do now is no setting, and yet nobody expects it to go on.
        relays.release()
        auxiliary.release()
        factoryDefault(store, FactoryDefault)
        operatingTimes.note('lastReset')
      })
      logs.system.warn({ user: call.caller?.name, from: call.remoteAddress, type: FactoryDefault }, 'factory default')
      call.afterReply(async () => {
        try {
          // The answer leaves by the network as it is.
          if (FactoryDefault === 'Hard') await network.reset()
        } finally {
          // Whatever the disk says: until the next start nobody can log in.
          await power.reboot('SetSystemFactoryDefault')
        }
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

    // As text, which every client can read; as it is where the client has shown that it reads attachments.
    async GetSystemLog({ LogType }, call) {
      const log = await logs.read(LogType)
      return { SystemLog: call.isMultipart ? { Binary: call.attach(log, 'text/plain; charset=utf-8') } : { String: legible(log) } }
    },

    async GetSystemSupportInformation(_, call) {
      if (!call.isMultipart) return { SupportInformation: { String: legible(await supportInformation.text()) } }
      return { SupportInformation: { Binary: call.attach(await supportInformation.archive(), 'application/x-tar') } }
    },

    // There is no other form of it than as an attachment. ODM wants a relative URI for the name.
    async GetSystemBackup(_, call) {
      const Data = call.attach(await backup.make(), 'application/octet-stream')
      backup.fetched()
      return { BackupFiles: [{ Name: 'onvifd.backup', Data }] }
    },

    async RestoreSystem({ BackupFiles }, call) {
      const [file, ...others] = BackupFiles
      const content = file && call.attachment(file.Data.Include.href)
      if (!content || others.length > 0) throw fault('InvalidBackupFile', 'a backup is one file, and its bytes come with the message')
      call.afterReply(await restore.restore(content, { user: call.caller?.name ?? '', remoteAddress: call.remoteAddress }))
      return {}
    },

    async StartSystemRestore(_, call) {
      const { ticket, expectedDownTimeMs } = restore.start()
      return { UploadUri: addressOf(paths.restore + ticket, call), ExpectedDownTime: duration(expectedDownTimeMs) }
    },
  }
}

/** Without the characters that XML cannot carry. */
const legible = (text: string | Buffer): string => replaceIllegal(String(text))
