import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { contract } from '../../src/onvif/contract.generated.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseEnvelope, readUsernameToken } from '../../src/soap/envelope.ts'
import { tokenMessage } from './messages.ts'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

function heapBytes(): number {
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}

test('what is kept of a message does not keep the message', () => {
  const codec = createCodec(contract)
  const kept: unknown[] = []
  const before = heapBytes()
  for (let i = 0; i < 100; i++) {
    const scope = `onvif://www.onvif.org/location/building/${i}`
    const bytes = tokenMessage({
      body: `<tds:AddScopes><!--${'x'.repeat(500_000)}--><tds:ScopeItem>${scope}</tds:ScopeItem></tds:AddScopes>`,
    })
    const { header, body } = parseEnvelope(bytes)
    kept.push(codec.decodeRequest('AddScopes', body), readUsernameToken(header))
  }
  assert.ok(heapBytes() - before < 5_000_000, `${kept.length} values keep ${heapBytes() - before} bytes`)
})
