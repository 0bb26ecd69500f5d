import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { appSequenceDocument, parseAppSequence } from '../../src/device/appSequence.ts'
import { carryDocuments, type Store } from '../../src/device/store.ts'
import type { Storage } from '../../src/platform/platform.ts'
import { openReplayFile } from '../../src/platform/replayFile.ts'
import { loadBootRecord, type Slot, slotFile } from '../../src/platform/slots/bootRecord.ts'
import { openStoreFile, readStoreFile } from '../../src/platform/storeFile.ts'
import { clockDocument, parseClockOffset } from '../../src/platform/virtual/clock.ts'
import { factoryContent, sha256 } from '../device/firmware/workbench.ts'
import { type Outcome, SimulatedStorage } from '../fault/simulatedStorage.ts'
import { faultyStorage, Nemesis, watchSettings } from './faults.ts'
import { images, type SimulatedImage } from './images.ts'
import { type Life, places, type Surroundings, start } from './life.ts'
import { Time } from './time.ts'

/** The device does what it must never do. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** A mistake that somebody could make, put between the device and its ports; what is not named is as shipped. */
export interface Mistake {
  readonly storage?: (disk: SimulatedStorage) => Storage
  readonly around?: (around: Surroundings) => Surroundings
  readonly life?: (life: Life) => Life
}

export const factory: SimulatedImage = { version: '1.0.0', nature: 'good', epoch: 0, sha256: sha256(factoryContent), bytes: factoryContent }
export const firstPassword = 'Factory-made-1'
const key = Buffer.alloc(32, 'key of a simulated device')
const databaseSuffixes = ['', '-wal'] as const
/** In memory where the system has such a folder: SQLite syncs every change. */
const shared = '/dev/shm'

export interface MachineState {
  readonly disk: SimulatedStorage
  readonly files: ReadonlyMap<string, Buffer>
}

/** The files that SQLite and the journal of tokens need, which no port leads to. */
export function makeRoom(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(existsSync(shared) ? shared : tmpdir(), 'onvifd-simulation-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * A machine over its lives: what it holds while it is off, and what of that survives a power cut. A kill takes the process alone. Of
 * the settings SQLite loses nothing once a change is done; of the tokens, which are not synced, a power cut takes the last ones.
 */
export class Machine {
  readonly time = new Time()
  readonly #room: string
  readonly #mistake: Mistake
  disk = new SimulatedStorage()
  nemesis: Nemesis
  life: Life | undefined
  /** Resolves when the process ends without being asked. */
  died: Promise<void> = Promise.resolve()
  /** The orders to restart of this life. */
  reboots: string[] = []
  /** What was booted last. */
  booted: SimulatedImage = factory
  /** How many bytes of the journal of tokens a power cut takes: drawn by the schedule. */
  tokensLost = 0
  /** When lives began, by the clock of the device, whose journal of tokens may lack some. */
  readonly lossesMs: number[] = []
  #isOpen = false
  #lacksTokens = false
  /** Of the journal of tokens, what a power cut cannot take. */
  #syncedBytes = 0
  #lives = 0
  #boots = 0
  #release: (() => void) | undefined
  #files: ReadonlyMap<string, Buffer> = new Map()

  constructor(room: string, mistake: Mistake = {}) {
    this.#room = room
    this.#mistake = mistake
    this.nemesis = this.#newNemesis()
  }

  /** What a machine is made of that is off. */
  state(): MachineState {
    return { disk: this.disk.after('kept'), files: this.#files }
  }

  /** Before its first start: as if it had had those lives. */
  become({ disk, files }: MachineState): void {
    this.disk = disk.after('kept')
    this.#files = files
  }

  #newNemesis(before?: Nemesis): Nemesis {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.died = promise
    return new Nemesis((outcome, kind) => {
      this.#lose(outcome, kind)
      resolve()
    }, before)
  }

  get #folder(): string {
    return join(this.#room, String(this.#lives % 2))
  }

  /** One start. Throws what a start throws; undefined where what was booted never comes up, or the process died on the way. */
  async start(): Promise<Life | undefined> {
    this.#lives += 1
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(this.#folder)
    this.time.forget()
    // What a boot loader and a kernel take.
    await this.time.pass(1_500)
    this.reboots = []
    const { disk } = this
    const storage = faultyStorage(this.#mistake.storage?.(disk) ?? disk, this.nemesis)
    const around: Surroundings = {
      storage,
      time: this.time,
      key,
      firstPassword,
      isWell: running => this.#isWell(running),
      carry: (present, restored) => this.#carry(present, restored),
      open: () => this.#open(),
      readSettings: store => this.#readSettings(store),
      restart: reason => void this.reboots.push(reason),
    }
    const starting = start(this.#mistake.around?.(around) ?? around)
    starting.catch(() => {})
    const life = await Promise.race([starting, this.died.then(() => undefined)])
    if (life) this.life = this.#mistake.life?.(life) ?? life
    if (life && this.#lacksTokens) this.lossesMs.push(life.now().getTime())
    return this.life
  }

  /** A clean end, unless the process dies on the way. */
  async stop(): Promise<void> {
    const { life } = this
    if (life === undefined) return
    const closing = life.close().then(() => this.#lose('kept', 'end'))
    closing.catch(() => {})
    await Promise.race([closing, this.died])
    if (!this.nemesis.isGone && this.time.pending() > 0)
      throw new Violation(`${this.time.pending()} timers are left when the device is down`)
    if (!this.nemesis.isGone) this.nemesis = this.#newNemesis(this.nemesis)
  }

  /** After a death: the machine is off, and can be started again. */
  revive(): void {
    this.nemesis = this.#newNemesis(this.nemesis)
  }

  /** What the machine is left with when the process ends now. */
  #lose(outcome: Outcome, kind: 'power cut' | 'kill' | 'end'): void {
    watchSettings(undefined)
    if (this.#isOpen) this.#keepFiles(kind)
    this.disk = this.disk.after(outcome)
    if (kind === 'power cut') this.#boots += 1
    if (this.#isOpen) this.#putOnDisk(this.disk)
    // The zombie's file: its locks go with it.
    this.#release?.()
    this.#release = undefined
    this.#isOpen = false
    this.life = undefined
  }

  #keepFiles(kind: 'power cut' | 'kill' | 'end'): void {
    const files = new Map(readdirSync(this.#folder).map(name => [name, readFileSync(join(this.#folder, name))]))
    const tokens = files.get('tokens.current')
    if (tokens && kind === 'power cut')
      files.set('tokens.current', tokens.subarray(0, Math.max(this.#syncedBytes, tokens.length - this.tokensLost)))
    if (kind !== 'kill') this.#syncedBytes = files.get('tokens.current')?.length ?? 0
    this.#files = files
  }

  #putOnDisk(disk: SimulatedStorage): void {
    for (const suffix of databaseSuffixes) {
      const content = this.#files.get(`device.db${suffix}`)
      const path = `${places.database}${suffix}`
      if (content) disk.put(path, content)
      else disk.remove(path)
    }
  }

  #open(): ReturnType<Surroundings['open']> {
    if (this.nemesis.isGone) throw new Violation('a process that is gone goes on')
    for (const [name, content] of this.#files) if (name.startsWith('tokens.')) writeFileSync(join(this.#folder, name), content)
    const file = join(this.#folder, 'device.db')
    for (const suffix of databaseSuffixes) {
      const path = `${places.database}${suffix}`
      if (this.disk.has(path)) writeFileSync(`${file}${suffix}`, this.disk.content(path))
    }
    const store = openStoreFile(file)
    const journal = openReplayFile(this.#folder, `boot ${this.#boots}`)
    this.#isOpen = true
    this.#release = () => {
      for (const each of [store, journal])
        try {
          each.close()
        } catch {
          // A clean end has closed it.
        }
    }
    watchSettings(this.nemesis)
    this.#lacksTokens = !journal.complete
    const sync = () => {
      journal.sync()
      this.#syncedBytes = statSync(join(this.#folder, 'tokens.current')).size
    }
    return { store, journal: { ...journal, sync } }
  }

  #readSettings(store: Store): Buffer {
    return readStoreFile(store, join(this.#folder, 'device.db'))
  }

  #carry(present: string, restored: string): void {
    const files = [present, restored].map((path, index) => {
      const file = join(this.#folder, `carry-${index}`)
      writeFileSync(file, this.disk.content(path))
      return file
    })
    const [from = '', to = ''] = files
    carryDocuments(from, to, { [clockDocument]: parseClockOffset, [appSequenceDocument]: parseAppSequence })
    this.disk.put(restored, readFileSync(to))
  }

  async #isWell(running: Slot): Promise<boolean | undefined> {
    this.booted = await this.imageIn(running)
    return this.booted.nature === 'dead' ? undefined : this.booted.nature === 'good'
  }

  /** The whole image that a slot holds by the record. Throws where it is something else. */
  async imageIn(slot: Slot): Promise<SimulatedImage> {
    const record = await loadBootRecord(this.disk, places.slots)
    const content = this.disk.content(slotFile(places.slots, slot)).subarray(0, record?.images[slot]?.sizeBytes ?? 0)
    const digest = sha256(content)
    const found = [factory, ...images].find(each => each.sha256 === digest)
    if (found === undefined || record?.images[slot]?.sha256 !== digest)
      throw new Violation(`slot ${slot} was booted, and is no image that was verified`)
    return found
  }

  /** Nothing is left on the disk but what a device at rest keeps. */
  judgeFiles(): void {
    const left = this.disk.list().filter(path => !kept.test(path))
    if (left.length > 0) throw new Violation(`left on the disk: ${left}`)
  }
}

const kept =
  /^\/state\/(slots\/(slot-[ab](-app)?\.img|env[01]\.bin)|upgrade\/((journal|history)\.json(\.new)?|reserve|settings\.(kept|used))|device\.db(-wal)?)$/
