import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { TestContext } from 'node:test'
import { admin, buildImage, type Daemon, run, startDaemon } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'
import { validateMessage, validateMessageOfficially } from '../support/schemaValidator.ts'

/** An event as a client of whatever make has understood it. */
export interface Seen {
  readonly topic: string
  readonly operation?: string | undefined
  readonly data: Readonly<Record<string, string>>
}

export interface WatchedDevice {
  readonly daemon: Daemon
  /** By which clients reach the device, with somebody between who keeps what it answers. */
  readonly origin: string
  readonly url: string
  /** What the event service and the subscriptions have answered, envelopes and all. */
  readonly answers: readonly string[]
  /** Sends an image slowly enough to be watched; gives back control when the device has taken it. */
  upgrade(): Promise<void>
}

export const newVersion = '1.1.0'

/** A device that is watched; every answer about its events is valid when the test ends. */
export async function startWatchedDevice(t: TestContext): Promise<WatchedDevice> {
  const daemon = await startDaemon(t)
  const image = await buildImage(t, daemon.state, newVersion, 6_000_000)
  const answers: string[] = []
  const { hostname, port } = new URL(daemon.origin)
  const between = createServer((question, answer) => {
    const { method, url = '/', headers } = question
    const onward = request({ hostname, port, method, path: url, headers, agent: false })
    // The device restarts; what is kept open by both would hide that.
    onward.once('error', () => question.socket.destroy())
    answer.once('close', () => onward.destroy())
    onward.once('response', response => {
      answer.writeHead(response.statusCode ?? 0, response.headers)
      response.once('error', () => question.socket.destroy())
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
        answer.write(text)
      })
      response.once('end', () => {
        if (method === 'POST' && /event_service|subscription/.test(url)) answers.push(body)
        answer.end()
      })
    })
    question.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(between, 'listening')
  t.after(() => {
    between.close()
    between.closeAllConnections()
  })
  const address = between.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

  return {
    daemon,
    origin,
    url: `${origin}/onvif/device_service`,
    answers,
    async upgrade() {
      const started = await fetch(daemon.url, { method: 'POST', body: envelope('<tds:StartFirmwareUpgrade/>', admin) })
      const uri = /UploadUri>([^<]+)</.exec(await started.text())?.[1] ?? ''
      const config = `user = "${admin.name}:${admin.password}"\nlimit-rate = 3M\n`
      const args = ['--silent', '--show-error', '--fail', '--config', '-', '--digest', '-H', 'Content-Type: application/octet-stream']
      const { code, stderr } = await run('curl', [...args, '--data-binary', `@${image}`, uri], { input: config })
      assert.equal(code, 0, stderr)
    },
  }
}

const status = 'tns1:Monitoring/AsynchronousOperationStatus'
const shutdown = 'tns1:Device/OperationMode/ShutdownInitiated'

/** Whether this is the last that an upgrade has to tell. */
export const isResult = ({ topic, data }: Seen): boolean => topic === status && /^(Succeeded|Failed)$/.test(data['ofd:State'] ?? '')

/** For the reader of a failed test. */
export const told = (seen: readonly Seen[]): string =>
  seen.map(({ topic, operation, data }) => `\n${topic} ${operation} ${JSON.stringify(data)}`).join('')

/** Progress, shutdown, another subscription, result: an upgrade as somebody has seen it who watched from before its begin. */
export function assertWholeUpgrade(seen: readonly Seen[], story = told(seen)): void {
  const down = seen.findIndex(({ topic }) => topic === shutdown)
  assert.ok(down > 0, `the device said that it goes down: ${story}`)
  const [before, after] = [seen.slice(0, down), seen.slice(down + 1)]

  assert.ok(
    before.some(({ topic }) => topic === 'tns1:Device/OperationMode/UploadInitiated'),
    story,
  )
  const percents = before
    .filter(({ topic }) => topic === 'tns1:Monitoring/UploadStatus')
    .flatMap(({ data }) => data.Status ?? [])
    .map(Number)
  assert.ok(
    percents.some(percent => percent > 0 && percent < 100),
    `the upload on its way, in ${percents.join()}`,
  )
  assert.equal(percents.at(-1), 100)

  const states = seen.filter(({ topic, operation }) => topic === status && operation !== 'Deleted').map(({ data }) => data)
  const progress = states.map(data => Number(data.Progress))
  assert.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
    'it never goes back',
  )
  assert.ok(
    before.some(({ data }) => data['ofd:State'] === 'Check'),
    story,
  )

  assert.ok(
    after.some(({ topic, operation }) => topic === 'tns1:Monitoring/OperatingTime/LastReboot' && operation === 'Initialized'),
    `a new subscription tells how things stand: ${story}`,
  )
  const result = seen.find(isResult)
  assert.deepEqual(
    [result?.topic, result?.data.Progress, result?.data['ofd:State'], result?.data['ofd:Version']],
    [status, '1', 'Succeeded', newVersion],
  )
}

/** By our schemas, and by those of ONVIF where they are there. */
export function assertValid(answers: readonly string[]): void {
  assert.ok(
    answers.some(xml => xml.includes('PropertyOperation="Initialized"')),
    'there were messages',
  )
  for (const xml of answers) {
    assert.deepEqual(validateMessage(xml), [], xml)
    assert.deepEqual(validateMessageOfficially(xml) ?? [], [], xml)
  }
}

/** A record of strings, from the list of SimpleItems that parsers make: one item is not always in an array. */
export function itemsOf(list: unknown, fieldsOf: (item: object) => unknown): Record<string, string> {
  const all: readonly unknown[] = Array.isArray(list) ? list : list === undefined ? [] : [list]
  return Object.fromEntries(
    all.flatMap(item => {
      const fields = typeof item === 'object' && item !== null ? fieldsOf(item) : undefined
      if (typeof fields !== 'object' || fields === null || !('Name' in fields && 'Value' in fields)) return []
      return [[String(fields.Name), String(fields.Value)]]
    }),
  )
}
