import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { lockOf, lockSlots, takeLock, takeLocks } from '../../src/platform/lockFile.ts'

const folder = mkdtempSync(join(tmpdir(), 'onvifd-lock-'))
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
const skip = !existsSync('/proc/self/stat') && 'needs /proc'
const module = new URL('../../src/platform/lockFile.ts', import.meta.url).href
const at = (name: string): string => join(folder, name)
const busy = { name: 'BackendError', reason: 'busy' }

/** Another process that tries to take a lock as soon as it is told to, and says how that went. It lives on. */
async function rival(path: string) {
  const script = `
    const { takeLock } = await import(${JSON.stringify(module)})
    console.log('ready')
    process.stdin.once('data', () => {
      try { takeLock(${JSON.stringify(path)}); console.log('taken') } catch (error) { console.log(error.reason ?? error.stack) }
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  assert.equal(await line(), 'ready')
  return {
    pid: child.pid ?? assert.fail('it did not start'),
    async take(): Promise<string> {
      child.stdin.write('\n')
      return line()
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

test('a second process does not get the lock, and gets it when the first one is gone', { skip }, async () => {
  const path = at('one.lock')
  const first = await rival(path)
  assert.equal(await first.take(), 'taken')
  assert.throws(() => takeLock(path), { ...busy, message: new RegExp(`process ${first.pid} uses .*one: end it first`) })
  await first.kill()
  const lock = takeLock(path)
  const second = await rival(path)
  assert.equal(await second.take(), 'busy')
  lock.release()
  const third = await rival(path)
  assert.equal(await third.take(), 'taken')
  assert.equal(readdirSync(folder).filter(name => name.startsWith('one.lock')).length, 1, 'nothing else is left behind')
})

test('of many that find the lock of a dead process, one takes it over', { skip }, async () => {
  const path = at('many.lock')
  for (let round = 0; round < 3; round += 1) {
    const rivals = await Promise.all(Array.from({ length: 6 }, () => rival(path)))
    const results = await Promise.all(rivals.map(each => each.take()))
    assert.deepEqual(results.sort(), ['busy', 'busy', 'busy', 'busy', 'busy', 'taken'], `round ${round}`)
    await Promise.all(rivals.map(each => each.kill()))
  }
})

test('the same process does not get it twice, and can give it back', () => {
  const path = at('same.lock')
  const lock = takeLock(path)
  assert.throws(() => takeLock(path), busy)
  lock.release()
  takeLock(path).release()
})

test('a number that another process has now, and a boot that is over, hold nothing', { skip }, async () => {
  const path = at('reused.lock')
  const living = await rival(at('reused-other.lock'))
  const starttime =
    readFileSync(`/proc/${living.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19] ?? ''
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const hold = (holder: object | string) => {
    for (const name of readdirSync(folder)) if (name.startsWith('reused.lock')) rmSync(at(name))
    writeFileSync(`${path}.7`, typeof holder === 'string' ? holder : JSON.stringify(holder))
  }
  hold({ pid: living.pid, bootId, starttime })
  assert.throws(() => takeLock(path), busy)
  for (const stale of [
    { pid: living.pid, bootId, starttime: `${starttime}1` },
    { pid: living.pid, bootId: 'another', starttime },
    { pid: 2 ** 22 + 1, bootId, starttime },
    { pid: -1, bootId, starttime },
    '',
    '{"pid":',
  ]) {
    hold(stale)
    takeLock(path).release()
    assert.ok(existsSync(`${path}.8`) && !existsSync(`${path}.7`))
  }
})

test('several locks are taken together or not at all', async () => {
  const [a, b, c] = [at('a.lock'), at('b.lock'), at('c.lock')]
  const held = takeLock(b)
  assert.throws(() => takeLocks([c, b, a]), busy)
  takeLock(a).release()
  held.release()
  const all = takeLocks([c, b, a, a])
  assert.throws(() => takeLock(c), busy)
  all.release()
  takeLock(c).release()
})

test('slots that two machines share are used by one of them', () => {
  const places = (A: string, B: string) => ({ A: at(A), B: at(B), bytesMax: 1 })
  const one = lockSlots(new Map([['rootfs', places('x-a.img', 'x-b.img')]]))
  const swapped = new Map([
    ['rootfs', places('y-a.img', 'y-b.img')],
    ['app', places('x-b.img', 'x-c.img')],
  ])
  assert.throws(() => lockSlots(swapped), busy)
  writeFileSync(at('x-b.img'), '')
  assert.throws(() => lockSlots(swapped), busy, 'also when the file was made meanwhile')
  one.release()
  lockSlots(swapped).release()
})

test('a slot has one lock, whatever it is called', () => {
  writeFileSync(at('slot.img'), '')
  symlinkSync(at('slot.img'), at('by-label'))
  assert.equal(lockOf(at('by-label')), lockOf(at('slot.img')))
  assert.equal(lockOf('/dev/null', '/run/lock'), `/run/lock/onvifd-${(1 << 8) | 3}.lock`, 'a device by its numbers')
})
