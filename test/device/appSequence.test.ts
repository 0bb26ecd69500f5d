import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createAppSequence, parseAppSequence } from '../../src/device/appSequence.ts'
import { openStore, type Store } from '../../src/device/store.ts'
import { temporaryFolder } from '../support/daemon.ts'

/** Opens the same file for each start of the device, and closes it after. */
async function starts(t: TestContext) {
  const file = join(await temporaryFolder(t), 'device.db')
  return <T>(run: (sequence: ReturnType<typeof createAppSequence>, store: Store) => T): T => {
    const store = openStore(file)
    try {
      return run(createAppSequence(store), store)
    } finally {
      store.close()
    }
  }
}

test('the instance grows with every start that says something, the message number with every message', async t => {
  const start = await starts(t)
  assert.deepEqual(
    start(({ next }) => [next(), next()]),
    [
      { instanceId: 1, messageNumber: 1 },
      { instanceId: 1, messageNumber: 2 },
    ],
  )
  start(() => 'a device that is not discoverable')
  assert.deepEqual(
    start(({ next }) => next()),
    { instanceId: 2, messageNumber: 1 },
  )
})

test('the metadata version grows when the description is another, over restarts too', async t => {
  const start = await starts(t)
  assert.deepEqual(
    start(({ metadataVersion }) => ['a', 'a', 'b'].map(metadataVersion)),
    [1, 1, 2],
  )
  const next = start(({ next, metadataVersion }) => [next().instanceId, ...['b', 'a'].map(metadataVersion)])
  assert.deepEqual(next, [1, 2, 3])
})

test('neither goes back with a factory default', async t => {
  const start = await starts(t)
  start(({ next }, store) => {
    next()
    store.clear()
  })
  assert.equal(
    start(({ next }) => next().instanceId),
    2,
  )
})

test('what is damaged is not taken', () => {
  const good = { instanceId: 1, metadataVersion: 2, metadata: 'x' }
  assert.deepEqual(parseAppSequence(good), good)
  const bad = [
    null,
    1,
    {},
    { ...good, instanceId: -1 },
    { ...good, metadataVersion: 0.5 },
    { ...good, instanceId: 2 ** 32 },
    { ...good, metadata: 1 },
  ]
  for (const stored of bad) assert.throws(() => parseAppSequence(stored), /no sequence of discovery/)
})
