import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDiscovery } from '../../src/discovery/discovery.ts'
import { createClock } from '../../src/platform/virtual/clock.ts'
import { createAsker, freePort } from './bed.ts'
import { probe, resolve } from './questions.ts'

test('what cannot be kept is not said, and goes to the log instead of ending the device', async t => {
  const [port, endpoint] = [await freePort(), 'urn:uuid:5f5a69c2-e0ae-504f-829b-000000000002']
  const errors: string[] = []
  let isBroken = true
  let messageNumber = 0
  const keep = () => {
    if (isBroken) throw new Error('disk I/O error')
  }
  const discovery = createDiscovery({
    clock: createClock(),
    log: { debug() {}, info() {}, warn() {}, error: (_fields, message) => void errors.push(message) },
    endpoint,
    scopes: () => ['onvif://www.onvif.org/type/test'],
    isDiscoverable: () => true,
    admits: () => true,
    door: {
      address: () => '127.0.0.1',
      protocols: () => [{ name: 'HTTP', enabled: true, ports: [8080] }],
      publicOrigin: undefined,
      path: '/onvif/device_service',
    },
    interfaces: undefined,
    sequence: {
      next() {
        keep()
        return { instanceId: 1, messageNumber: ++messageNumber }
      },
      metadataVersion() {
        keep()
        return 1
      },
    },
    port,
  })
  await discovery.start()
  t.after(() => discovery.stop())
  const asker = await createAsker(t, port)
  for (const question of [probe(), resolve(endpoint)]) assert.deepEqual(await asker.ask(question, '127.0.0.1'), [])
  assert.equal(errors.filter(message => message === 'discovery could not speak').length, 3, 'Hello and both answers')
  isBroken = false
  for (const question of [probe(), resolve(endpoint)]) assert.equal((await asker.ask(question, '127.0.0.1')).length, 1)
})
