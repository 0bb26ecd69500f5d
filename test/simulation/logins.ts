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
  /** When it was made, by the clock of the device. */
  readonly createdMs: number
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

  /** For one request. */
  async of(login: Login): Promise<Credentials> {
    return this.#random.fraction() < 0.3 ? digestOf(this.#life, login, this.#random) : tokenOf(this.#life, login, this.#random)
  }

  taken(credentials: Credentials): void {
    this.#used.push({ credentials, createdMs: this.#life.now().getTime() })
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
    const nowMs = this.#life.now().getTime()
    const { lossesMs } = this.#machine
    const isNear = (ms: number) => Math.abs(ms - nowMs) <= 2 * limits.tokenWindowMs
    return 'header' in credentials && lossesMs.length > 0 && [...lossesMs, ...this.#used.map(({ createdMs }) => createdMs)].some(isNear)
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
    // A power cut may take a token that was made ahead of the next start: the clock of its client was, or that of the device went back.
    const isAhead = (lossMs: number) => replayed && replayed.createdMs >= lossMs && replayed.createdMs <= lossMs + limits.tokenWindowMs
    if (replayed && 'header' in replayed.credentials && this.#machine.lossesMs.some(isAhead)) return
    if (replayed && (await this.#accepts(replayed.credentials))) throw new Violation('a log-in was taken a second time')
  }
}
