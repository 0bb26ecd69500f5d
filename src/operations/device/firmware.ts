import type { Firmware } from '../../device/firmware/firmware.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { addressOf, duration, paths } from './addresses.ts'
import { notImplemented } from './notImplemented.ts'

/** Core 8.3.9, 8.3.10. */
export function firmware({ firmware: subject }: { readonly firmware: Firmware }): Chapter<'firmware'> {
  return {
    async StartFirmwareUpgrade(_, call) {
      const { ticket, uploadDelayMs, expectedDownTimeMs } = subject.start(call.caller?.name ?? '')
      return {
        UploadUri: addressOf(paths.upload + ticket, call),
        UploadDelay: duration(uploadDelayMs),
        ExpectedDownTime: duration(expectedDownTimeMs),
      }
    },

    UpgradeSystemFirmware: notImplemented('UpgradeSystemFirmware'),
    UpgradeFirmware: notImplemented('UpgradeFirmware'),
  }
}
