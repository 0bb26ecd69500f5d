import { createHash } from 'node:crypto'
import { makeDevelopmentCa } from '../../../src/device/firmware/developmentCa.ts'
import { createFirmware } from '../../../src/device/firmware/firmware.ts'
import { createHealth } from '../../../src/device/firmware/health.ts'
import type { Trust } from '../../../src/device/firmware/image.ts'
import { buildImage, type ImageOrder } from '../../../src/device/firmware/imageBuilder.ts'
import type { AntiRollbackStore, Clock, Log, Power, Storage } from '../../../src/platform/platform.ts'
import type { Slot } from '../../../src/platform/slots/bootRecord.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'
import { virtualLayout } from '../../../src/platform/slots/layout.ts'
import { prepareSlots } from '../../../src/platform/slots/prepareSlots.ts'
import { createSlotEngine } from '../../../src/platform/slots/slotEngine.ts'

export const board = { name: 'onvifd-virtual', revision: '1.0' }
export const folder = '/slots'
/** Of the application of the device. */
export const appBytesMax = 65_536
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

interface BenchOptions {
  readonly trust?: string
  readonly slotBytesMax?: number
  readonly log?: Log
  readonly antiRollback?: AntiRollbackStore
  readonly hold?: boolean
  /** What differs from a health that asks once, at once. */
  readonly trial?: Partial<Parameters<typeof createHealth>[0]>
  /** Told that there is something new to see. */
  readonly changed?: () => void
  /** What the firmware is given instead of the power. */
  readonly announcing?: (power: Power) => Power
}

/** One start of a device: what the launcher boots, and the firmware subject on it. `reboots` counts the orders to restart. */
export async function start(storage: Storage, clock: Clock, options: BenchOptions = {}) {
  await prepareSlots(storage, folder, { version: '1.0.0', content: factoryContent })
  const running = await launch(storage, folder)
  return service(storage, clock, running, options)
}

export async function service(
  storage: Storage,
  clock: Clock,
  running: Slot,
  {
    trust = ca.caPem,
    slotBytesMax = 4_194_304,
    log = silent,
    antiRollback,
    hold = false,
    trial = {},
    changed = () => {},
    announcing = power => power,
  }: BenchOptions = {},
) {
  const layout = virtualLayout(folder, slotBytesMax, appBytesMax)
  const backend = createSlotEngine({ storage, layout, record: folder, running, board, trust: trusting(trust), clock, log, antiRollback })
  const power = {
    reboots: 0,
    bootTimeMs: 2000,
    async reboot() {
      power.reboots += 1
    },
  }
  let selfCheck = async (): Promise<void> => {}
  const health = createHealth({
    clock,
    checks: [{ name: 'own request', run: () => selfCheck() }],
    settleMs: 0,
    deadlineMs: 300_000,
    confirm: 'auto',
    log,
    ...trial,
  })
  /** What was asked of the snapshot of the settings, in order. */
  const asked: string[] = []
  const settings = {
    keep: async (slot: string, transaction: string) => void asked.push(`keep ${slot} ${transaction}`),
    drop: async () => void asked.push('drop'),
  }
  const subject = await createFirmware({ backend, clock, storage, power: announcing(power), log, folder, hold, health, settings, changed })
  const firmware = {
    ...subject,
    resume(check: () => Promise<void>) {
      selfCheck = check
      return subject.resume()
    },
  }
  return { running, backend, power, firmware, health, asked }
}

export const uploadOf = (ticket: string, lengthBytes?: number) => ({
  ticket,
  lengthBytes,
  user: 'admin',
  remoteAddress: '192.0.2.7',
  signal: new AbortController().signal,
})
