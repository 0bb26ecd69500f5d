import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRelays } from '../../src/device/relays.ts'
import { openStore } from '../../src/device/store.ts'
import { SoapFault } from '../../src/onvif/faults.ts'
import type { Clock, Log } from '../../src/platform/platform.ts'

function setUp(count = 2) {
  const store = openStore(':memory:')
  let time = 0
  let timers: { at: number; act: () => void }[] = []
  const clock: Clock = {
    now: () => new Date(0),
    monotonicMs: () => time,
    set: async () => {},
    after(delayMs, act) {
      const timer = { at: time + delayMs, act }
      timers.push(timer)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
  }
  const told: object[] = []
  const log: Log = { debug() {}, info: fields => void told.push(fields), warn() {}, error() {} }
  const changes: [token: string, active: boolean][] = []
  const relays = createRelays({ store, clock, log, count, changed: (...change) => void changes.push(change) })
  const contacts = () => relays.list().map(({ contact }) => contact)
  const wait = (ms: number) => {
    time += ms
    const due = timers.filter(({ at }) => at <= time)
    timers = timers.filter(({ at }) => at > time)
    for (const { act } of due) act()
  }
  return { store, relays, contacts, told, changes, wait, pending: () => timers.length }
}

const raises = (name: string) => (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === name

test('a new relay is bistable, open and inactive', () => {
  const { relays } = setUp()
  assert.deepEqual(relays.list(), [
    { token: 'relay1', mode: 'Bistable', delayMs: 1000, idle: 'open', active: false, contact: 'open' },
    { token: 'relay2', mode: 'Bistable', delayMs: 1000, idle: 'open', active: false, contact: 'open' },
  ])
  assert.deepEqual(setUp(0).relays.list(), [])
})

test('a bistable relay stays where it was put, and every change is told', () => {
  const { relays, contacts, told, wait } = setUp()
  relays.set('relay2', true)
  wait(86_400_000)
  assert.deepEqual(contacts(), ['open', 'closed'])
  relays.set('relay2', false)
  assert.deepEqual(contacts(), ['open', 'open'])
  assert.deepEqual(told, [
    { relay: 'relay2', active: true, contact: 'closed' },
    { relay: 'relay2', active: false, contact: 'open' },
  ])
})

test('a relay that rests closed opens when it is active', () => {
  const { relays, contacts } = setUp()
  relays.configure('relay1', { mode: 'Bistable', delayMs: 1000, idle: 'closed' })
  assert.deepEqual(contacts(), ['closed', 'open'])
  relays.set('relay1', true)
  assert.deepEqual(contacts(), ['open', 'open'])
})

test('a monostable relay falls back after its delay, counted from the last order', () => {
  const { relays, contacts, told, wait, pending } = setUp()
  relays.configure('relay1', { mode: 'Monostable', delayMs: 5000, idle: 'open' })
  relays.set('relay1', true)
  wait(4999)
  assert.deepEqual(contacts(), ['closed', 'open'])
  relays.set('relay1', true)
  wait(4999)
  assert.deepEqual(contacts(), ['closed', 'open'])
  wait(1)
  assert.deepEqual(contacts(), ['open', 'open'])
  assert.deepEqual(told.at(-1), { relay: 'relay1', active: false, contact: 'open' })
  relays.set('relay1', true)
  relays.set('relay1', false)
  assert.deepEqual([contacts(), pending()], [['open', 'open'], 0])
})

test('an active relay takes its new mode with it', () => {
  const { relays, contacts, wait, pending } = setUp()
  relays.set('relay1', true)
  relays.configure('relay1', { mode: 'Monostable', delayMs: 100, idle: 'open' })
  assert.deepEqual([contacts(), pending()], [['closed', 'open'], 1])
  relays.configure('relay1', { mode: 'Bistable', delayMs: undefined, idle: 'open' })
  wait(1000)
  assert.deepEqual([contacts(), pending()], [['closed', 'open'], 0])
  assert.equal(relays.list()[0]?.delayMs, 100, 'a delay that is none is ignored in bistable mode')
  relays.configure('relay1', { mode: 'Monostable', delayMs: 100, idle: 'open' })
  wait(100)
  assert.deepEqual(contacts(), ['open', 'open'])
})

test('a change is told once, whoever made it, and nothing else is', () => {
  const { relays, changes, wait } = setUp()
  relays.set('relay1', false)
  relays.configure('relay1', { mode: 'Monostable', delayMs: 100, idle: 'closed' })
  assert.deepEqual(changes, [])
  relays.set('relay1', true)
  relays.set('relay1', true)
  relays.set('relay2', true)
  relays.configure('relay2', { mode: 'Bistable', delayMs: 7, idle: 'closed' })
  wait(100)
  relays.release()
  assert.deepEqual(changes, [
    ['relay1', true],
    ['relay2', true],
    ['relay1', false],
    ['relay2', false],
  ])
})

test('unknown relays and delays that cannot be are refused, and nothing changes', () => {
  const { relays, told } = setUp(1)
  const before = relays.list()
  for (const token of ['relay2', 'relay0', '', 'relay1 ', '__proto__']) {
    assert.throws(() => relays.set(token, true), raises('RelayToken'))
    assert.throws(() => relays.configure(token, { mode: 'Bistable', delayMs: 1, idle: 'open' }), raises('RelayToken'))
  }
  assert.throws(() => relays.configure('relay1', { mode: 'Monostable', delayMs: undefined, idle: 'closed' }), raises('ModeError'))
  assert.deepEqual([relays.list(), told], [before, []])
})

test('a factory default leaves all of them inactive, and nothing waits any more', () => {
  const { relays, contacts, pending, store } = setUp()
  relays.configure('relay1', { mode: 'Monostable', delayMs: 100, idle: 'open' })
  relays.set('relay1', true)
  relays.set('relay2', true)
  relays.release()
  assert.deepEqual([contacts(), pending()], [['open', 'open'], 0])
  assert.deepEqual(Object.keys(store.exportDocuments()), ['relays'], 'no backup moves a contact')
})
