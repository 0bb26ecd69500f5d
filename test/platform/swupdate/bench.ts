import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { LoadTrust } from '../../../src/device/firmware/image.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import type { Clock, Storage } from '../../../src/platform/platform.ts'
import { loadBootRecord, type Slot, saveBootRecord, slotFile } from '../../../src/platform/slots/bootRecord.ts'
import type { SlotLayout } from '../../../src/platform/slots/layout.ts'
import { prepareSlots } from '../../../src/platform/slots/prepareSlots.ts'
import { createSlotEngine } from '../../../src/platform/slots/slotEngine.ts'
import { createSwupdateEngine, type SwupdateSettings } from '../../../src/platform/swupdate/swupdateEngine.ts'
import { board, ca, factoryContent, image, silent, trusting } from '../../device/firmware/workbench.ts'

/** A folder with a name that is short enough for sockets; it goes away with the test, behind what the test ends before. */
export function shortFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'swu-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const realClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  async set() {},
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs)
    return () => clearTimeout(timer)
  },
}

export interface Machine {
  readonly folder: string
  readonly layout: SlotLayout
  readonly slots: ReturnType<typeof createSlotEngine>
  /** The same slots with SWUpdate to write them. */
  withSwupdate(settings: SwupdateSettings): ReturnType<typeof createSwupdateEngine>
  slotPath(slot: Slot, role?: string): string
  content(slot?: Slot, role?: string): Buffer
  record(): Promise<NonNullable<Awaited<ReturnType<typeof loadBootRecord>>>>
}

export interface MachineOptions {
  readonly clock?: Clock
  readonly trust?: LoadTrust
  readonly slotBytes?: number
  readonly securityEpoch?: number
  readonly storage?: Storage
}

/** Two slots in files, as a new device has them: A runs and is confirmed, B is empty. */
export async function makeMachine(
  t: TestContext,
  {
    clock = realClock,
    trust = trusting(ca.caPem),
    slotBytes = 4_194_304,
    securityEpoch = 0,
    storage = createFileStorage(),
  }: MachineOptions = {},
): Promise<Machine> {
  const folder = shortFolder(t)
  await prepareSlots(storage, folder, { version: '1.0.0', content: factoryContent })
  const record = async () => (await loadBootRecord(storage, folder)) ?? Promise.reject(new Error('no boot record'))
  await saveBootRecord(storage, folder, { ...(await record()), securityEpoch })
  const places = (role: string) => ({ A: slotFile(folder, 'A', role), B: slotFile(folder, 'B', role), bytesMax: slotBytes })
  const layout = new Map([
    ['rootfs', places('rootfs')],
    ['app', places('app')],
  ])
  const running = 'A'
  const slots = createSlotEngine({ storage, layout, record: folder, running, board, trust, clock, log: silent })
  return {
    folder,
    layout,
    slots,
    withSwupdate: settings => createSwupdateEngine({ slots, settings, running, board, trust, storage, clock }),
    slotPath: (slot, role) => slotFile(folder, slot, role),
    content: (slot = 'B', role) => readFileSync(slotFile(folder, slot, role)),
    record,
  }
}

/** An image of our own builder whose files go to the places of this machine. */
export function imageFor(
  machine: Machine,
  payload: Buffer,
  { gzip = false, ...order }: Parameters<typeof image>[1] & { gzip?: boolean } = {},
) {
  const devices = (role: string) => ({ 'copy-a': machine.slotPath('A', role), 'copy-b': machine.slotPath('B', role) })
  async function* read() {
    yield payload
  }
  return image(payload, { payload: { name: 'rootfs.img', devices: devices('rootfs'), gzip, read }, ...order })
}

export const contextOf = (signal = new AbortController().signal, onProgress: (percent: number) => void = () => {}) => ({
  transaction: '01J',
  signal,
  onHead() {},
  onProgress,
  async beforeActivation() {},
})
