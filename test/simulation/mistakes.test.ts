import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Store } from '../../src/device/store.ts'
import type { SimulatedStorage } from '../fault/simulatedStorage.ts'
import type { Surroundings } from './life.ts'
import { type Mistake, makeRoom, Violation } from './machine.ts'
import { run } from './run.ts'

const room = makeRoom()
after(room.remove)

/** A disk that says it has synced these files, and has not. */
const lying = (files: RegExp) => (disk: SimulatedStorage) => {
  disk.lie = path => files.test(path)
  return disk
}

const withStore =
  (change: (store: Store) => Partial<Store>) =>
  (around: Surroundings): Surroundings => ({
    ...around,
    open() {
      const { store, journal } = around.open()
      return { store: { ...store, ...change(store) }, journal }
    },
  })

const withJournal =
  (change: Partial<ReturnType<Surroundings['open']>['journal']>) =>
  (around: Surroundings): Surroundings => ({
    ...around,
    open() {
      const { store, journal } = around.open()
      return { store, journal: { ...journal, ...change } }
    },
  })

/** A restore that leaves the hostname as it is. */
const withoutHostname = ({ exportDocuments, importDocuments }: Store): Partial<Store> => ({
  importDocuments: documents => importDocuments({ ...documents, hostname: exportDocuments().hostname }),
})

/** Scopes that are acknowledged before they are written, and written with the next change of something else. */
const later = (store: Store): Partial<Store> => ({
  document(name, parse, initial) {
    const document = store.document(name, parse, initial)
    if (name !== 'scopes') return document
    let value = document.get()
    return {
      get: () => value,
      set(next) {
        value = next
      },
    }
  },
})

function stuckTimers(around: Surroundings): Surroundings {
  const { time } = around
  const after = time.after.bind(time)
  time.after = (delayMs, act) => {
    const cancel = after(delayMs, act)
    return delayMs === 600_000 ? () => {} : cancel
  }
  return around
}

const nothing = { previous: Buffer.alloc(0), current: Buffer.alloc(0) }

/** What somebody could get wrong, and within how many schedules it has to be found: at least twice as many as it takes. */
const mistakes: readonly (readonly [name: string, within: number, finding: RegExp, mistake: Mistake])[] = [
  ['a change is acknowledged before it is written', 100, /the settings are/, { around: withStore(later) }],
  ['a restore leaves something out', 500, /the settings are/, { around: withStore(withoutHostname) }],
  ['used tokens are forgotten with the process', 100, /a second time/, { around: withJournal({ ...nothing, complete: true }) }],
  ['a power cut is taken for a clean end of the tokens', 500, /a second time/, { around: withJournal({ complete: true }) }],
  ['the marks of tokens that are ahead are not synced', 500, /a second time/, { around: withJournal({ sync() {} }) }],
  ['a timer is not called off', 200, /timers are left/, { around: stuckTimers }],
  ['a slot is not synced', 500, /no image that was verified/, { storage: lying(/slot-.\.img$/) }],
  ['the boot record is not synced', 500, /no image that was verified/, { storage: lying(/env.\.bin$/) }],
]

for (const [name, within, finding, mistake] of mistakes) {
  test(`the simulation finds it within ${within} schedules where ${name}`, async () => {
    for (let seed = 1; seed <= within; seed += 1) {
      const { error, trace } = await run(seed, room.path, mistake)
      if (error === undefined) continue
      assert.ok(error instanceof Violation, `seed ${seed}: ${error instanceof Error ? error.stack : error}\n${trace.join('\n')}`)
      assert.match(error.message, finding)
      return console.log(`${name}: ${seed} schedules, ${error.message.slice(0, 100)}`)
    }
    assert.fail('it was not found')
  })
}
