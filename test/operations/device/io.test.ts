import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestDevice, testDevice } from '../../support/device.ts'

const settings = (token: string, mode: string, delay: string, idle: string) =>
  `<tds:SetRelayOutputSettings><tds:RelayOutputToken>${token}</tds:RelayOutputToken><tds:Properties><tt:Mode>${mode}</tt:Mode><tt:DelayTime>${delay}</tt:DelayTime><tt:IdleState>${idle}</tt:IdleState></tds:Properties></tds:SetRelayOutputSettings>`
const state = (token: string, logical: string) =>
  `<tds:SetRelayOutputState><tds:RelayOutputToken>${token}</tds:RelayOutputToken><tds:LogicalState>${logical}</tds:LogicalState></tds:SetRelayOutputState>`
const command = (text: string) =>
  `<tds:SendAuxiliaryCommand><tds:AuxiliaryCommand>${text}</tds:AuxiliaryCommand></tds:SendAuxiliaryCommand>`

async function relays({ ask }: TestDevice) {
  const { xml } = await ask('<tds:GetRelayOutputs/>')
  return [...xml.matchAll(/token="(\w+)".*?Mode>(\w+)<.*?DelayTime>(\w[\w.]*)<.*?IdleState>(\w+)</g)].map(match => match.slice(1).join(' '))
}

/** What the support information says about the machine. */
async function told({ ask }: TestDevice) {
  const { xml } = await ask('<tds:GetSystemSupportInformation/>')
  const contacts = [...xml.matchAll(/"contact": "(\w+)"/g)].map(([, contact]) => contact)
  const auxiliary = /"auxiliary": (\{[^}]*\})/.exec(xml)?.[1] ?? ''
  return { contacts, auxiliary: JSON.parse(auxiliary) }
}

test('a device without relays and auxiliary functions says so and claims none', async t => {
  const { ask } = await testDevice(t)
  for (const request of [
    '<tds:GetRelayOutputs/>',
    settings('relay1', 'Bistable', 'PT1S', 'open'),
    state('relay1', 'active'),
    command('tt:IRLamp|On'),
  ])
    assert.equal((await ask(request)).fault, 'Receiver/ActionNotSupported')
  assert.match((await ask('<tds:GetCapabilities/>')).xml, /<tt:RelayOutputs>0<.*<tt:Auxiliary>false</)
  assert.doesNotMatch((await ask('<tds:GetServiceCapabilities/>')).xml, /AuxiliaryCommands/)
})

test('relays are configured and switched, also over a restart', async t => {
  const device = await testDevice(t, { relays: 2 })
  assert.match((await device.ask('<tds:GetCapabilities/>')).xml, /<tt:RelayOutputs>2</)
  assert.deepEqual(await relays(device), ['relay1 Bistable PT1S open', 'relay2 Bistable PT1S open'])
  assert.equal((await device.ask(settings('relay2', 'Monostable', 'PT1M0.25S', 'closed'))).fault, undefined)
  assert.equal((await device.ask(state('relay1', 'active'))).fault, undefined)
  assert.equal((await device.ask(state('relay2', 'active'))).fault, undefined)
  const configured = ['relay1 Bistable PT1S open', 'relay2 Monostable PT60.25S closed']
  assert.deepEqual(await relays(device), configured)
  assert.deepEqual((await told(device)).contacts, ['closed', 'open'])
  await device.restart()
  assert.deepEqual(await relays(device), configured)
  assert.deepEqual((await told(device)).contacts, ['closed', 'closed'], 'the pulse of a monostable relay ends with the power')
  await device.ask('<tds:SetSystemFactoryDefault><tds:FactoryDefault>Soft</tds:FactoryDefault></tds:SetSystemFactoryDefault>')
  await device.restart()
  assert.deepEqual((await told(device)).contacts, ['open', 'open'])
})

test('a monostable relay needs a delay that it can have, any other is refused', async t => {
  const device = await testDevice(t, { relays: 1 })
  for (const delay of ['PT0S', '-PT5S', 'P1Y', 'P1M', 'P1DT1S', 'PT0.0001S']) {
    assert.equal((await device.ask(settings('relay1', 'Monostable', delay, 'closed'))).fault, 'Sender/InvalidArgVal/ModeError', delay)
    assert.deepEqual(await relays(device), ['relay1 Bistable PT1S open'])
    assert.equal((await device.ask(settings('relay1', 'Bistable', delay, 'open'))).fault, undefined, delay)
  }
  assert.equal((await device.ask(settings('relay2', 'Bistable', 'PT1S', 'open'))).fault, 'Sender/InvalidArgVal/RelayToken')
  assert.equal((await device.ask(state('relay2', 'active'))).fault, 'Sender/InvalidArgVal/RelayToken')
  await device.ask(settings('relay1', 'Monostable', 'P1D', 'closed'))
  assert.deepEqual(await relays(device), ['relay1 Monostable PT86400S closed'])
})

test('auxiliary commands are those that the capability lists, and what they did holds over a restart', async t => {
  const device = await testDevice(t, { auxiliary: ['tt:IRLamp', 'Heater'] })
  const commands = 'tt:IRLamp|On tt:IRLamp|Off tt:IRLamp|Auto Heater|On Heater|Off'
  assert.ok((await device.ask('<tds:GetServiceCapabilities/>')).xml.includes(`AuxiliaryCommands="${commands}"`))
  for (const text of commands.split(' '))
    assert.ok((await device.ask('<tds:GetCapabilities/>')).xml.includes(`<tt:AuxiliaryCommands>${text}<`))
  for (const wrong of ['tt:Wiper|On', 'tt:IRLamp', 'tt:IRLamp|on', 'tt:IRLamp|Dim', 'Heater|Auto', 'Heater|On|Off', ''])
    assert.equal((await device.ask(command(wrong))).fault, 'Sender/InvalidArgVal/AuxiliaryDataNotSupported', wrong)
  assert.deepEqual((await told(device)).auxiliary, { 'tt:IRLamp': 'Off', Heater: 'Off' })
  for (const text of ['tt:IRLamp|Auto', 'Heater|On']) assert.equal((await device.ask(command(text))).fault, undefined)
  await device.restart()
  assert.deepEqual((await told(device)).auxiliary, { 'tt:IRLamp': 'Auto', Heater: 'On' })
  assert.match((await device.ask('<tds:GetSystemLog><tds:LogType>System</tds:LogType></tds:GetSystemLog>')).xml, /tt:IRLamp.*Auto/)
})
