import { type Slot, slotFile } from './bootRecord.ts'

/** Where the two slots keep the file with one role: files, partitions or logical volumes. */
export type RolePlaces = Readonly<Record<Slot, string>> & {
  /** The largest content that both of them take. */
  readonly bytesMax: number
}

/** By role; `rootfs`, which is what boots, is among them. */
export type SlotLayout = ReadonlyMap<string, RolePlaces>

/** A virtual device has a root file system and a file for its application, in files of one folder. */
export function virtualLayout(folder: string, rootfsBytesMax: number, appBytesMax: number): SlotLayout {
  const places = (role: string, bytesMax: number): RolePlaces => ({
    A: slotFile(folder, 'A', role),
    B: slotFile(folder, 'B', role),
    bytesMax,
  })
  return new Map([
    ['rootfs', places('rootfs', rootfsBytesMax)],
    ['app', places('app', appBytesMax)],
  ])
}
