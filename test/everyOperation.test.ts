import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, eventFaults } from '../src/onvif/faults.ts'
import { testDevice } from './support/device.ts'
import { exportedState } from './support/exportedState.ts'
import { operationNames, requestFor, spoil } from './support/requests.ts'
import { equipped, writeOf, writers } from './support/writers.ts'

const named: ReadonlySet<string> = new Set([
  ...Object.entries(catalogue).map(([name, above]) => [...above, name].join('/')),
  ...Object.keys(eventFaults).map(name => `Receiver/${name}`),
])

/** These end the device, or what its log-in depends on. */
const needsAnother: ReadonlySet<string> = new Set(['SystemReboot', 'SetSystemFactoryDefault', 'SetSystemDateAndTime', 'RestoreSystem'])

for (const extent of ['minimal', 'full'] as const) {
  test(`a ${extent} valid request to each of the operations has its answer, or a fault of the catalogue`, async t => {
    assert.equal(operationNames.length, 103 + 62 + 13)
    let { ask } = await testDevice(t, equipped)
    for (const name of operationNames) {
      const { status, body, fault, reason } = await ask(requestFor(name, extent))
      if (fault === undefined) assert.deepEqual([status, body.name], [200, `${name.replace(/^.*:/, '')}Response`])
      else assert.ok(named.has(fault), `${name}: ${fault}`)
      assert.notEqual(reason, 'the device could not perform the operation', `${name} has a bug`)
      assert.ok(status !== 401, `${name}: ${reason}`)
      for (const generic of ['WellFormed', 'TagMismatch', 'Tag', 'Namespace', 'MissingAttr', 'ProhibAttr', 'InvalidArgs', 'UnknownAction'])
        assert.notEqual(fault, `Sender/${generic}`, `${name} takes what its table allows: ${reason}`)
      if (needsAnother.has(name)) ask = (await testDevice(t, equipped)).ask
    }
  })
}

test('a request that is spoiled anywhere has the generic fault for it, and changes nothing', async t => {
  const device = await testDevice(t, equipped)
  let count = 0
  let before = await exportedState(device)
  for (const name of operationNames) {
    const effective = writers
      .filter(({ operation }) => operation === name)
      .map(writer => writeOf(writer, { prepared: '', freePort: 8081, ports: [] }))
    for (const body of new Set([requestFor(name, 'minimal'), requestFor(name, 'full'), ...effective])) {
      for (const { how, body: spoiled, fault } of spoil(body)) {
        const answer = await device.ask(spoiled)
        assert.equal(answer.fault, fault, `${how}: ${answer.reason}\n${spoiled}`)
        count++
      }
    }
    if (/^(?:\w+:)?Get/.test(name)) continue
    const after = await exportedState(device)
    assert.deepEqual(after, before, `${name} changed something`)
    before = after
  }
  t.diagnostic(`${count} spoiled requests`)
  assert.ok(count > 2_000)
})

const times = (count: number, item: (index: number) => string) => Array.from({ length: count }, (_, index) => item(index)).join('')
const users = (count: number) =>
  `<tds:CreateUsers>${times(count, index => `<tds:User><tt:Username>user${index}</tt:Username><tt:Password>Only-looking-${index}</tt:Password><tt:UserLevel>User</tt:UserLevel></tds:User>`)}</tds:CreateUsers>`
const names = (count: number) => `<tds:DeleteUsers>${times(count, index => `<tds:Username>user${index}</tds:Username>`)}</tds:DeleteUsers>`
const scopes = (operation: string, item: string, count: number) =>
  `<tds:${operation}>${times(count, index => `<tds:${item}>onvif://www.onvif.org/x/${index}</tds:${item}>`)}</tds:${operation}>`

/** What stops each: the number of elements of any message where it has more, and else the limit of the subject. */
const masses: readonly (readonly [what: string, body: string, fault: string])[] = [
  ['10,000 users', users(10_000), 'Sender/WellFormed'],
  ['4,900 users, which a message can hold', users(4_900), 'Receiver/Action/TooManyUsers'],
  ['50,000 names', names(50_000), 'Sender/WellFormed'],
  ['19,000 names, which a message can hold', names(19_000), 'Sender/InvalidArgVal/UsernameMissing'],
  ['10,000 scopes', scopes('SetScopes', 'Scopes', 10_000), 'Receiver/Action/TooManyScopes'],
  ['10,000 more scopes', scopes('AddScopes', 'ScopeItem', 10_000), 'Receiver/Action/TooManyScopes'],
  ['10,000 scopes fewer', scopes('RemoveScopes', 'ScopeItem', 10_000), 'Sender/InvalidArgVal/NoScope'],
]

test('masses in one request are refused by a limit in no time, and change nothing', async t => {
  const device = await testDevice(t)
  const before = await exportedState(device)
  for (const [what, body, fault] of masses) {
    const began = process.cpuUsage()
    const answer = await device.ask(body)
    const { user, system } = process.cpuUsage(began)
    t.diagnostic(`${what}, ${Math.round(body.length / 1000)} KB: ${Math.round((user + system) / 1000)} ms of CPU`)
    assert.equal(answer.fault, fault, answer.reason)
    assert.ok(user + system < 2_000_000, what)
  }
  assert.deepEqual(await exportedState(device), before)
})
