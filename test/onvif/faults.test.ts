import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract } from '../../src/onvif/contract.generated.ts'
import { catalogue, eventFaults, fault } from '../../src/onvif/faults.ts'

test('a fault of the catalogue has the code and subcodes that the catalogue gives it, and no detail', () => {
  const { code, subcodes, detail, message, cause } = fault('FixedScope', 'no', { cause: 'why' })
  assert.deepEqual([code, subcodes, detail, message, cause], ['Sender', ['OperationProhibited', 'FixedScope'], undefined, 'no', 'why'])
  assert.ok(!('cause' in fault('FixedScope', 'no')))
})

test('a fault of events is known by the element in its detail', () => {
  const { code, subcodes, detail, cause } = fault('InvalidFilterFault', 'no', { detail: { UnknownFilter: ['{urn:x}Mine'] }, cause: 'why' })
  const element = 'wsnt:InvalidFilterFault'
  assert.deepEqual([code, subcodes, cause], ['Receiver', [element], 'why'])
  assert.deepEqual(detail, { element, value: { UnknownFilter: ['{urn:x}Mine'] } })
  assert.deepEqual(fault('ResourceUnknownFault', 'no').detail, { element: 'wsrf-r:ResourceUnknownFault', value: {} })
})

test('every fault of events has its element in the contract, and no name that the catalogue has', () => {
  for (const [name, element] of Object.entries(eventFaults)) {
    assert.equal(element.replace(/^.*:/, ''), name)
    assert.ok(contract.elements[element], element)
    assert.ok(!Object.hasOwn(catalogue, name), name)
  }
})
