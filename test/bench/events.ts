import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../../src/limits.ts'
import { beside, cpuSeconds, envelope, folder, load, median, password, residentMiB, startOnvifd, user, withToken } from './bed.ts'
import type { LoadOrder } from './load.ts'
import type { Kind, SlowOrder } from './slowWatchers.ts'
import type { WatchOrder, WatchReport } from './watchers.ts'

const watchers = 1_000

/** What it costs that a thousand clients wait for events, what is left for others meanwhile, and how soon an event is everywhere. */
export async function benchEvents({ rounds, roundMs }: { readonly rounds: number; readonly roundMs: number }): Promise<void> {
  const server = await startOnvifd(join(folder, 'events'), { more: ['--relays', '1', '--discovery', 'off'] })
  const body = envelope('<tds:GetSystemDateAndTime/>')
  const order: LoadOrder = { port: server.port, body, login: 'none', user, password, connections: 4, milliseconds: roundMs }
  const rate = async () => {
    const { requests, milliseconds, failures } = await load(order)
    if (failures > 0) throw new Error(`${failures} requests failed`)
    return (requests / milliseconds) * 1000
  }
  const rates = async () => {
    const all: number[] = []
    for (let round = 0; round < rounds; round++) all.push(await rate())
    return median(all)
  }
  await rate()
  const alone = await rates()
  const before = residentMiB(server.pid, 'VmRSS')

  const child = fork(beside('./watchers.ts'))
  const reports = on(child, 'message')
  const hear = async (): Promise<WatchReport> => {
    const { value } = await reports.next()
    return value?.[0]
  }
  child.send({ port: server.port, watchers } satisfies WatchOrder)
  await hear()
  const held = residentMiB(server.pid, 'VmRSS')
  const meanwhile = await rates()

  const latest: number[] = []
  const middle: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < rounds; round++) {
    const state = round % 2 === 0 ? 'active' : 'inactive'
    const cpuBefore = cpuSeconds(server.pid)
    const began = performance.timeOrigin + performance.now()
    const switched = `<tds:SetRelayOutputState><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:LogicalState>${state}</tds:LogicalState></tds:SetRelayOutputState>`
    const { status } = await fetch(`http://127.0.0.1:${server.port}/onvif/device_service`, {
      method: 'POST',
      body: withToken(envelope(switched)),
    })
    if (status !== 200) throw new Error(`the relay was not switched: ${status}`)
    const heard = await hear()
    if (heard.kind !== 'told') throw new Error('the clients wait for nothing')
    cpu.push((cpuSeconds(server.pid) - cpuBefore) * 1000)
    const delays = heard.atMs.map(at => at - began)
    latest.push(Math.max(...delays))
    middle.push(median(delays))
    await hear()
  }
  const each = ((residentMiB(server.pid, 'VmRSS') - before) * 1024) / watchers
  child.kill()
  await server.stop()
  console.log(
    `\nEvents: ${watchers} pulls held open: RSS ${before} to ${held} MiB, ${(((held - before) * 1024) / watchers).toFixed(0)} KiB each (${each.toFixed(0)} after ${rounds} events); GetSystemDateAndTime ${alone.toFixed(0)} requests/s alone, ${meanwhile.toFixed(0)} meanwhile: ${((meanwhile / alone) * 100).toFixed(0)} %`,
  )
  console.log(
    `An event, from the request that causes it to the last of ${watchers} clients: median of ${rounds} ${median(latest).toFixed(0)} ms (worst ${Math.max(...latest).toFixed(0)}), to half of them ${median(middle).toFixed(0)} ms; ${median(cpu).toFixed(0)} ms of CPU of the device`,
  )
}

const storm = 1_000

/** What a subscriber costs the device who does not take his events, beside one who does. */
export async function benchSlowSubscribers(): Promise<void> {
  console.log(`\nSubscribers while ${storm} events happen, each kind at a device of its own: what the device has more than before, each`)
  console.log(
    `${'subscribers'.padEnd(44)}${['RSS KiB', 'descriptors', 'RSS KiB 40 s on', 'descriptors'].map(title => title.padStart(17)).join('')}`,
  )
  const rows: readonly Pick<SlowOrder, 'by' | 'count'>[] = [
    { by: 'pull point', count: 200 },
    { by: 'delivery', count: limits.eventConsumersMax },
  ]
  const kinds: readonly Kind[] = ['good', 'never reads', 'reads a byte a second', 'vanished']
  const none = await cost(undefined)
  console.log(`${'none, in all'.padEnd(44)}${none.map(value => value.toFixed(0).padStart(17)).join('')}`)
  for (const row of rows)
    for (const kind of kinds) {
      const all = await cost({ ...row, kind })
      const each = all.map((value, index) => (value - (none[index] ?? 0)) / row.count)
      console.log(`${`${row.count} by ${row.by}, ${kind}`.padEnd(44)}${each.map(value => value.toFixed(1).padStart(17)).join('')}`)
    }
}

/** RSS in KiB and descriptors of a device, more than before the subscribers came: after the events, and when idle connections are cut. */
async function cost(order: Omit<SlowOrder, 'port'> | undefined): Promise<readonly number[]> {
  const more = ['--relays', '1', '--discovery', 'off', '--notify-local']
  const server = await startOnvifd(join(folder, `slow-${order?.by}-${order?.kind}`), { log: 'error', more })
  const ask = async (body: string) => {
    const options = { method: 'POST', body: withToken(envelope(body)) }
    const response = await fetch(`http://127.0.0.1:${server.port}/onvif/device_service`, options)
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
    await response.arrayBuffer()
  }
  const relay = '<tds:RelayOutputToken>relay1</tds:RelayOutputToken>'
  const happen = async () => {
    for (let index = 0; index < storm; index++) {
      const state = index % 2 === 0 ? 'active' : 'inactive'
      await ask(`<tds:SetRelayOutputState>${relay}<tds:LogicalState>${state}</tds:LogicalState></tds:SetRelayOutputState>`)
    }
  }
  // Of a relay that falls back by itself nothing is written to the disk.
  const monostable = '<tt:Mode>Monostable</tt:Mode><tt:DelayTime>PT1H</tt:DelayTime><tt:IdleState>open</tt:IdleState>'
  await ask(`<tds:SetRelayOutputSettings>${relay}<tds:Properties>${monostable}</tds:Properties></tds:SetRelayOutputSettings>`)
  await happen()
  const figures = () => [
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]),
    readdirSync(`/proc/${server.pid}/fd`).length,
  ]
  const before = figures()
  const child = order && fork(beside('./slowWatchers.ts'))
  if (order) {
    child?.send({ ...order, port: server.port } satisfies SlowOrder)
    if (child) await once(child, 'message')
  }
  if (order?.kind === 'vanished') child?.kill('SIGSTOP')
  await happen()
  const during = figures()
  // Longer than a connection may be silent.
  await new Promise(resolve => setTimeout(resolve, limits.silenceTimeoutMs + 10_000))
  const after = figures()
  child?.kill('SIGKILL')
  await server.stop()
  return [...during, ...after].map((value, index) => value - (before[index % 2] ?? 0))
}
