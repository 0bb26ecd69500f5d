import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { connect } from '../../src/client/onvifClient.ts'
import { startCutter } from '../client/cutter.ts'
import { startStandIn } from '../client/standIn.ts'
import { admin, buildImage, type Daemon, eventually, onvifd, startDaemon } from '../support/daemon.ts'

const login = { env: { ONVIFD_PASSWORD: admin.password } }
const firmware = (order: string, url: string, ...more: string[]) => onvifd(['firmware', order, url, '--user', admin.name, ...more], login)

const runningVersion = async ({ url }: Daemon) => {
  const client = connect(url, { user: admin.name, password: admin.password })
  try {
    return (await client.call('GetDeviceInformation', {})).FirmwareVersion
  } finally {
    client.close()
  }
}

/** Rejects as long as the status does not say so. */
async function isIn(state: RegExp, { url }: Daemon): Promise<void> {
  const { stdout, stderr } = await firmware('status', url)
  assert.match(stdout, state, stderr)
}

test('a person sees an upgrade through: activate, watch, confirm, history', { timeout: 120_000 }, async t => {
  const daemon = await startDaemon(t, ['--activate', 'manual', '--confirm', 'operator'])
  const image = await buildImage(t, daemon.state, '1.1.0')
  const before = await firmware('status', daemon.url)
  assert.equal(before.code, 0, before.stderr)
  assert.match(before.stdout, /^State +No upgrade is under way$/m)
  assert.match(before.stdout, /^Boot record +whole$/m)
  assert.match(before.stdout, /^Slot +Version +Now +Next boot +Confirmed +Tries left$/m)
  assert.match(before.stdout, /^A +1\.0\.0 +runs +next +yes +3$/m)
  assert.match(before.stdout, /^B +no image +no +0$/m)
  assert.equal((await firmware('history', daemon.url)).stdout, 'No upgrade has ended here yet\n')

  const upgraded = await onvifd(['upgrade', daemon.url, image, '--user', admin.name], login)
  assert.equal(upgraded.code, 0, upgraded.stderr)
  const transaction =
    /Installed \(transaction (\w{26})\)\. To restart into it: onvifd firmware activate http/.exec(upgraded.stdout)?.[1] ?? ''
  assert.notEqual(transaction, '', upgraded.stdout)
  assert.equal(await runningVersion(daemon), '1.0.0')

  const { promise: isWatching, resolve: onOutput } = Promise.withResolvers<void>()
  const watching = onvifd(['firmware', 'status', daemon.url, '--user', admin.name, '--watch'], { ...login, onOutput })
  await isWatching
  const activated = await firmware('activate', daemon.url, '--json')
  assert.equal(activated.code, 0, activated.stderr)
  const receipt: unknown = JSON.parse(activated.stdout)
  assert.deepEqual(receipt, { transaction, message: 'activated, the device restarts' })
  await eventually(() => isIn(/^State +The new image runs on trial$/m, daemon))
  const onTrial = await firmware('status', daemon.url)
  assert.match(onTrial.stdout, /^Waits for +.*administrator/m)
  assert.match(onTrial.stdout, new RegExp(`^Transaction +${transaction}$`, 'm'))
  assert.match(onTrial.stdout, /^A +1\.0\.0 +yes +3$/m)
  assert.match(onTrial.stdout, /^B +1\.1\.0 +runs +next +no +\d$/m)

  const confirmed = await firmware('confirm', daemon.url)
  assert.equal(confirmed.code, 0, confirmed.stderr)
  assert.match(confirmed.stdout, new RegExp(`^The device says: \\w.*\\(transaction ${transaction}\\)\\n$`))
  const watched = await watching
  assert.equal(watched.code, 0, watched.stderr)
  assert.match(watched.stdout, /^The new image runs on trial \(image 1\.1\.0\); it waits for .*administrator/m)
  assert.match(watched.stdout, /^Ended: 1\.0\.0 → 1\.1\.0 succeeded$/m)
  assert.match(watched.stdout, /^B +1\.1\.0 +runs +next +yes/m)
  const onTrialLines = watched.stdout.match(/^.*runs on trial.*$/gm)?.map(line => line.replace(/\d+/g, '#')) ?? []
  assert.equal(new Set(onTrialLines).size, onTrialLines.length, 'what is left of a deadline is no news')

  const again = await firmware('confirm', daemon.url)
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^onvifd: no image is on trial: Idle\n$/)
})

test('an upgrade tells that it was rolled back, and why; so does the history, newest first', { timeout: 120_000 }, async t => {
  const daemon = await startDaemon(t, ['--confirm', 'operator'])
  const images = [await buildImage(t, daemon.state, '1.1.0'), await buildImage(t, daemon.state, '1.2.0')]
  const outcomes: { readonly code: number | null; readonly stdout: string; readonly stderr: string }[] = []
  for (const [index, order] of (['confirm', 'rollback'] as const).entries()) {
    const upgrading = onvifd(['upgrade', daemon.url, images[index] ?? '', '--user', admin.name], login)
    await eventually(() => isIn(/^State +The new image runs on trial$/m, daemon))
    assert.equal((await firmware(order, daemon.url)).code, 0)
    outcomes.push(await upgrading)
  }
  const [kept, refused] = outcomes
  assert.equal(kept?.code, 0, kept?.stderr)
  assert.match(kept.stdout, /^The new image runs on trial \(image 1\.1\.0\); it waits for .*administrator/m)
  assert.match(kept.stdout, /\nConfirmed: the new image is kept \(transaction \w{26}\)\nFirmware 1\.0\.0 → 1\.1\.0\n$/)
  assert.equal(refused?.code, 1)
  assert.match(refused.stdout, /\nGiven up \(transaction \w{26}\)\nFirmware 1\.1\.0 → 1\.1\.0\n$/)
  assert.equal(refused.stderr, 'onvifd: the device went back to 1.1.0: an administrator did not want it: given up by admin\n')
  assert.equal(await runningVersion(daemon), '1.1.0')

  const history = await firmware('history', daemon.url)
  const lines = history.stdout.split('\n')
  assert.match(lines[0] ?? '', /^Ended +From +To +Result +By +Took +Transaction$/)
  assert.match(lines[1] ?? '', /^20\S+ +1\.1\.0 +1\.2\.0 +rolled back, .*given up by admin +admin from 127\.0\.0\.1 +\d+ s +\w{26}$/)
  assert.match(lines[2] ?? '', /^20\S+ +1\.0\.0 +1\.1\.0 +succeeded +admin from 127\.0\.0\.1/)
  const json: unknown = JSON.parse((await firmware('history', daemon.url, '--json')).stdout)
  assert.ok(Array.isArray(json))
  assert.deepEqual(
    json.map(({ to, failure }) => [to, failure?.reason]),
    [
      ['1.2.0', 'rejected'],
      ['1.1.0', undefined],
    ],
  )
  assert.match(
    (await firmware('status', daemon.url)).stdout,
    /^Last upgrade +1\.1\.0 → 1\.2\.0 rolled back, .*given up by admin, 20.*Z, by admin$/m,
  )
})

test('an upload that waits is aborted', { timeout: 60_000 }, async t => {
  const daemon = await startDaemon(t)
  const started = await onvifd(['call', daemon.url, 'StartFirmwareUpgrade', '--user', admin.name], login)
  assert.equal(started.code, 0, started.stderr)
  assert.match((await firmware('status', daemon.url)).stdout, /^Waits for +the upload$/m)
  assert.match((await firmware('abort', daemon.url)).stdout, /^The device says: aborted \(transaction \w{26}\)\n$/)
  assert.match((await firmware('status', daemon.url)).stdout, /^State +No upgrade is under way$/m)
  assert.match((await onvifd(['firmware', 'status', daemon.url])).stderr, /^onvifd: the device wants a log-in: add --user NAME\n$/)
})

/** What an onvifd says that has seen better days. */
const sick = {
  state: 'Recovery',
  receivedBytes: 0,
  waitingFor: 'an upload, or an administrator',
  engine: 'builtin',
  record: 'lost',
  slots: [{ id: 'A\u001b[31m', running: true, confirmed: false, next: true, version: '1.0.0', triesLeft: 0 }],
  last: {
    transaction: '01HX',
    user: 'eve\n',
    from: '1.0.0',
    to: '1.1.0',
    at: '2026-01-02T03:04:05.000Z',
    failure: { reason: 'boot', detail: 'the new image never came up' },
  },
}

const asJson = (response: ServerResponse, status: number, value: unknown) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const says = (t: TestContext, status: number, value: unknown) => startStandIn(t, (_, response) => asJson(response, status, value))

test('a damaged boot record is said plainly, and nothing steers the terminal', async t => {
  const lost = await onvifd(['firmware', 'status', (await says(t, 200, sick)).url])
  assert.equal(lost.code, 0, lost.stderr)
  assert.match(lost.stdout, /^State +The boot record is lost: an upload, or `firmware confirm`/m)
  assert.match(lost.stdout, /^Boot record +LOST, both copies are damaged/m)
  assert.match(lost.stdout, /^Last upgrade +1\.0\.0 → 1\.1\.0 rolled back, it did not boot: the new image never came up, 2026-.* by eve$/m)
  assert.doesNotMatch(lost.stdout, /\u001b/)
  const half = await onvifd(['firmware', 'status', (await says(t, 200, { ...sick, record: 'half', state: 'Newer', percent: 41.6 })).url])
  assert.match(half.stdout, /^Boot record +one of its two copies is DAMAGED/m)
  assert.match(half.stdout, /^State +Newer, 42% done$/m, 'a state that this version does not know')
})

test('a watched upgrade that fails ends with 1, and --json leaves only JSON', async t => {
  const { last: _, ...armed } = { ...sick, state: 'Transfer', transaction: '01HX', record: 'whole', receivedBytes: 5, expectedBytes: 10 }
  let asked = 0
  const { url } = await startStandIn(t, ({ request }, response) => {
    if (request.url?.endsWith('/history')) asJson(response, 200, [sick.last])
    else if (++asked === 3) request.socket.destroy()
    else asJson(response, 200, asked < 5 ? armed : { ...armed, state: 'Idle', transaction: undefined, last: sick.last })
  })
  const { code, stdout, stderr } = await onvifd(['firmware', 'status', url, '--watch', '--json'])
  assert.equal(code, 1)
  assert.equal(stderr, 'onvifd: the upgrade failed: it did not boot: the new image never came up\n')
  const report: unknown = JSON.parse(stdout)
  assert.ok(typeof report === 'object' && report !== null && 'state' in report)
  assert.equal(report.state, 'Idle')
})

test('a device that does not come back is given up', async t => {
  let asked = 0
  const { url } = await startStandIn(t, ({ request }, response) => {
    if (++asked > 1) request.socket.destroy()
    else asJson(response, 200, { ...sick, state: 'Rebooting', transaction: '01HX' })
  })
  const { code, stderr } = await onvifd(['firmware', 'status', url, '--watch', '--wait', '0.5'])
  assert.equal(code, 1)
  assert.match(stderr, /^onvifd: the device is not back after /)
})

test('a device without this door is told from one that refuses', async t => {
  const stranger = await startStandIn(t, (_, response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no</h1>'))
  for (const order of ['status', 'confirm', 'history']) {
    const { code, stdout, stderr } = await onvifd(['firmware', order, stranger.url])
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^onvifd: this device is no onvifd that can be asked for its upgrades \(\/onvif\/firmware\S* gave HTTP 404 Not Found\)/,
    )
  }
  const refusing = await says(t, 409, { reason: 'state', message: 'no image is\u0007 on trial: Idle' })
  assert.equal((await onvifd(['firmware', 'rollback', refusing.url])).stderr, 'onvifd: no image is on trial: Idle\n')
  const [{ request, body } = assert.fail()] = refusing.asked
  assert.deepEqual(
    [request.method, request.url, request.headers['content-type'], body],
    ['POST', '/onvif/firmware/rollback', 'application/json', '{}'],
  )
  const odd = await says(t, 200, { ...sick, slots: 'none' })
  assert.match(
    (await onvifd(['firmware', 'status', odd.url])).stderr,
    /^onvifd: the device tells of its firmware in a form that is not known: a list is missing\n$/,
  )
})

test('an upload over a network that breaks it twice arrives, and is installed once', { timeout: 120_000 }, async t => {
  const daemon = await startDaemon(t)
  const image = await buildImage(t, daemon.state, '1.3.0', 24_000_000)
  const network = await startCutter(t, Number(new URL(daemon.origin).port), [2_000_000, 9_000_000])
  const upgraded = await onvifd(['upgrade', network.origin, image, '--user', admin.name], login)
  assert.equal(upgraded.code, 0, upgraded.stderr)
  assert.equal(daemon.output().match(/"firmware upload|firmware upload \{/g)?.length, 3, daemon.output())
  // A reset takes along what the device had not read yet: how far it was depends on how fast it is.
  assert.match(daemon.output(), /"range":\{"firstByte":[1-9]\d*,"totalBytes":\d+\}/)
  const history: unknown = JSON.parse((await firmware('history', daemon.url, '--json')).stdout)
  assert.ok(Array.isArray(history) && history.length === 1)
  assert.equal(await runningVersion(daemon), '1.3.0')
})
