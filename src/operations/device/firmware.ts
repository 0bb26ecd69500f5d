import type { Firmware } from '../../device/firmware/firmware.ts'
import { UploadRefusal } from '../../device/upload.ts'
import { fault, SoapFault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { duration } from '../../onvif/times.ts'
import { notImplemented } from '../notImplemented.ts'
import { addressOf, paths } from './addresses.ts'

/** Core 8.3.9, 8.3.10; UpgradeSystemFirmware, which older clients know, by Core 24.12 8.3.9. */
export function firmware({ firmware: subject }: { readonly firmware: Pick<Firmware, 'start' | 'take'> }): Chapter<'firmware'> {
  return {
    async StartFirmwareUpgrade(_, call) {
      const { ticket, uploadDelayMs, expectedDownTimeMs } = subject.start(call.caller?.name ?? '', call.remoteAddress)
      return {
        UploadUri: addressOf(paths.upload + ticket, call),
        UploadDelay: duration(uploadDelayMs),
        ExpectedDownTime: duration(expectedDownTimeMs),
      }
    },

    async UpgradeSystemFirmware({ Firmware: { Include } }, call) {
      const image = await call.stream(Include.href)
      if (image === undefined) throw fault('InvalidFirmware', 'the image did not come with the message')
      const { bytes, lengthBytes, signal } = image
      const user = call.caller?.name ?? ''
      const body = new Checked(bytes)
      try {
        const receipt = await subject.take({ lengthBytes, user, remoteAddress: call.remoteAddress, signal }, body)
        call.afterReply(receipt.afterReply)
        return { Message: `${receipt.message} (transaction ${receipt.transaction})` }
      } catch (error) {
        throw faultFor(error, body.unsound)
      }
    },

    UpgradeFirmware: notImplemented('UpgradeFirmware'),
  }
}

/** Makes a message that is not sound an image that is not: it must not be installed, and is not to be sent again as it is. */
class Checked implements AsyncIterable<Uint8Array> {
  readonly #bytes: AsyncIterable<Uint8Array>
  unsound: SoapFault | undefined

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#bytes = bytes
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#bytes
    } catch (error) {
      if (!(error instanceof SoapFault)) throw error
      this.unsound = error
      throw new UploadRefusal(415, 'format', error.message, { cause: error })
    }
  }
}

function faultFor(error: unknown, unsound: SoapFault | undefined): unknown {
  // Another upgrade is under way.
  if (error instanceof SoapFault) return fault('FirmwareUpgradeFailed', error.message, { cause: error })
  if (!(error instanceof UploadRefusal)) return error
  const { status, reason, message, transaction } = error
  const text = `${reason}: ${message}${transaction === undefined ? '' : ` (transaction ${transaction})`}`
  if (unsound) return new SoapFault(unsound.code, unsound.subcodes, text, { cause: error })
  return fault(status === 413 || status === 415 ? 'InvalidFirmware' : 'FirmwareUpgradeFailed', text, { cause: error })
}
