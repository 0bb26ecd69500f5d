import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDaemon } from '../support/daemon.ts'
import { addresses } from './addresses.ts'
import { login } from './login.ts'
import { messages } from './messages.ts'
import { keepIdle, transport } from './transport.ts'
import { wireTo } from './wire.ts'

// What real clients send, each in its own bytes and over a socket. The numbers are those of the collection of client quirks in which
// this was gathered: rules of its first section, and its second section's table of clients.
const rows = [...transport, ...login, ...messages, ...addresses]

test('what real clients send is served', async t => {
  const wire = wireTo(t, await startDaemon(t))
  const idle = await keepIdle(wire)
  for (const [rule, client, does, shows] of rows) {
    await t.test(`${rule}. ${client}: ${does}`, t => shows({ ...wire, t }).then(() => {}))
  }
  await t.test('4. zeep-async: a connection that was idle for 4 s', idle)
  assert.equal(wire.daemon.process.exitCode, null, wire.daemon.output())
})

test('no rule about the Device service is left out', () => {
  // 19 is what every answer is validated for.
  const shown = new Set([...rows.map(([rule]) => rule), 19])
  for (let rule = 1; rule <= 27; rule++) assert.ok(shown.has(rule), `rule ${rule}`)
})
