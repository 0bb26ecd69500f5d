import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contract } from '../src/onvif/contract.generated.ts'
import { admitted, operations } from '../src/onvif/operations.ts'
import type { OperationName } from '../src/onvif/types.generated.ts'
import { createCodec } from '../src/soap/codec.ts'
import { elementValues } from './property/values.ts'
import { type Answer, people, testDevice } from './support/device.ts'

const codec = createCodec(contract)

/** What would end the device or the log-in under test is tried last, each on a device of its own. */
const drastic: ReadonlySet<string> = new Set([
  'SystemReboot',
  'SetSystemFactoryDefault',
  'SetUser',
  'DeleteUsers',
  'CreateUsers',
  'SetSystemDateAndTime',
])

const isRefused = ({ status, fault }: Answer) => status === 401 && fault === 'Sender/NotAuthorized'

test('each of the operations lets in exactly the levels of its access class', async t => {
  const names = Object.keys(operations).filter((name): name is OperationName => Object.hasOwn(operations, name))
  assert.equal(names.length, 103 + 62 + 13)
  let device = await testDevice(t)
  await device.createEveryLevel()
  for (const name of [...names].sort((a, b) => Number(drastic.has(a)) - Number(drastic.has(b)))) {
    const { access } = operations[name]
    const request = contract.operations[name]?.request ?? ''
    const [value] = fc.sample(elementValues(request, contract), { numRuns: 1, seed: 7 })
    const message = codec.encode(request, value)
    const anonymous = await device.ask(message, undefined)
    assert.equal(isRefused(anonymous), access !== 'PRE_AUTH', `${name} without log-in: ${anonymous.xml}`)
    for (const level of ['User', 'Operator', 'Administrator'] as const) {
      const answer = await device.ask(message, people[level])
      const mayCall = access === 'PRE_AUTH' || admitted[access].includes(level)
      assert.equal(isRefused(answer), !mayCall, `${name} as ${level}: ${answer.xml}`)
    }
    if (drastic.has(name)) {
      device = await testDevice(t)
      await device.createEveryLevel()
    }
  }
})
