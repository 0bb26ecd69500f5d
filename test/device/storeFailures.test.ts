import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { openStore } from '../../src/device/store.ts'
import { type Effect, injected, lacksStrace } from '../fault/traced.ts'
import { temporaryFolder } from '../support/daemon.ts'

const storeUrl = new URL('../../src/device/store.ts', import.meta.url)

/** Sets its documents to every number that it is told, alone or in one transaction, and says how that went. */
const writing = `
  import { createInterface } from 'node:readline'
  import { openStore } from ${JSON.stringify(storeUrl.href)}
  const store = openStore(process.argv[1])
  const [a, b] = ['a', 'b'].map(name => store.document(name, Number, () => 0))
  const set = number => (number % 2 ? a.set(number) : store.transaction(() => [a, b].forEach(each => each.set(number))))
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      if (line === 'close') store.close()
      else set(Number(line))
      console.log('done')
    } catch (error) {
      console.log(error.message + ', ' + a.get() + ', ' + b.get())
    }
  }`

/** A store in a process of its own, whose disk can be harmed; what was told to it last fails at this sync of the log. */
async function writingProcess(t: TestContext) {
  const path = join(await temporaryFolder(t), 'device.db')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', writing, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  async function tell(text: string): Promise<unknown> {
    child.stdin.write(`${text}\n`)
    return (await lines.next()).value
  }
  return {
    tell,
    /** The log begins anew: its head is written and synced, then come the head and the page of one frame. */
    failing: (effect: Effect, text: string) => {
      const call = { thread: 'main', name: 'fsync', path: `${path}-wal`, nth: 2, earlier: { pwrite64: 3 }, text: '' } as const
      return injected(child.pid ?? 0, call, effect, () => tell(text))
    },
    /** What the next start finds. */
    async found(): Promise<readonly number[]> {
      child.kill('SIGKILL')
      await once(child, 'exit')
      const store = openStore(path)
      const values = ['a', 'b'].map(name => store.document(name, Number, () => 0).get())
      store.close()
      return values
    },
  }
}

for (const [how, number] of [
  ['a write', '3'],
  ['a transaction', '4'],
] as const)
  test(`${how} that fails at the sync of the log has not happened, whatever stands in the log`, { skip: lacksStrace }, async t => {
    const store = await writingProcess(t)
    assert.equal(await store.tell('2'), 'done')
    assert.equal(await store.failing({ inject: 'error=EIO' }, number), 'disk I/O error, 2, 2')
    assert.deepEqual(await store.found(), [2, 2])
  })

test('where the disk has gone it is the next write that takes back what failed, also one that changes nothing', {
  skip: lacksStrace,
}, async t => {
  const store = await writingProcess(t)
  assert.equal(await store.tell('2'), 'done')
  assert.equal(await store.failing({ inject: 'error=EIO', lasts: 'all' }, '4'), 'disk I/O error, 2, 2')
  assert.equal(await store.tell('2'), 'done')
  assert.deepEqual(await store.found(), [2, 2])
})

test('where the disk has gone it is the end that takes back what failed', { skip: lacksStrace }, async t => {
  const store = await writingProcess(t)
  assert.equal(await store.tell('2'), 'done')
  assert.equal(await store.failing({ inject: 'error=EIO', lasts: 'all' }, '4'), 'disk I/O error, 2, 2')
  assert.equal(await store.tell('close'), 'done')
  assert.deepEqual(await store.found(), [2, 2])
})
