import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createFileStorage } from '../../src/platform/fileStorage.ts'

const folder = mkdtempSync(join(tmpdir(), 'onvifd-storage-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const isLinux = process.platform === 'linux'
/** How many files of the folder this process holds open. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').filter(name => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith(folder)
    } catch {
      return false
    }
  }).length
}

test('files are made, written, read and renamed', async () => {
  const storage = createFileStorage()
  const [a, b] = [join(folder, 'deep', 'er', 'a'), join(folder, 'deep', 'er', 'b')]
  await storage.create(a, 10)
  assert.deepEqual(readFileSync(a), Buffer.alloc(10))
  assert.equal(statSync(a).mode & 0o777, 0o600)
  await storage.pwrite(a, 4, Buffer.from('four'))
  await storage.pwrite(a, 12, Buffer.from('end'))
  assert.equal((await storage.read(a, 4, Buffer.alloc(4))).toString(), 'four')
  await storage.fsync(a)
  assert.equal((await storage.read(a, 12, Buffer.alloc(100))).toString(), 'end', 'shorter at the end of the file')
  await storage.create(b)
  await storage.rename(a, b)
  await storage.fsyncDir(join(folder, 'deep', 'er'))
  assert.deepEqual([await storage.exists(a), await storage.exists(b)], [false, true])
  assert.equal(readFileSync(b).length, 15)
  await storage.create(b)
  assert.equal(readFileSync(b).length, 0, 'made anew, it is empty')
  await storage.unlink(b)
  assert.equal(await storage.exists(b), false)
  if (isLinux) assert.equal(openFiles(), 0)
})

test('errors are those of Node, and leave nothing open', async () => {
  const storage = createFileStorage()
  const nowhere = join(folder, 'nowhere')
  await assert.rejects(storage.pwrite(nowhere, 0, Buffer.from('x')), { code: 'ENOENT' })
  await assert.rejects(storage.fsync(nowhere), { code: 'ENOENT' })
  await assert.rejects(storage.read(nowhere, 0, Buffer.alloc(1)), { code: 'ENOENT' })
  await assert.rejects(storage.rename(nowhere, `${nowhere}2`), { code: 'ENOENT' })
  await assert.rejects(storage.unlink(nowhere), { code: 'ENOENT' })
  await assert.rejects(storage.pwrite(folder, 0, Buffer.from('x')), { code: 'EISDIR' })
  if (isLinux) assert.equal(openFiles(), 0)
})

test('a file is open while it is written and closed by its sync, also when both happen at once', {
  skip: !isLinux && 'needs /proc',
}, async () => {
  const storage = createFileStorage()
  const path = join(folder, 'busy')
  await storage.create(path)
  await storage.pwrite(path, 0, Buffer.alloc(1_000))
  assert.equal(openFiles(), 1)
  await Promise.all([
    storage.pwrite(path, 1_000, Buffer.alloc(300_000, 1)),
    storage.fsync(path),
    storage.read(path, 0, Buffer.alloc(1_000)),
    storage.pwrite(path, 301_000, Buffer.alloc(300_000, 2)),
  ])
  await storage.fsync(path)
  assert.equal(openFiles(), 0)
  assert.equal(readFileSync(path).length, 601_000)
})

test('a device is written and never made empty or given a size', { skip: !isLinux && 'needs Linux' }, async () => {
  const storage = createFileStorage()
  // Character devices refuse truncate(2) as block devices do.
  await storage.create('/dev/full', 4_096)
  await assert.rejects(storage.pwrite('/dev/full', 0, Buffer.from('x')), { code: 'ENOSPC' })
  await storage.create('/dev/null', 4_096)
})
