import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { options } from '../src/config.ts'
import { contract } from '../src/onvif/contract.generated.ts'
import { operations } from '../src/onvif/operations.ts'
import { createCodec } from '../src/soap/codec.ts'
import { elementValues } from './property/values.ts'
import { testDevice } from './support/device.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the README lists every option as it is', () => {
  for (const { flag, environment, fallback, meaning } of Object.values(options)) {
    const row = `| \`${flag}\` | \`${environment}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${meaning} |`
    assert.ok(readme.includes(row), `the README lacks: ${row}`)
  }
  assert.equal(readme.match(/^\| `--/gm)?.length, Object.keys(options).length, 'and no other')
})

test('the README says of every operation whether it works', async t => {
  const codec = createCodec(contract)
  const rows = new Map(
    [...readme.matchAll(/^\| (\w+) \| ([A-Z_]+) \| (yes|no) \|$/gm)].map(([, name, access, works]) => [name, { access, works }]),
  )
  assert.equal(rows.size, 103)
  for (const [name, { access }] of Object.entries(operations)) {
    const row = rows.get(name)
    assert.equal(row?.access, access, name)
    const request = contract.operations[name]?.request ?? ''
    const [value] = fc.sample(elementValues(request, contract), { numRuns: 1, seed: 3 })
    const { ask } = await testDevice(t)
    const { fault, reason } = await ask(codec.encode(request, value))
    const isMissing = fault === 'Receiver/ActionNotSupported' && /not implemented/.test(reason ?? '')
    assert.equal(row?.works, isMissing ? 'no' : 'yes', `${name}: ${reason}`)
    if (isMissing) assert.match(reason ?? '', new RegExp(`^${name} `), 'it names itself')
  }
})
