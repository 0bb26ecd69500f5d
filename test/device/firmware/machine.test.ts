import assert from 'node:assert/strict'
import { test } from 'node:test'
import { next, type UpgradeEvent, type UpgradeState } from '../../../src/device/firmware/machine.ts'
import { limits } from '../../../src/limits.ts'

const upgrade = { transaction: '01JABCDEFGHJKMNPQRSTVWXYZ0', user: 'admin', from: '1.0.0' }
const image = { slot: 'B', version: '1.1.0', sha256: 'd' }
const failure = { reason: 'io', detail: 'the disk failed' } as const
const installed = { upgrade, image, boots: 0 }

const states: readonly UpgradeState[] = [
  { name: 'Idle' },
  { name: 'Armed', upgrade },
  { name: 'Transfer', upgrade },
  { name: 'Check', upgrade },
  { name: 'Activating', ...installed },
  { name: 'Rebooting', ...installed },
  { name: 'Trial', ...installed },
  { name: 'Commit', ...installed },
  { name: 'Rollback', ...installed, failure },
  { name: 'Failed', upgrade, failure },
]

const events: readonly (readonly [column: string, event: UpgradeEvent])[] = [
  ['Started', { name: 'Started', upgrade }],
  ['TicketExpired', { name: 'TicketExpired' }],
  ['UploadBegun', { name: 'UploadBegun' }],
  ['HeadVerified', { name: 'HeadVerified', version: '1.1.0' }],
  ['BodyReceived', { name: 'BodyReceived' }],
  ['ImageInstalled', { name: 'ImageInstalled', image }],
  ['ConnectionLost', { name: 'ConnectionLost', again: true, failure }],
  ['… for good', { name: 'ConnectionLost', again: false, failure }],
  ['ImageRefused', { name: 'ImageRefused', failure }],
  ['DeviceFailed', { name: 'DeviceFailed', failure }],
  ['Aborted', { name: 'Aborted', failure }],
  ['Discarded', { name: 'Discarded' }],
  ['Activated', { name: 'Activated' }],
  ['RebootDue', { name: 'RebootDue' }],
  ['SelfCheckPassed', { name: 'SelfCheckPassed' }],
  ['SelfCheckFailed', { name: 'SelfCheckFailed', detail: 'no answer' }],
  ['Confirmed', { name: 'Confirmed' }],
  ['Rejected', { name: 'Rejected' }],
  ['FoundUnchanged', { name: 'FoundUnchanged' }],
  ['FoundInstalled', { name: 'FoundInstalled' }],
  ['FoundActivated', { name: 'FoundActivated', upgrade, image }],
  ['FoundTrial', { name: 'FoundTrial', upgrade, image }],
  ['FoundCommitted', { name: 'FoundCommitted' }],
]

/** The whole table in two halves, an event on each line. An empty cell is a decision: the event means nothing there. */
const table = `
                | Idle                  | Armed                 | Transfer              | Check                 | Failed
Started         | Armed                 | Armed                 |                       |                       |
TicketExpired   |                       | Idle                  |                       |                       |
UploadBegun     |                       | Transfer + install    |                       |                       |
HeadVerified    |                       |                       | Transfer              |                       |
BodyReceived    |                       |                       | Check                 |                       |
ImageInstalled  |                       |                       | Activating + activate | Activating + activate |
ConnectionLost  |                       |                       | Armed                 | Armed                 |
… for good      |                       |                       | Failed + discard      | Failed + discard      |
ImageRefused    |                       |                       | Failed + discard      | Failed + discard      |
DeviceFailed    |                       |                       | Failed + discard      | Failed + discard      | Idle ✗
Aborted         |                       | Idle                  | Failed + discard      | Failed + discard      |
Discarded       |                       |                       |                       |                       | Idle ✗
Activated       |                       |                       |                       |                       |
RebootDue       |                       |                       |                       |                       |
SelfCheckPassed |                       |                       |                       |                       |
SelfCheckFailed |                       |                       |                       |                       |
Confirmed       |                       |                       |                       |                       |
Rejected        |                       |                       |                       |                       |
FoundUnchanged  |                       |                       | Failed + discard      | Failed + discard      | Failed + discard
FoundInstalled  |                       |                       |                       |                       | Failed + discard
FoundActivated  | Rebooting + reboot    |                       | Rebooting + reboot    | Rebooting + reboot    | Failed + discard
FoundTrial      | Trial + selfCheck     |                       | Trial + selfCheck     | Trial + selfCheck     | Trial + selfCheck
FoundCommitted  |                       |                       |                       |                       |

                | Activating            | Rebooting             | Trial                 | Commit                | Rollback
Started         |                       |                       |                       |                       |
TicketExpired   |                       |                       |                       |                       |
UploadBegun     |                       |                       |                       |                       |
HeadVerified    |                       |                       |                       |                       |
BodyReceived    |                       |                       |                       |                       |
ImageInstalled  |                       |                       |                       |                       |
ConnectionLost  |                       |                       |                       |                       |
… for good      |                       |                       |                       |                       |
ImageRefused    |                       |                       |                       |                       |
DeviceFailed    | Failed + discard      |                       |                       | Trial                 | Rollback
Aborted         |                       |                       |                       |                       |
Discarded       |                       |                       |                       |                       |
Activated       | Rebooting             |                       |                       |                       |
RebootDue       |                       | Rebooting + reboot    |                       |                       | Rollback + reboot
SelfCheckPassed |                       |                       | Commit + confirm      |                       |
SelfCheckFailed |                       |                       | Rollback + reject     |                       |
Confirmed       |                       |                       |                       | Idle ✓                |
Rejected        |                       |                       |                       |                       | Rollback + reboot
FoundUnchanged  | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard
FoundInstalled  | Activating + activate | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard
FoundActivated  | Rebooting + reboot    | Rebooting + reboot    | Rebooting + reboot    | Rebooting + reboot    | Failed + discard
FoundTrial      | Trial + selfCheck     | Trial + selfCheck     | Trial + selfCheck     | Trial + selfCheck     | Rollback + reject
FoundCommitted  | Idle ✓                | Idle ✓                | Idle ✓                | Idle ✓                | Idle ✓
`

function cell(state: UpgradeState, event: UpgradeEvent): string {
  const step = next(state, event)
  if (step === undefined) return ''
  const outcome = step.outcome && (step.outcome.failure ? ' ✗' : ' ✓')
  return `${step.state.name}${step.effect ? ` + ${step.effect}` : ''}${outcome ?? ''}`
}

function line(cells: readonly string[]): string {
  return cells
    .map((text, index) => text.padEnd(index === 0 ? 15 : 21))
    .join(' | ')
    .trimEnd()
}

function print(names: readonly UpgradeState['name'][]): readonly string[] {
  const columns = names.flatMap(name => states.filter(state => state.name === name))
  return [line(['', ...names]), ...events.map(([title, event]) => line([title, ...columns.map(state => cell(state, event))]))]
}

test('every state answers every event as the table says', () => {
  const printed = [
    ...print(['Idle', 'Armed', 'Transfer', 'Check', 'Failed']),
    '',
    ...print(['Activating', 'Rebooting', 'Trial', 'Commit', 'Rollback']),
  ]
  console.log(printed.join('\n'))
  assert.deepEqual(
    printed,
    table
      .slice(1, -1)
      .split('\n')
      .map(row => row.trimEnd()),
  )
})

test('no upgrade restarts the device for ever', () => {
  let state: UpgradeState = { name: 'Rebooting', ...installed }
  let starts = 0
  for (; state.name === 'Rebooting'; starts += 1) state = next(state, { name: 'FoundActivated', upgrade, image })?.state ?? { name: 'Idle' }
  assert.equal(starts, limits.upgradeBootsMax + 1)
  assert.equal(state.name, 'Failed')

  const tired: UpgradeState = { name: 'Trial', upgrade, image, boots: limits.upgradeBootsMax }
  assert.deepEqual(next(tired, { name: 'FoundTrial', upgrade, image })?.effect, 'reject')
})

test('what the boot record says outweighs what was intended', () => {
  const other = { ...upgrade, transaction: '01JABCDEFGHJKMNPQRSTVWXYZ1' }
  const newer = { ...image, version: '1.2.0' }
  const step = next({ name: 'Transfer', upgrade }, { name: 'FoundTrial', upgrade: other, image: newer })
  assert.deepEqual(step?.state, { name: 'Trial', upgrade: other, image: newer, boots: 1 })
})

test('an upgrade ends with an outcome that names both versions', () => {
  assert.deepEqual(next({ name: 'Commit', ...installed }, { name: 'Confirmed' })?.outcome, { ...upgrade, to: '1.1.0', failure: undefined })
  assert.deepEqual(next({ name: 'Failed', upgrade, version: '1.1.0', failure }, { name: 'Discarded' })?.outcome, {
    ...upgrade,
    to: '1.1.0',
    failure,
  })
})
