import { UploadRefusal, type UploadTarget } from '../../src/device/upload.ts'
import { limits } from '../../src/limits.ts'
import type { Outcome } from '../fault/simulatedStorage.ts'
import type { Random } from '../support/random.ts'
import { type Answer, addressOf, type Credentials, send } from './client.ts'
import { drawFault, type Fault, nameOf, never } from './faults.ts'
import type { SimulatedImage } from './images.ts'
import type { Life } from './life.ts'
import { Logins } from './logins.ts'
import { factory, firstPassword, Machine, type Mistake, Violation } from './machine.ts'
import { observe, type Settings, textOf } from './model.ts'
import { turns } from './time.ts'

/** An image on its way, until the device has decided. */
interface Pending {
  readonly image: SimulatedImage
  /** The settings as they may have been kept for the old slot. */
  readonly kept: readonly Settings[]
  isAcknowledged: boolean
}

/** Starts in a row until the device answers: more is a device that restarts for ever. */
const startsMax = 16
/** Operations on the disk that one start may take, the end of an upgrade included. */
const startOperationsMax = 200

/** A device, what its clients know of it, and the rules that always hold between the two. */
export class Simulation {
  readonly random: Random
  readonly machine: Machine
  readonly trace: string[] = []
  /** The settings, of which there may be several as long as an answer is missing. */
  possible: readonly Settings[] = []
  readonly confirmed = { image: factory, epoch: 0 }
  pending: Pending | undefined
  readonly logins: Logins
  factorySettings: Settings | undefined
  /** Whether the device had a reason for a failure since the last step began. */
  isStruck = false

  constructor(random: Random, room: string, mistake: Mistake = {}) {
    this.random = random
    this.machine = new Machine(room, mistake)
    this.logins = new Logins(random, this.machine, work => this.outcome(work))
  }

  note(text: string): void {
    this.trace.push(text)
  }

  get life(): Life {
    if (this.machine.life === undefined) throw new Violation('the device is down')
    return this.machine.life
  }

  get settings(): Settings {
    const [settings] = this.possible
    if (settings === undefined) throw new Violation('nobody knows the settings')
    return settings
  }

  get isGone(): boolean {
    return this.machine.nemesis.isGone
  }

  arm(fault: Fault | undefined): void {
    if (fault) this.note(`    fault: ${nameOf(fault)}`)
    this.machine.nemesis.set(fault)
  }

  /** Waits as long as it takes by the clock of the machine. Undefined where the process died. */
  async outcome<T>(work: Promise<T>): Promise<{ readonly value: T } | undefined> {
    const { nemesis } = this.machine
    let end: { readonly value: T } | { readonly error: unknown } | undefined
    work.then(
      value => {
        end = { value }
      },
      error => {
        end = { error }
      },
    )
    for (let waits = 0; waits < 2_000; waits += 1) {
      for (let turn = 0; turn < 12 && end === undefined && !nemesis.isGone; turn += 1) await turns(1)
      if (nemesis.isGone) return undefined
      if (end) {
        if ('error' in end) throw end.error
        return end
      }
      if (!(await this.machine.time.next())) break
    }
    throw new Violation('something waits for ever')
  }

  /** The first start, and what the factory set. */
  async begin(): Promise<void> {
    await this.up()
    const found = await observe(this.life)
    const { name, ...others } = { name: 'admin', level: 'Administrator', password: firstPassword } as const
    const [[first, { level, password }] = ['', others], ...rest] = [...found.users]
    if (rest.length > 0 || first !== name || level !== others.level || password !== others.password)
      throw new Violation('a new device has other users than its first one')
    this.factorySettings = found
    this.possible = [found]
    await this.judge()
  }

  /** A last restart that nothing disturbs. */
  async end(): Promise<void> {
    await this.down()
    await this.up()
    await this.judge()
    for (const [name, { password }] of this.settings.users)
      if (!(await this.logins.takes({ name, password }))) throw new Violation(`${name} cannot log in any more`)
    await this.down()
    this.machine.judgeFiles()
    this.note(`  in the end, the disk is ${this.machine.disk.digest()}`)
  }

  /** From any state to a device that answers and has nothing left to do. */
  async up(): Promise<void> {
    for (let starts = 0; starts < startsMax; starts += 1) {
      if (await this.#start()) return this.#judgeStart()
      // Bad luck comes in rows, but not for ever.
      this.arm(starts < 3 && this.random.fraction() < 0.4 ? drawFault(this.random) : undefined)
    }
    throw new Violation('the device restarts for ever')
  }

  /** False where it has to be started again. */
  async #start(): Promise<boolean> {
    const { machine } = this
    try {
      const life = await this.outcome(machine.start())
      if (life?.value) {
        const { firmware, resume } = life.value
        await this.outcome(resume())
        // A trial goes on behind the start; what waits for the disk does so for as long as that takes nothing.
        while (!this.isGone && machine.reboots.length === 0 && !/^(?:Idle|Failed)$/.test(firmware.status().state)) {
          if (await machine.time.next()) continue
          if (!machine.nemesis.hasStruck) throw new Violation(`the device stays in ${firmware.status().state}`)
          // What could not be written is written by the next start.
          machine.reboots.push('by hand')
        }
        const { operations } = machine.nemesis
        if (operations > startOperationsMax) throw new Violation(`a start took ${operations} operations on the disk`)
      }
    } catch (error) {
      if (error instanceof Violation || !machine.nemesis.hasStruck) throw error
      this.note(`    the start failed: ${error instanceof Error ? error.message : error}`)
      machine.nemesis.kill('kept', 'kill')
    }
    this.#strike()
    if (this.isGone) {
      this.note('    died while it started')
      machine.revive()
      return false
    }
    if (machine.life === undefined) {
      this.note('    the image does not come up')
      machine.nemesis.kill('kept', 'power cut')
      machine.revive()
      return false
    }
    if (machine.reboots.length === 0) return true
    this.note(`    restarts: ${machine.reboots}`)
    await this.down()
    return false
  }

  #strike(): void {
    this.isStruck ||= this.machine.nemesis.hasStruck
  }

  /** A clean end, or one that a fault cuts short. */
  async down(): Promise<void> {
    await this.outcome(this.machine.stop())
    this.#strike()
    if (this.isGone) this.machine.revive()
  }

  /** The process ends where it is. */
  die(outcome: Outcome, kind: 'power cut' | 'kill'): void {
    this.machine.nemesis.kill(outcome, kind)
  }

  /** After a step: the restart that it ordered, or the one that its death needs; then every rule. */
  async settle(): Promise<void> {
    const { machine } = this
    this.#strike()
    if (this.isGone || machine.reboots.length > 0) {
      if (this.isGone) machine.revive()
      else await this.down()
      await this.up()
    }
    machine.nemesis.set(undefined)
    // The boot record could not be taken back, and can be now.
    if (this.life.firmware.status().state === 'Failed') {
      this.note('    gives the image up later')
      await machine.time.pass(limits.discardRetryMs)
      if (this.life.firmware.status().state !== 'Idle') throw new Violation('an image is not given up')
    }
    await this.judge()
    this.isStruck = false
  }

  /** What runs, and whose settings it runs on. */
  async #judgeStart(): Promise<void> {
    const { booted } = this.machine
    const { pending, confirmed } = this
    this.note(`    up: ${booted.version} ${booted.nature}, ${(this.machine.time.utcMs / 1000).toFixed(3)}`)
    if (pending === undefined) {
      if (booted !== confirmed.image) throw new Violation(`${booted.version} ${booted.nature} runs, nobody installed it`)
      return
    }
    this.pending = undefined
    if (booted === pending.image && booted !== confirmed.image) {
      if (booted.nature !== 'good') throw new Violation(`a ${booted.nature} image was kept`)
      Object.assign(confirmed, { image: booted, epoch: Math.max(confirmed.epoch, booted.epoch) })
      return
    }
    if (booted !== confirmed.image) throw new Violation(`${booted.version} runs, which is neither the old image nor the new one`)
    if (booted === pending.image) Object.assign(confirmed, { epoch: Math.max(confirmed.epoch, booted.epoch) })
    else if (pending.isAcknowledged && pending.image.nature === 'good' && !this.isStruck) throw new Violation('a good image was given up')
    this.possible = [...this.possible, ...pending.kept]
  }

  /** The rules that hold whenever nothing is under way. */
  async judge(): Promise<void> {
    const { life } = this
    const observed = await observe(life)
    const found = this.possible.find(settings => textOf(settings) === textOf(observed))
    if (found === undefined) throw new Violation(`the settings are ${textOf(observed)}, and not ${this.possible.map(textOf).join(' or ')}`)
    this.possible = [found]
    const slots = await life.backend.slots()
    const running = slots.filter(slot => slot.running)
    const trials = slots.filter(slot => !slot.confirmed && (slot.running || slot.next))
    const { state } = life.firmware.status()
    if (running.length !== 1) throw new Violation(`${running.length} slots run`)
    if (state === 'Idle' && (trials.length > 0 || !running[0]?.confirmed || !running[0].next))
      throw new Violation(`idle, with slots ${JSON.stringify(slots)}`)
    if (trials.length > 1) throw new Violation('two slots are on trial')
    await this.logins.judge(found)
    if (life !== this.machine.life) throw new Violation('the device restarted by itself')
  }

  /** Of an Administrator, for one request. */
  async credentials(): Promise<Credentials> {
    const admins = [...this.settings.users].filter(([, { level }]) => level === 'Administrator')
    const [name, { password }] = admins[this.random.whole(0, admins.length - 1)] ?? ['', { password: '' }]
    return this.logins.of({ name, password })
  }

  /** Asks as an Administrator. Undefined where the device died before it answered. */
  async ask(body: string, given?: Credentials): Promise<Answer | undefined> {
    const credentials = given ?? (await this.credentials())
    const answer = await this.outcome(send(this.life, body, credentials, addressOf(this.random)))
    if (answer?.value.status === 200 && this.machine.life) this.logins.taken(credentials)
    // What a power cut may have taken is not taken: HTTP Digest is the way out.
    if (answer?.value.reason === 'Sender/NotAuthorized' && this.logins.isExcused(credentials) && given === undefined) return this.ask(body)
    return answer?.value
  }

  /** What follows an answer that has left. */
  async act({ afterReply }: Answer): Promise<void> {
    try {
      await this.outcome(afterReply())
    } catch (error) {
      // It is in the log, and nobody is left who could be told.
      if (error instanceof Violation || !this.machine.nemesis.hasStruck) throw error
    }
  }

  /** Sends a file as the HTTP door passes it on. Undefined where the device died. */
  async upload(target: UploadTarget, ticket: string, bytes: Buffer, how: Sending): Promise<Answer | undefined> {
    const { random } = this
    const hangUp = new AbortController()
    const simulation = this
    const total = bytes.length
    const from = how.from ?? 0
    let violation: unknown
    let meanwhile: Promise<void> | undefined
    async function* body(): AsyncGenerator<Buffer, void, undefined> {
      for (let offset = from, piece = 0; offset < total; piece += 1) {
        if (piece === how.between?.piece) {
          meanwhile = how.between.act().catch(error => {
            violation = error
          })
          await meanwhile
        }
        if (simulation.isGone) await never()
        const size = Math.min(how.pieceBytes, total - offset)
        if (how.hangsUpAt !== undefined && offset + size > how.hangsUpAt) {
          if (how.isSilent) await never()
          hangUp.abort(new UploadRefusal(400, 'lost', 'the connection broke'))
          throw hangUp.signal.reason
        }
        // A copy, which the device may keep or give away.
        yield Buffer.from(bytes.subarray(offset, offset + size))
        offset += size
      }
    }
    const request = {
      ticket,
      lengthBytes: total - from,
      ...(from > 0 && { range: { firstByte: from, totalBytes: total } }),
      user: 'admin',
      remoteAddress: addressOf(random),
      signal: hangUp.signal,
    }
    async function receive(): Promise<Answer> {
      try {
        target.admit(request)
        const { message, afterReply } = await target.receive(request, body())
        return { status: 200, reason: '', text: message, afterReply }
      } catch (error) {
        const { status, reason } = error instanceof UploadRefusal ? error : { status: 500, reason: 'io' }
        return { status, reason, text: String(error), async afterReply() {} }
      }
    }
    const answer = (await this.outcome(receive()))?.value
    await meanwhile
    if (violation !== undefined) throw violation
    return answer
  }
}

/** How a client sends a file. */
export interface Sending {
  readonly pieceBytes: number
  /** From this byte on: the rest of an upload that broke off. */
  readonly from?: number
  /** The connection breaks before this byte … */
  readonly hangsUpAt?: number | undefined
  /** … or stays, and nothing comes any more. */
  readonly isSilent?: boolean
  /** What another client does before this piece. */
  readonly between?: { readonly piece: number; act(): Promise<void> } | undefined
}
