import { limits } from '../../src/limits.ts'
import type { Login } from '../support/device.ts'
import type { Random } from '../support/random.ts'
import { addressOf, type Credentials, digestOf, send, tokenOf } from './client.ts'
import type { Life } from './life.ts'
import { type Machine, Violation } from './machine.ts'
import type { Settings } from './model.ts'

/** A log-in that was taken, as somebody who listened has it. */
interface Used {
  readonly credentials: Credentials
  /** By the clock of the device. */
  readonly takenMs: number
  /** How many journals of tokens had lacked some by then. */
  readonly losses: number
}

/** Who may log in, and with what nobody may any more. */
export class Logins {
  readonly #random: Random
  readonly #machine: Machine
  readonly #wait: (work: Promise<unknown>) => Promise<unknown>
  readonly #used: Used[] = []
  /** Every password that a user ever had. */
  readonly #passwords = new Map<string, Set<string>>()

  /** `wait` lets the clock of the machine go on as long as something takes. */
  constructor(random: Random, machine: Machine, wait: (work: Promise<unknown>) => Promise<unknown>) {
    this.#random = random
    this.#machine = machine
    this.#wait = wait
  }

  get #life(): Life {
    if (this.#machine.life === undefined) throw new Violation('the device is down')
    return this.#machine.life
  }

  /** For one request, by a client whose clock goes right, or a little wrong, or as wrong as a device takes it. */
  async of(login: Login): Promise<Credentials> {
    const random = this.#random
    if (random.fraction() < 0.3) return digestOf(this.#life, login, random)
    const most = random.pick([0, 0, limits.tokenAheadMs, limits.tokenWindowMs - 1_000] as const)
    return tokenOf(this.#life, login, random, random.whole(-most, most))
  }

  taken(credentials: Credentials): void {
    this.#used.push({ credentials, takenMs: this.#life.now().getTime(), losses: this.#machine.lossesMs.length })
  }

  /** By HTTP Digest always; by a token unless the clock was set back to where the tokens of before a power cut are. */
  async takes(login: Login): Promise<boolean> {
    const credentials = await this.of(login)
    if (await this.#accepts(credentials)) {
      this.taken(credentials)
      return true
    }
    return this.isExcused(credentials) && this.#accepts(await digestOf(this.#life, login, this.#random))
  }

  /** Whether a new token may be refused: it could be one of those that a power cut took (tokenMemory.ts). */
  isExcused(credentials: Credentials): boolean {
    const { lossesMs } = this.#machine
    if (!('header' in credentials) || lossesMs.length === 0) return false
    const isNear = (ms: number) => Math.abs(ms - credentials.createdMs) <= 3 * limits.tokenWindowMs
    return [...lossesMs, ...this.#used.map(({ takenMs }) => takenMs)].some(isNear)
  }

  async #accepts(credentials: Credentials): Promise<boolean> {
    // READ_SYSTEM: every level may.
    const asking = send(this.#life, '<tds:GetScopes/>', credentials, addressOf(this.#random))
    await this.#wait(asking)
    return (await asking).status === 200
  }

  /** Somebody logs in with what he has, or tries what he had, or what he has heard. */
  async judge({ users }: Settings): Promise<void> {
    const random = this.#random
    for (const [name, { password }] of users) this.#passwords.set(name, (this.#passwords.get(name) ?? new Set()).add(password))
    const which = random.whole(1, 3)
    if (which === 1) await this.#judgePresent(users)
    if (which === 2) await this.#judgeOld(users)
    if (which === 3) await this.#judgeReplay()
  }

  async #judgePresent(users: Settings['users']): Promise<void> {
    const [name, { password }] = [...users][this.#random.whole(0, users.size - 1)] ?? ['', { password: '' }]
    if (!(await this.takes({ name, password }))) throw new Violation(`${name} cannot log in any more`)
  }

  async #judgeOld(users: Settings['users']): Promise<void> {
    const known = [...this.#passwords].flatMap(([of, all]) => [...all].map(each => ({ name: of, password: each })))
    const old = known.filter(login => users.get(login.name)?.password !== login.password)
    const tried = old[this.#random.whole(0, old.length - 1)]
    if (tried && (await this.#accepts(await this.of(tried)))) throw new Violation(`${tried.name} logs in with an old password`)
  }

  async #judgeReplay(): Promise<void> {
    const replayed = this.#used[this.#random.whole(0, this.#used.length - 1)]
    if (replayed === undefined) return
    // Nothing tells a device that its clock was set back if nobody logs in before the power goes; only then a token may come again.
    const wasSetBack = (lossMs: number) => replayed.takenMs >= lossMs && replayed.takenMs <= lossMs + limits.tokenWindowMs
    if ('header' in replayed.credentials && this.#machine.lossesMs.slice(replayed.losses).some(wasSetBack)) return
    if (await this.#accepts(replayed.credentials)) throw new Violation('a log-in was taken a second time')
  }
}
