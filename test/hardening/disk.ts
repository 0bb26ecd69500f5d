import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A small disk of its own, mounted in a folder. */
export interface Disk {
  readonly folder: string
  /** Leaves not a byte. */
  fill(): void
  /** Leaves not an inode. */
  useUpInodes(): void
  /** The kernel finds the file system damaged and lets nobody write any more, not even by files that are open. */
  breakDown(): void
  /** Gives all of it back. Nothing may be open where it broke down. */
  mend(): void
  /** Takes it away. */
  remove(): void
}

const run = (command: string, ...args: readonly string[]) => spawnSync(command, args, { encoding: 'utf8' })

/** The reason why there can be none, or the disk: an ext4 file system in a file, which only root can mount. */
export function makeDisk(room: string, sizeBytes: number): Disk | string {
  const [image, folder] = [join(room, 'disk.img'), join(room, 'disk')]
  mkdirSync(folder)
  closeSync(openSync(image, 'w'))
  truncateSync(image, sizeBytes)
  const made = run('mkfs.ext4', '-q', '-F', '-m', '0', '-N', '128', image)
  if (made.status !== 0) return `mkfs.ext4: ${made.error?.message ?? made.stderr}`
  const mount = () => run('mount', '-o', 'loop,errors=remount-ro', image, folder)
  const mounted = mount()
  if (mounted.status !== 0) return `mount: ${mounted.error?.message ?? mounted.stderr}`
  let isBroken = false
  const [filler, many] = [join(folder, 'filler'), join(folder, 'many')]

  return {
    folder,
    fill() {
      const file = openSync(filler, 'a')
      try {
        for (const bytes of [65_536, 4_096, 1]) untilItFails(() => writeSync(file, Buffer.alloc(bytes, 1)))
      } finally {
        closeSync(file)
      }
    },
    useUpInodes() {
      mkdirSync(many)
      untilItFails(index => writeFileSync(join(many, String(index)), ''))
      if (statfsSync(folder).ffree !== 0) throw new Error('there are inodes left')
    },
    breakDown() {
      const device = basename(run('findmnt', '-n', '-o', 'SOURCE', folder).stdout.trim())
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'for a test')
      isBroken = true
    },
    mend() {
      if (isBroken) {
        run('umount', folder)
        run('e2fsck', '-p', '-f', image)
        const again = mount()
        if (again.status !== 0) throw new Error(again.stderr)
      }
      isBroken = false
      for (const path of [filler, many]) rmSync(path, { recursive: true, force: true })
    },
    remove: () => void run('umount', '-l', folder),
  }
}

function untilItFails(act: (index: number) => void): void {
  for (let index = 0; ; index++) {
    try {
      act(index)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return
      throw error
    }
  }
}
