import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError, OnvifFault } from '../../src/client/errors.ts'
import { connect, type OnvifClient } from '../../src/client/onvifClient.ts'
import { admin } from '../support/daemon.ts'
import { openPosting, post } from '../support/posting.ts'
import { type Random, seeded } from '../support/random.ts'
import { startVictim, type Victim } from '../support/victim.ts'
import { createImageMaker, type Kind, type KnownImage } from './images.ts'
import { isIdle, judgeFiles, judgeIdle, type Ledger, readState, Violation } from './oracle.ts'

export interface SoakOptions {
  readonly seed: number
  readonly kills: number
  /** Ends the soak before its last kill. */
  readonly minutes: number
  readonly onProgress?: (summary: SoakSummary) => void
  readonly signal?: AbortSignal
}

export interface SoakSummary {
  kills: number
  seconds: number
  /** How many of the kills struck in which state, as the journal had it. */
  readonly struck: Map<string, number>
  /** How the uploads were answered. */
  readonly answers: Map<string, number>
  /** Images that were confirmed. */
  confirmed: number
}

/** How long a device that is left alone may take until nothing is under way any more. */
const idleSecondsMax = 30
/** How long a sick image is asked again: much longer than a healthy one takes on a busy machine. */
const sickSeconds = 2
/** Restarts of one upgrade, as many as the device allows itself. */
const rebootsMax = 6

/** What one life of the device brings. All of it is drawn before, so that the seed alone decides. */
interface Plan {
  readonly kind: Kind
  readonly payloadBytes: number
  /** Where the upload breaks off; 1: it does not. */
  readonly breaksAt: number
  /** Whether it comes again with the same URI. */
  readonly comesAgain: boolean
  readonly killFrom: 'start' | 'upgrade' | 'answer'
  /** When the kill strikes, as a part of what a start, an upgrade, or the way from its answer to its end takes. */
  readonly killAt: number
}

function draw(random: Random): Plan {
  const breaks = random.fraction() < 0.15
  return {
    kind: random.pick(['good', 'good', 'good', 'good', 'good', 'good', 'sick', 'sick', 'hash', 'signature', 'truncated']),
    // Mostly small: a large one holds up the others, and only makes the states longer in which it arrives.
    payloadBytes: Math.round(65_536 * 64 ** (random.fraction() ** 2)),
    breaksAt: breaks ? random.fraction() : 1,
    comesAgain: random.fraction() < 0.6,
    killFrom: random.pick(['start', 'upgrade', 'answer']),
    killAt: random.fraction(),
  }
}

const count = (of: Map<string, number>, what: string): void => void of.set(what, (of.get(what) ?? 0) + 1)

/**
 * Upgrades a real device over and over, kills it at random moments, and looks at what it left and at how it comes back. Throws
 * Violation. Ends the device and removes its folder, whatever happens.
 */
export async function soak({ seed, kills, minutes, onProgress = () => {}, signal }: SoakOptions): Promise<SoakSummary> {
  const random = seeded(seed)
  const folder = await mkdtemp(join(tmpdir(), 'onvifd-soak-'))
  const [state, hooks, sickness] = [join(folder, 'state'), join(folder, 'hooks'), join(folder, 'sick')]
  const began = performance.now()
  const summary: SoakSummary = { kills: 0, seconds: 0, struck: new Map(), answers: new Map(), confirmed: 0 }
  const ledger: Ledger = { images: new Map(), attempt: undefined, confirmed: '1.0.0', securityEpoch: 0, ended: new Map() }
  /** Names that the device may have: two while nobody knows whether it took the last one. */
  let hostnames: string[] = []
  /** What a start and an upgrade take here and now, in milliseconds. */
  const takes = { start: 500, upgrade: 500, answer: 200 }
  const learn = (what: keyof typeof takes, ms: number): void => {
    takes[what] += (ms - takes[what]) / 4
  }
  let victim: Victim | undefined

  function start(): Victim {
    // Compiled once and kept: a start takes a third less. Only a process that ends by itself writes there.
    const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') }
    victim = startVictim({ state, env, args: ['--health-hooks', hooks, '--health-deadline', String(sickSeconds)] })
    return victim
  }

  /** The device as it answers; it is idle when this returns, and everything is as it has to be. */
  async function settled(device: Victim, client: OnvifClient): Promise<void> {
    const deadline = performance.now() + idleSecondsMax * 1000
    for (;;) {
      try {
        const { FirmwareVersion } = await client.call('GetDeviceInformation', {})
        const found = await readState(state)
        const { journal, record } = found
        if (isIdle(found, ledger) && record.images[record.confirmed]?.version === FirmwareVersion) {
          judgeFiles(found, ledger)
          if (FirmwareVersion !== ledger.confirmed) summary.confirmed += 1
          judgeIdle(found, ledger)
          break
        }
        if (performance.now() > deadline) throw new Violation(`${journal.name} with ${FirmwareVersion} running, ${idleSecondsMax} s later`)
      } catch (error) {
        // While it reboots nobody answers.
        if (!(error instanceof ClientError) || device.isDead() || performance.now() > deadline) throw error
      }
      await sleep(5)
    }
    if (device.reboots() > rebootsMax) throw new Violation(`${device.reboots()} reboots in one life`)
  }

  /** Users, passwords and settings are those that the device said it has. */
  async function settings(client: OnvifClient, next: string): Promise<void> {
    const { User = [] } = await client.call('GetUsers', {})
    const names = User.map(({ Username }) => Username).sort()
    if (names.join() !== 'admin,olga') throw new Violation(`the users are ${names}`)
    const { Name = '' } = (await client.call('GetHostname', {})).HostnameInformation
    if (!hostnames.includes(Name)) throw new Violation(`the hostname is ${Name}, and not ${hostnames.join(' or ')}`)
    hostnames = [Name, next]
    await client.call('SetHostname', { Name: next })
    hostnames = [next]
  }

  const makeImage = await mkdir(state, { recursive: true }).then(() => createImageMaker(state, seeded(seed + 1)))

  async function upgrade(client: OnvifClient, plan: Plan, image: KnownImage): Promise<void> {
    ledger.images.set(image.sha256, image)
    await (plan.kind === 'sick' ? writeFile(sickness, '') : rm(sickness, { force: true }))
    const attempt = { image, from: ledger.confirmed, answer: undefined, kills: 0 }
    ledger.attempt = attempt
    const { UploadUri } = await client.call('StartFirmwareUpgrade', {})
    if (plan.breaksAt < 1) {
      const posting = openPosting(client, UploadUri, image.bytes.length)
      await posting.write(image.bytes.subarray(0, Math.floor(plan.breaksAt * image.bytes.length)))
      posting.cut()
      count(summary.answers, 'broken off')
      if (!plan.comesAgain) return
      await sleep(20)
    }
    const answer = await post(client, UploadUri, image.bytes)
    count(summary.answers, `${answer.status} ${answer.reason}`)
    // The connection that broke may not be known to be broken yet; then it was no upgrade.
    if (answer.status !== 409) Object.assign(attempt, { answer })
  }

  /** One start, one upgrade, and a kill somewhere on the way. */
  async function live(plan: Plan, number: number): Promise<void> {
    const device = start()
    const spawned = performance.now()
    let kill = plan.killFrom === 'start' ? strike(device, plan.killAt * takes.start * 1.3) : undefined
    let client: OnvifClient | undefined
    try {
      client = connect(await device.ready, { user: admin.name, password: admin.password, timeoutMs: 10_000 })
      learn('start', performance.now() - spawned)
      await settled(device, client)
      await settings(client, `cam-${number}`)
      const image = await makeImage(plan.kind, plan.payloadBytes)
      const runs = ledger.confirmed
      const begun = performance.now()
      if (plan.killFrom === 'upgrade') kill = strike(device, plan.killAt * takes.upgrade * 1.2)
      await upgrade(client, plan, image)
      const answered = performance.now()
      kill ??= strike(device, plan.killAt * takes.answer * 1.2)
      await settled(device, client)
      if (ledger.confirmed !== runs) {
        learn('upgrade', performance.now() - begun)
        learn('answer', performance.now() - answered)
      }
    } catch (error) {
      // Once it is killed, every call fails.
      if (error instanceof Violation || !device.process.killed) throw explained(error, device)
    } finally {
      client?.close()
    }
    await kill
    await device.exited
    const found = await readState(state)
    summary.kills += 1
    count(summary.struck, device.isReady() ? found.journal.name : `${found.journal.name} (starting)`)
    if (ledger.attempt) ledger.attempt.kills += 1
    judgeFiles(found, ledger)
  }

  try {
    await mkdir(hooks)
    await writeFile(join(hooks, 'well'), `#!/bin/sh\ntest ! -e '${sickness}'\n`, { mode: 0o755 })
    hostnames = await firstLife(start(), ledger, state)
    while (summary.kills < kills && performance.now() - began < minutes * 60_000 && !signal?.aborted) {
      await live(draw(random), summary.kills)
      summary.seconds = (performance.now() - began) / 1000
      onProgress(summary)
    }
    const last = start()
    const client = connect(await last.ready, { user: admin.name, password: admin.password })
    await settled(last, client)
    await settings(client, 'cam-last')
    client.close()
    await stopped(last)
    summary.seconds = (performance.now() - began) / 1000
    return summary
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new Violation(`seed ${seed}, after kill ${summary.kills}: ${what}`, { cause: error })
  } finally {
    await victim?.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

/** A new device, left alone until it is complete. Gives its hostname. */
async function firstLife(device: Victim, { images }: Ledger, state: string): Promise<string[]> {
  const client = connect(await device.ready, { user: admin.name, password: admin.password })
  await client.call('CreateUsers', {
    User: [{ Username: 'olga', Password: randomBytes(9).toString('base64url'), UserLevel: 'Operator' }],
  })
  const { Name = '' } = (await client.call('GetHostname', {})).HostnameInformation
  client.close()
  await stopped(device)
  const { record, content } = await readState(state)
  const { version = '', sha256 = '' } = record.images.A ?? {}
  if (content.A !== sha256) throw new Violation('the factory image is not what the record says')
  images.set(sha256, { kind: 'good', version, sha256, securityEpoch: 0, bytes: Buffer.alloc(0) })
  return [Name]
}

async function stopped(device: Victim): Promise<void> {
  device.process.kill('SIGTERM')
  await device.exited
  if (device.process.exitCode !== 0) throw new Violation(`the device ended with ${device.process.exitCode}:\n${device.output()}`)
}

/** SIGKILL after so many milliseconds, to the microsecond as far as the machine lets us. */
async function strike(device: Victim, afterMs: number): Promise<void> {
  const due = performance.now() + afterMs
  if (afterMs > 2) await sleep(afterMs - 2)
  while (performance.now() < due) await new Promise(setImmediate)
  device.process.kill('SIGKILL')
}

function explained(error: unknown, device: Victim): Error {
  if (error instanceof Violation) return error
  const what = error instanceof OnvifFault ? `the device answers with a fault: ${error.message}` : String(error)
  return new Violation(`${what}\n${device.output().split('\n').slice(-30).join('\n')}`, { cause: error })
}
