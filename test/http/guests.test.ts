import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Door, openDoor, post, until } from './door.ts'

type Guest = Awaited<ReturnType<typeof come>>

const message = post('/onvif/device_service', '<q/>')

/** A connection from one of the addresses of the loopback: whether it is answered, and whether it ended. */
async function come(t: TestContext, { port }: Door, localAddress: string, bytes = message) {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  const guest = { socket, answered: false, ended: false }
  socket.on('error', () => {})
  socket.on('data', () => {
    guest.answered = true
  })
  socket.once('close', () => {
    guest.ended = true
  })
  t.after(() => socket.destroy())
  if (bytes === '') await new Promise(resolve => socket.once('connect', resolve))
  else {
    socket.write(bytes)
    await until(() => guest.answered || guest.ended)
  }
  return guest
}

test('one source alone has three quarters, and whoever comes from elsewhere finds room', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 40 } })
  const greedy: Guest[] = []
  for (let index = 0; index < 40; index++) greedy.push(await come(t, door, '127.0.0.2'))
  assert.equal(greedy.filter(({ answered }) => answered).length, 30)
  for (let source = 3; source < 13; source++) assert.ok((await come(t, door, `127.0.0.${source}`)).answered, `source ${source}`)
  assert.equal((await come(t, door, '127.0.0.13')).answered, false, 'now all 40 are there')
})

test('several that want everything leave room, too', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 70 } })
  const counts = new Map<string, number>()
  for (let round = 0; round < 70; round++)
    for (const source of ['127.0.0.2', '127.0.0.3']) {
      const { answered } = await come(t, door, source)
      if (answered) counts.set(source, (counts.get(source) ?? 0) + 1)
    }
  assert.deepEqual([...counts.values()], [30, 30])
  assert.ok((await come(t, door, '127.0.0.4')).answered)
})

test('who leaves makes room for others of the same source, on all ports together', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 4 } })
  const second = { ...door, port: Number((await door.server.listen('127.0.0.1', 0)).port) }
  const guests = [await come(t, door, '127.0.0.2'), await come(t, second, '127.0.0.2'), await come(t, second, '127.0.0.2')]
  assert.deepEqual(
    guests.map(({ answered }) => answered),
    [true, true, true],
  )
  assert.equal((await come(t, door, '127.0.0.2')).answered, false)
  guests[1]?.socket.destroy()
  let again = await come(t, door, '127.0.0.2')
  while (!again.answered) again = await come(t, door, '127.0.0.2')
  assert.equal((await come(t, second, '127.0.0.2')).answered, false)
})

test('a source that comes and goes is counted by what it has', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 8 } })
  for (let index = 0; index < 40; index++) {
    const guest = await come(t, door, '127.0.0.2')
    assert.ok(guest.answered, `the ${index}th`)
    guest.socket.destroy()
    // Its end is there before the next one comes.
    await until(() => guest.ended)
    assert.ok((await come(t, door, '127.0.0.3', '')).socket.destroy())
  }
})

test('connections on which nothing was ever asked make room for those of their source, and for no others', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 8 } })
  const all = async (source: string, bytes: string) => {
    const guests: Guest[] = []
    for (let index = 0; index < 6; index++) guests.push(await come(t, door, source, bytes))
    return guests
  }
  const stranger = await come(t, door, '127.0.0.3', '')
  const mute = await all('127.0.0.2', '')
  const next = await all('127.0.0.2', message)
  await until(() => mute.every(({ ended }) => ended))
  assert.ok(next.every(({ answered, ended }) => answered && !ended))
  assert.equal((await come(t, door, '127.0.0.2')).answered, false, 'those that have asked stay')
  assert.equal(stranger.ended, false)
})

test('where all places are taken, idle connections make room', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 4 } })
  const guests: Guest[] = []
  for (let source = 2; source < 6; source++) guests.push(await come(t, door, `127.0.0.${source}`))
  assert.ok(guests.every(({ answered, ended }) => answered && !ended))
  assert.equal((await come(t, door, '127.0.0.9')).answered, false)
  await until(() => guests.every(({ ended }) => ended))
  assert.ok((await come(t, door, '127.0.0.9')).answered)
})

test('connections take no more than their share of the files that the process may open', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { connectionsMax: 1_000_000, descriptorShare: 0 } })
  assert.equal((await come(t, door, '127.0.0.2')).answered, false)
})
