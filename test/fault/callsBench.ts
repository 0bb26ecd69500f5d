import { existsSync } from 'node:fs'
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assertNoLeftovers } from '../soak/leftovers.ts'
import { Violation } from '../soak/oracle.ts'
import { eventually } from '../support/daemon.ts'
import { startVictim, type Victim } from '../support/victim.ts'
import { equippedFlags } from '../support/writers.ts'
import { oneWorker } from './traced.ts'

/** How a device is started, besides what all of them have. */
export interface Manner {
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** A device on a folder, which is started, killed and put back as often as somebody wants. */
export class Bench {
  readonly #root: string
  readonly state: string
  /** Of all starts but those that are watched from their first moment: milliseconds until the device answered. */
  readonly starts: number[] = []
  #victim: Victim | undefined
  manner: Manner = {}
  url = ''

  constructor(root: string) {
    this.#root = root
    this.state = join(root, 'state')
  }

  get pid(): number {
    return this.#victim?.process.pid ?? 0
  }

  isDead = (): boolean => this.#victim?.isDead() ?? true
  /** Not by itself, but by somebody's SIGKILL. */
  isKilled = (): boolean => this.#victim?.process.signalCode === 'SIGKILL'
  output = (): string => this.#victim?.output() ?? ''
  ups = (): number => this.#victim?.ups() ?? 0
  madePassword = (): string | undefined => this.#victim?.madePassword()

  #spawn(isHeld: boolean): Victim {
    const { args = [], env = {} } = this.manner
    const all = { ...oneWorker, NODE_COMPILE_CACHE: join(this.#root, 'compiled'), ...env }
    this.#victim = startVictim({ state: this.state, args: [...equippedFlags, '--discovery', 'off', ...args], env: all, isHeld })
    return this.#victim
  }

  /** A new device answers before it has made its CA. */
  #settled = (): Promise<void> => eventually(() => assertNoLeftovers(this.state), 5)

  async start(): Promise<void> {
    const spawned = performance.now()
    this.url = await this.#spawn(false).ready
    this.starts.push(performance.now() - spawned)
    await this.#settled()
  }

  /** It has its process id, and does nothing yet. */
  hold = (): void => void this.#spawn(true)

  /** Resolves when the one that was held is up, or has ended. */
  async letGo(): Promise<void> {
    const held = this.#victim
    held?.letGo()
    this.url = (await held?.ready.catch(() => '')) ?? ''
    if (this.url === '') await held?.exited
    // The last that a first start does, while it answers already.
    const hasMadeCa = () => existsSync(join(this.state, 'firmware-ca')) || this.output().includes('firmware CA cannot be read')
    await eventually(async () => {
      if (!this.isDead() && !hasMadeCa()) throw new Violation('it has made no CA')
    })
  }

  /** Ends it by itself, so that what it compiled is kept. */
  async stop(): Promise<void> {
    this.#victim?.process.kill('SIGTERM')
    await this.#victim?.exited
  }

  kill = async (): Promise<void> => void (await this.#victim?.kill())
  exited = async (): Promise<void> => void (await this.#victim?.exited)

  async keep(name: string): Promise<void> {
    await rm(join(this.#root, name), { recursive: true, force: true })
    await cp(this.state, join(this.#root, name), { recursive: true })
  }

  async putBack(name: string): Promise<void> {
    await this.empty()
    await cp(join(this.#root, name), this.state, { recursive: true })
  }

  async empty(): Promise<void> {
    await rm(this.state, { recursive: true, force: true })
    await mkdir(this.state)
  }
}
