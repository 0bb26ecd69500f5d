import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Call } from '../../../src/onvif/handlers.ts'
import { system } from '../../../src/operations/device/system.ts'
import { testClock } from '../../auth/support.ts'
import { settled } from '../../device/firmware/onBench.ts'
import { image, pieces, start, uploadOf } from '../../device/firmware/workbench.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { createTestDevice } from './testDevice.ts'

const clock = testClock()
const newImage = await image(Buffer.from('firmware 1.1.0'))

/** A device whose settings are real and whose firmware lives in a simulated disk, over any number of starts. */
async function upgradable(t: TestContext) {
  const device = await createTestDevice(t)
  const disk = new SimulatedStorage()
  device.scopes.replace(['urn:x:1'])
  const boot = async () => {
    const { firmware, power, backend } = await start(disk, clock)
    const chapter = system({ ...device, firmware, power })
    const effects: (() => Promise<void>)[] = []
    const call: Call = {
      caller: { name: 'admin', level: 'Administrator' },
      origin: new URL('http://192.0.2.7'),
      remoteAddress: '192.0.2.99',
      target: '/onvif/device_service',
      hungUp: new AbortController().signal,
      isMultipart: false,
      attachment: () => undefined,
      stream: async () => undefined,
      attach: () => assert.fail('nothing is attached'),
      afterReply: effect => void effects.push(effect),
    }
    return {
      firmware,
      power,
      /** What the answer leaves for afterwards is done at once. */
      async factoryDefault() {
        await chapter.SetSystemFactoryDefault({ FactoryDefault: 'Hard' }, call)
        assert.equal(power.reboots, 0, 'the answer leaves first')
        for (const effect of effects) await effect()
        assert.equal(power.reboots, 1)
        assert.deepEqual(
          device.scopes
            .list()
            .filter(({ fixed }) => !fixed)
            .map(({ uri }) => uri),
          ['onvif://www.onvif.org/location/unknown'],
        )
      },
      slots: async () => (await backend.slots()).map(({ version, running, confirmed, next }) => ({ version, running, confirmed, next })),
    }
  }
  return boot
}

const old = { version: '1.0.0', running: true, confirmed: true, next: true }
const isVoid = { version: undefined, running: false, confirmed: false, next: false }
const healthy = async () => {}

test('a factory default breaks an upload off, and the old firmware goes on', async t => {
  const boot = await upgradable(t)
  const first = await boot()
  await first.firmware.resume(healthy)
  const { ticket } = first.firmware.start('admin')
  const begun = Promise.withResolvers<void>()
  const upload = first.firmware.upload.receive(
    uploadOf(ticket),
    (async function* () {
      yield newImage.subarray(0, 100)
      begun.resolve()
      await new Promise(() => {})
    })(),
  )
  const refused = assert.rejects(upload, { status: 503, reason: 'aborted' })
  await begun.promise
  await first.factoryDefault()
  await refused
  assert.deepEqual(
    first.firmware.history().map(({ failure }) => failure?.reason),
    ['aborted'],
  )

  const second = await boot()
  await second.firmware.resume(healthy)
  assert.deepEqual([await second.slots(), second.firmware.status().state], [[old, isVoid], 'Idle'])
})

test('a factory default between the activation and its restart resets the settings, and the new firmware is tried with them', async t => {
  const boot = await upgradable(t)
  const first = await boot()
  await first.firmware.resume(healthy)
  // The answer of the upload never leaves, so it orders no restart itself.
  await first.firmware.upload.receive(uploadOf(first.firmware.start('admin').ticket), pieces(newImage))
  assert.equal(first.firmware.status().state, 'Rebooting')
  await first.factoryDefault()

  const second = await boot()
  await second.firmware.resume(healthy)
  const [a, b] = await second.slots()
  assert.deepEqual([a?.confirmed, b], [false, { version: '1.1.0', running: true, confirmed: true, next: true }])
})

test('case 62: a factory default on trial neither confirms nor rejects the new firmware: the trial goes on after the restart', async t => {
  const boot = await upgradable(t)
  const first = await boot()
  await first.firmware.resume(healthy)
  await first.firmware.upload.receive(uploadOf(first.firmware.start('admin').ticket), pieces(newImage))

  const second = await boot()
  const checking = Promise.withResolvers<void>()
  // Ended by the restart, as the process is.
  void second.firmware.resume(() => {
    checking.resolve()
    return new Promise(() => {})
  })
  await checking.promise
  assert.equal(second.firmware.status().state, 'Trial')
  await second.factoryDefault()
  assert.deepEqual((await second.slots())[1], { version: '1.1.0', running: true, confirmed: false, next: true })

  const third = await boot()
  await third.firmware.resume(healthy)
  assert.deepEqual((await third.slots())[1], { version: '1.1.0', running: true, confirmed: true, next: true })
  assert.deepEqual(
    third.firmware.history().map(({ failure }) => failure),
    [undefined],
  )
})

test('a factory default on trial costs the new firmware one of its boots: where it is sick as well, the old one comes back', async t => {
  const boot = await upgradable(t)
  const first = await boot()
  await first.firmware.resume(healthy)
  await first.firmware.upload.receive(uploadOf(first.firmware.start('admin').ticket), pieces(newImage))
  const second = await boot()
  void second.firmware.resume(() => new Promise(() => {}))
  await second.factoryDefault()
  await second.firmware.close()
  const third = await boot()
  const resumed = third.firmware.resume(async () => {
    throw new Error('sick')
  })
  await settled()
  await clock.pass(300_000)
  await resumed
  await settled()
  assert.equal(third.power.reboots, 1)
  const fourth = await boot()
  await fourth.firmware.resume(healthy)
  assert.deepEqual([(await fourth.slots())[0], fourth.firmware.history()[0]?.failure?.reason], [old, 'selfCheck'])
})
