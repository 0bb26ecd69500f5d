import assert from 'node:assert/strict'
import { test } from 'node:test'
import { next, type UpgradeEvent, type UpgradeState } from '../../../src/device/firmware/machine.ts'
import { limits } from '../../../src/limits.ts'

const upgrade = { transaction: '01JABCDEFGHJKMNPQRSTVWXYZ0', user: 'admin', remoteAddress: '192.0.2.7', from: '1.0.0' }
const image = { slot: 'B', version: '1.1.0', sha256: 'd', signers: ['CN=signer'], builtAt: '2026-05-01T00:00:00.000Z' }
const failure = { reason: 'io', detail: 'the disk failed' } as const
const installed = { upgrade, image, boots: 0 }

const states: readonly (readonly [column: string, state: UpgradeState])[] = [
  ['Idle', { name: 'Idle' }],
  ['Recovery', { name: 'Recovery' }],
  ['Armed', { name: 'Armed', upgrade }],
  ['… broken off', { name: 'Armed', upgrade, broken: { image, failure } }],
  ['Transfer', { name: 'Transfer', upgrade }],
  ['Check', { name: 'Check', upgrade }],
  ['Aborting', { name: 'Aborting', upgrade, failure }],
  ['Installed', { name: 'Installed', ...installed }],
  ['Activating', { name: 'Activating', ...installed }],
  ['Rebooting', { name: 'Rebooting', ...installed }],
  ['Trial', { name: 'Trial', ...installed }],
  ['Commit', { name: 'Commit', ...installed }],
  ['Rollback', { name: 'Rollback', ...installed, failure }],
  ['Failed', { name: 'Failed', upgrade, failure }],
]

const events: readonly (readonly [column: string, event: UpgradeEvent])[] = [
  ['Started', { name: 'Started', upgrade }],
  ['TicketExpired', { name: 'TicketExpired' }],
  ['UploadBegun', { name: 'UploadBegun' }],
  ['UploadResumed', { name: 'UploadResumed' }],
  ['HeadVerified', { name: 'HeadVerified', image }],
  ['BodyReceived', { name: 'BodyReceived' }],
  ['ImageInstalled', { name: 'ImageInstalled', image, hold: false }],
  ['… to be held', { name: 'ImageInstalled', image, hold: true }],
  ['ConnectionLost', { name: 'ConnectionLost', again: true, failure }],
  ['… for good', { name: 'ConnectionLost', again: false, failure }],
  ['ImageRefused', { name: 'ImageRefused', failure }],
  ['DeviceFailed', { name: 'DeviceFailed', failure }],
  ['AbortOrdered', { name: 'AbortOrdered', failure }],
  ['Aborted', { name: 'Aborted', failure }],
  ['ActivateOrdered', { name: 'ActivateOrdered' }],
  ['ConfirmOrdered', { name: 'ConfirmOrdered' }],
  ['Discarded', { name: 'Discarded' }],
  ['Activated', { name: 'Activated' }],
  ['RebootDue', { name: 'RebootDue' }],
  ['DiscardDue', { name: 'DiscardDue' }],
  ['SelfCheckPassed', { name: 'SelfCheckPassed' }],
  ['SelfCheckFailed', { name: 'SelfCheckFailed', failure: { reason: 'selfCheck', detail: 'no answer' } }],
  ['Confirmed', { name: 'Confirmed' }],
  ['Rejected', { name: 'Rejected' }],
  ['FoundUnchanged', { name: 'FoundUnchanged' }],
  ['FoundInstalled', { name: 'FoundInstalled' }],
  ['FoundActivated', { name: 'FoundActivated', upgrade, image }],
  ['FoundTrial', { name: 'FoundTrial', upgrade, image }],
  ['FoundCommitted', { name: 'FoundCommitted' }],
  ['FoundLost', { name: 'FoundLost' }],
]

/** The whole table in three parts, an event on each line. An empty cell is a decision: the event means nothing there. */
const table = `
                | Idle                  | Recovery              | Armed                 | … broken off          | Transfer
Started         | Armed                 | Armed                 | Armed                 | Armed ✗               |
TicketExpired   |                       |                       | Idle                  | Failed + discard      |
UploadBegun     |                       |                       | Transfer + install    | Transfer + install    |
UploadResumed   |                       |                       |                       | Transfer              |
HeadVerified    |                       |                       |                       |                       | Transfer
BodyReceived    |                       |                       |                       |                       | Check
ImageInstalled  |                       |                       |                       |                       | Activating + activate
… to be held    |                       |                       |                       |                       | Installed
ConnectionLost  |                       |                       |                       |                       | Armed
… for good      |                       |                       |                       |                       | Failed + discard
ImageRefused    |                       |                       |                       | Failed + discard      | Failed + discard
DeviceFailed    |                       |                       |                       | Failed + discard      | Failed + discard
AbortOrdered    |                       |                       | Idle                  | Failed + discard      | Aborting
Aborted         |                       |                       |                       |                       | Failed + discard
ActivateOrdered |                       |                       |                       |                       |
ConfirmOrdered  |                       | Recovery + confirm    |                       |                       |
Discarded       |                       |                       |                       |                       |
Activated       |                       |                       |                       |                       |
RebootDue       |                       |                       |                       |                       |
DiscardDue      |                       |                       |                       |                       |
SelfCheckPassed |                       |                       |                       |                       |
SelfCheckFailed |                       |                       |                       |                       |
Confirmed       |                       | Idle                  |                       |                       |
Rejected        |                       |                       |                       |                       |
FoundUnchanged  |                       |                       |                       |                       | Failed + discard
FoundInstalled  |                       |                       |                       |                       |
FoundActivated  | Rebooting + reboot    |                       |                       |                       | Rebooting + reboot
FoundTrial      | Trial + selfCheck     |                       |                       |                       | Trial + selfCheck
FoundCommitted  |                       |                       |                       |                       |
FoundLost       | Recovery              |                       |                       |                       | Failed + discard

                | Check                 | Aborting              | Installed             | Activating            | Rebooting
Started         |                       |                       |                       |                       |
TicketExpired   |                       |                       |                       |                       |
UploadBegun     |                       |                       |                       |                       |
UploadResumed   |                       |                       |                       |                       |
HeadVerified    |                       |                       |                       |                       |
BodyReceived    |                       |                       |                       |                       |
ImageInstalled  | Activating + activate | Failed + discard      |                       |                       |
… to be held    | Installed             | Failed + discard      |                       |                       |
ConnectionLost  | Armed                 | Failed + discard      |                       |                       |
… for good      | Failed + discard      | Failed + discard      |                       |                       |
ImageRefused    | Failed + discard      | Failed + discard      |                       |                       |
DeviceFailed    | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard      |
AbortOrdered    | Aborting              |                       | Failed + discard      |                       |
Aborted         | Failed + discard      | Failed + discard      |                       |                       |
ActivateOrdered |                       |                       | Activating + activate |                       |
ConfirmOrdered  |                       |                       |                       |                       |
Discarded       |                       |                       |                       |                       |
Activated       |                       |                       |                       | Rebooting             |
RebootDue       |                       |                       |                       |                       | Rebooting + reboot
DiscardDue      |                       |                       |                       |                       |
SelfCheckPassed |                       |                       |                       |                       |
SelfCheckFailed |                       |                       |                       |                       |
Confirmed       |                       |                       |                       |                       |
Rejected        |                       |                       |                       |                       |
FoundUnchanged  | Failed + discard      |                       | Failed + discard      | Failed + discard      | Failed + discard
FoundInstalled  |                       |                       | Installed             | Activating + activate | Failed + discard
FoundActivated  | Rebooting + reboot    |                       | Rebooting + reboot    | Rebooting + reboot    | Rebooting + reboot
FoundTrial      | Trial + selfCheck     |                       | Trial + selfCheck     | Trial + selfCheck     | Trial + selfCheck
FoundCommitted  |                       |                       | Idle ✓                | Idle ✓                | Idle ✓
FoundLost       | Failed + discard      |                       | Failed + discard      | Failed + discard      | Failed + discard

                | Trial                 | Commit                | Rollback              | Failed
Started         |                       |                       |                       |
TicketExpired   |                       |                       |                       |
UploadBegun     |                       |                       |                       |
UploadResumed   |                       |                       |                       |
HeadVerified    |                       |                       |                       |
BodyReceived    |                       |                       |                       |
ImageInstalled  |                       |                       |                       |
… to be held    |                       |                       |                       |
ConnectionLost  |                       |                       |                       |
… for good      |                       |                       |                       |
ImageRefused    |                       |                       |                       |
DeviceFailed    |                       | Trial                 | Rollback              | Idle ✗
AbortOrdered    |                       |                       |                       |
Aborted         |                       |                       |                       |
ActivateOrdered |                       |                       |                       |
ConfirmOrdered  |                       |                       |                       |
Discarded       |                       |                       |                       | Idle ✗
Activated       |                       |                       |                       |
RebootDue       |                       |                       | Rollback + reboot     |
DiscardDue      |                       |                       |                       | Failed + discard
SelfCheckPassed | Commit + confirm      |                       |                       |
SelfCheckFailed | Rollback + reject     |                       |                       |
Confirmed       |                       | Idle ✓                |                       |
Rejected        |                       |                       | Rollback + reboot     |
FoundUnchanged  | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard
FoundInstalled  | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard
FoundActivated  | Rebooting + reboot    | Rebooting + reboot    | Failed + discard      | Failed + discard
FoundTrial      | Trial + selfCheck     | Trial + selfCheck     | Rollback + reject     | Trial + selfCheck
FoundCommitted  | Idle ✓                | Idle ✓                | Idle ✓                | Failed + discard
FoundLost       | Failed + discard      | Failed + discard      | Failed + discard      | Failed + discard
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

/** As many columns as fit on a line, one table under the other. */
function print(): readonly string[] {
  const perLine = 5
  return Array.from({ length: Math.ceil(states.length / perLine) }, (_, part) => {
    const columns = states.slice(part * perLine, (part + 1) * perLine)
    const rows = events.map(([title, event]) => line([title, ...columns.map(([, state]) => cell(state, event))]))
    return [line(['', ...columns.map(([title]) => title)]), ...rows, '']
  }).flat()
}

test('every state answers every event as the table says', () => {
  const printed = print()
  console.log(printed.join('\n'))
  assert.deepEqual(
    printed,
    table
      .slice(1)
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
  assert.deepEqual(next({ name: 'Commit', ...installed }, { name: 'Confirmed' })?.outcome, {
    ...upgrade,
    to: '1.1.0',
    sha256: 'd',
    signers: ['CN=signer'],
    builtAt: '2026-05-01T00:00:00.000Z',
    failure: undefined,
  })
  assert.deepEqual(next({ name: 'Failed', upgrade, image, failure }, { name: 'Discarded' })?.outcome, {
    ...upgrade,
    to: '1.1.0',
    sha256: 'd',
    signers: ['CN=signer'],
    builtAt: '2026-05-01T00:00:00.000Z',
    failure,
  })
})
