import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { lockOf, lockSlots, takeLocks } from '../../src/platform/lockFile.ts'

const folder = mkdtempSync(join(tmpdir(), 'onvifd-lock-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const busy = { name: 'BackendError', reason: 'busy', message: /end it first/ }

test('a lock is of one process, until it lets go or is killed', async () => {
  const path = at('one.lock')
  const module = new URL('../../src/platform/lockFile.ts', import.meta.url).href
  const script = `
    const { takeLocks } = await import(${JSON.stringify(module)})
    takeLocks([${JSON.stringify(path)}])
    console.log('taken')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(createInterface({ input: child.stdout }), 'line')
    assert.throws(() => takeLocks([path]), busy)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const lock = takeLocks([path])
  assert.throws(() => takeLocks([path]), busy, 'not even this process has it twice')
  lock.release()
  takeLocks([path]).release()
})

test('of several locks all are taken, or none', () => {
  const held = takeLocks([at('b.lock')])
  assert.throws(() => takeLocks([at('c.lock'), at('b.lock'), at('a.lock')]), busy)
  takeLocks([at('a.lock')]).release()
  takeLocks([at('c.lock')]).release()
  held.release()
  const all = takeLocks([at('c.lock'), at('b.lock'), at('b.lock'), at('a.lock')])
  assert.throws(() => takeLocks([at('c.lock')]), busy)
  all.release()
})

test('the same slots have the same lock, whatever they are called', () => {
  const places = (A: string, B: string) => new Map([['rootfs', { A: at(A), B: at(B), bytesMax: 1 }]])
  writeFileSync(at('x-a.img'), '')
  symlinkSync(at('x-a.img'), at('other-name.img'))
  const one = lockSlots(places('x-a.img', 'x-b.img'))
  assert.throws(() => lockSlots(places('y.img', 'other-name.img')), busy)
  assert.throws(() => lockSlots(places('x-b.img', 'y.img')), busy, 'also where the file is still to be made')
  writeFileSync(at('x-b.img'), '')
  assert.throws(() => lockSlots(places('x-b.img', 'y.img')), busy, 'and when it was made meanwhile')
  one.release()
  lockSlots(places('x-b.img', 'other-name.img')).release()
})

test('a device has its lock where locks of devices are', { skip: !existsSync('/dev/null') && 'needs /dev' }, () => {
  symlinkSync('/dev/null', at('null'))
  assert.match(lockOf('/dev/null', '/locks'), /^\/locks\/onvifd-\d+\.lock$/)
  assert.equal(lockOf(at('null'), '/locks'), lockOf('/dev/null', '/locks'))
})
