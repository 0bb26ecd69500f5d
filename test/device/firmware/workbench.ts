import { createHash } from 'node:crypto'
import { makeDevelopmentCa } from '../../../src/device/firmware/developmentCa.ts'
import { createFirmware } from '../../../src/device/firmware/firmware.ts'
import type { Trust } from '../../../src/device/firmware/image.ts'
import { buildImage, type ImageOrder } from '../../../src/device/firmware/imageBuilder.ts'
import type { Clock, Log, Storage } from '../../../src/platform/platform.ts'
import type { Slot } from '../../../src/platform/slots/bootRecord.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'
import { prepareSlots } from '../../../src/platform/slots/prepareSlots.ts'
import { createSlotEngine } from '../../../src/platform/slots/slotEngine.ts'

export const board = { name: 'onvifd-virtual', revision: '1.0' }
export const folder = '/slots'
export const factoryContent = Buffer.from('factory firmware 1.0.0')
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
export const ca = await makeDevelopmentCa(new Date('2026-01-01T00:00:00Z'))

/** These authorities and nothing more: no CRL, one signer, the clock is right. */
export const trusting = (authorities: string) => async (): Promise<Trust> => ({
  authorities,
  revocations: undefined,
  signersMin: 1,
  time: 'clock',
  passed: new Date(0),
})

/** A signed image as one piece. */
export async function image(payload: Buffer, order: Partial<ImageOrder> = {}): Promise<Buffer> {
  const source = { name: 'rootfs.img', read: () => pieces(payload) }
  const pem = { keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }
  return Buffer.concat(await Array.fromAsync(buildImage({ version: '1.1.0', board, payload: source, ...pem, ...order })))
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The bytes as a network would bring them. */
export async function* pieces(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size)
}

/** One start of a device: what the launcher boots, and the firmware subject on it. `reboots` counts the orders to restart. */
export async function start(storage: Storage, clock: Clock, options: { trust?: string; slotBytesMax?: number; log?: Log } = {}) {
  await prepareSlots(storage, folder, { version: '1.0.0', content: factoryContent })
  const running = await launch(storage, folder)
  return service(storage, clock, running, options)
}

export async function service(
  storage: Storage,
  clock: Clock,
  running: Slot,
  { trust = ca.caPem, slotBytesMax = 4_194_304, log = silent }: { trust?: string; slotBytesMax?: number; log?: Log } = {},
) {
  const backend = createSlotEngine({ storage, folder, running, slotBytesMax, board, trust: trusting(trust), clock })
  const power = {
    reboots: 0,
    bootTimeMs: 2000,
    async reboot() {
      power.reboots += 1
    },
  }
  const firmware = await createFirmware({ backend, clock, storage, power, log, folder })
  return { running, backend, power, firmware }
}

export const uploadOf = (ticket: string, lengthBytes?: number) => ({
  ticket,
  lengthBytes,
  user: 'admin',
  remoteAddress: '192.0.2.7',
  signal: new AbortController().signal,
})
