import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { options } from '../src/config.ts'
import { limits } from '../src/limits.ts'
import { contract } from '../src/onvif/contract.generated.ts'
import { operations } from '../src/onvif/operations.ts'
import { createCodec } from '../src/soap/codec.ts'
import { elementValues } from './property/values.ts'
import { readBudgets } from './support/budgets.ts'
import { type TestDevice, testDevice } from './support/device.ts'

const file = new URL('../README.md', import.meta.url)
const readme = readFileSync(file, 'utf8')

test('the README lists every option as it is', () => {
  for (const { flag, environment, fallback, meaning } of Object.values(options)) {
    const row = `| \`${flag}\` | \`${environment}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${meaning} |`
    assert.ok(readme.includes(row), `the README lacks: ${row}`)
  }
  assert.equal(readme.match(/^\| `--/gm)?.length, Object.keys(options).length, 'and no other')
})

/** Operations that the virtual device has when it is told to. */
const byOption: Readonly<Record<string, string>> = {
  GetRelayOutputs: '--relays',
  SetRelayOutputSettings: '--relays',
  SetRelayOutputState: '--relays',
  SendAuxiliaryCommand: '--auxiliary',
  GetDot11Capabilities: '--interfaces',
  GetDot11Status: '--interfaces',
  ScanAvailableDot11Networks: '--interfaces',
  GetRemoteDiscoveryMode: '--legacy-remote-discovery',
  SetRemoteDiscoveryMode: '--legacy-remote-discovery',
  GetDPAddresses: '--legacy-remote-discovery',
  SetDPAddresses: '--legacy-remote-discovery',
}
const everything = { relays: 2, auxiliary: ['tt:Wiper'], interfaces: ['eth0', 'wlan0'], legacyRemoteDiscovery: true }

/** Why the service does without an operation, by operation or by chapter. */
const missing: Readonly<Record<string, string>> = {
  mediaSigning: 'there are no media to sign',
  UpgradeFirmware: 'remote upgrade is not there yet',
  'tev:Seek': 'messages are not stored for those who were not there',
  eventBrokers: 'events go to no broker',
}

/** The state of an operation as two devices show it: a plain one, and one with every option. */
async function stateOf(name: string, chapter: string, plain: TestDevice, full: TestDevice): Promise<string> {
  const request = contract.operations[name]?.request ?? ''
  const [value] = fc.sample(elementValues(request, contract), { numRuns: 1, seed: 3 })
  const message = createCodec(contract).encode(request, value)
  const isThere = async ({ ask }: TestDevice) => !/^Receiver\/ActionNotSupported(\/InvalidDot11)?$/.test((await ask(message)).fault ?? '')
  if (await isThere(plain)) return 'real'
  if (await isThere(full)) return `real with \`${byOption[name]}\``
  const { reason = '' } = await plain.ask(message)
  assert.match(reason, new RegExp(`^${name} is not implemented$`), 'it names itself')
  const why = missing[name] ?? missing[chapter]
  assert.ok(why, `nobody says why there is no ${name}`)
  return `no: ${why}`
}

test('the README says of every operation whether it is real', async t => {
  const rows: string[] = []
  for (const [name, { chapter, access }] of Object.entries(operations)) {
    const [plain, full] = await Promise.all([testDevice(t), testDevice(t, everything)])
    rows.push(`| ${name} | ${chapter} | ${access} | ${await stateOf(name, chapter, plain, full)} |\n`)
  }
  const head = '| operation | chapter | access class | state |\n|---|---|---|---|\n'
  const table = head + rows.join('')
  hold(table, /\| operation \|.*\n\|---.*\n(?:\| .*\n)+/)
})

test('the README says every budget, with its reason', () => {
  const budgets = readBudgets()
  assert.deepEqual(new Set(budgets.map(({ name }) => name)), new Set(Object.keys(limits)), 'each stands on a line of its own')
  const chapters = [...new Set(budgets.map(({ chapter }) => chapter))].map(chapter => {
    const rows = budgets
      .filter(each => each.chapter === chapter)
      .map(({ name, value, reason }) => `| \`${name}\` | ${value} | ${reason} |\n`)
    return `| **${chapter}** | | |\n${rows.join('')}`
  })
  hold(`| budget | value | reason |\n|---|---|---|\n${chapters.join('')}`, /\| budget \|.*\n\|---.*\n(?:\| .*\n)+/)
})

/** What the README has there is this; `npm run document` writes it. */
function hold(table: string, place: RegExp): void {
  if (process.env.UPDATE_README)
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(place, () => table),
    )
  else assert.ok(readme.includes(table), `the README needs \`npm run document\`; it should say:\n${table}`)
}
