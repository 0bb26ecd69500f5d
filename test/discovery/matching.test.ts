import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMeant } from '../../src/discovery/matching.ts'
import type { Probe } from '../../src/discovery/messages.ts'

const own = [
  'onvif://www.onvif.org/hardware/D1-566',
  'onvif://www.onvif.org/name/Front%20Door',
  'onvif://www.onvif.org/location/country/china',
  'urn:uuid:5F5A69C2-E0AE-504F-829B-000000000001',
]

const meant = (probe: Partial<Probe>): boolean =>
  isMeant({ kind: 'probe', messageId: 'x', types: [], scopes: [], rule: 'rfc3986', ...probe }, own)

const table: readonly (readonly [rule: Probe['rule'], wanted: string, matches: boolean])[] = [
  // Core 7.3.3: segment by segment, and not as a string.
  ['rfc3986', 'onvif://www.onvif.org/hardware/D1-566', true],
  ['rfc3986', 'onvif://www.onvif.org/hardware/D1', false],
  ['rfc3986', 'onvif://www.onvif.org/hardware', true],
  ['rfc3986', 'onvif://www.onvif.org/hardware/', true],
  ['rfc3986', 'onvif://www.onvif.org/hardware/D1-566/x', false],
  ['rfc3986', 'onvif://www.onvif.org/location/country', true],
  ['rfc3986', 'onvif://www.onvif.org/location/china', false],
  ['rfc3986', 'onvif://www.onvif.org', true],
  ['rfc3986', 'onvif://www.onvif.org/', true],
  ['rfc3986', 'onvif://www.onvif.org//hardware', false],
  // Scheme and authority in any case, the path as it is.
  ['rfc3986', 'ONVIF://WWW.onvif.ORG/hardware/D1-566', true],
  ['rfc3986', 'onvif://www.onvif.org/Hardware/D1-566', false],
  ['rfc3986', 'http://www.onvif.org/hardware', false],
  ['rfc3986', 'onvif://www.onvif.com/hardware', false],
  // Escapes are undone, within a segment.
  ['rfc3986', 'onvif://www.onvif.org/name/Front Door', true],
  ['rfc3986', 'onvif://www.onvif.org/n%61me/Front%20Door', true],
  ['rfc3986', 'onvif://www.onvif.org/location%2Fcountry', false],
  ['rfc3986', 'onvif://www.onvif.org/name/%zz', false],
  // Query and fragment do not count; dots are no way around.
  ['rfc3986', 'onvif://www.onvif.org/hardware?x=1#y', true],
  ['rfc3986', 'onvif://www.onvif.org/./hardware', false],
  ['rfc3986', 'onvif://www.onvif.org/name/../hardware', false],
  ['rfc3986', 'onvif://www.onvif.org/name/%2e%2e/hardware', false],
  ['rfc3986', 'hardware/D1-566', false],
  ['strcmp0', 'onvif://www.onvif.org/hardware/D1-566', true],
  ['strcmp0', 'onvif://www.onvif.org/hardware', false],
  ['strcmp0', 'ONVIF://www.onvif.org/hardware/D1-566', false],
  ['uuid', 'uuid:5f5a69c2-e0ae-504f-829b-000000000001', true],
  ['uuid', 'urn:uuid:5f5a69c2-e0ae-504f-829b-000000000002', false],
  ['uuid', 'onvif://www.onvif.org/hardware/D1-566', false],
  ['unsupported', 'onvif://www.onvif.org/hardware/D1-566', false],
]

test('a scope matches by the rule that the Probe names', () => {
  for (const [rule, wanted, expected] of table) assert.equal(meant({ rule, scopes: [wanted] }), expected, `${rule} ${wanted}`)
})

test('every scope and every type has to be there', () => {
  const hardware = 'onvif://www.onvif.org/hardware'
  assert.equal(meant({}), true)
  assert.equal(meant({ scopes: [hardware, 'onvif://www.onvif.org/name'] }), true)
  assert.equal(meant({ scopes: [hardware, 'onvif://www.onvif.org/Profile/Streaming'] }), false)
  assert.equal(meant({ types: ['Device'] }), true)
  assert.equal(meant({ types: ['NetworkVideoTransmitter', 'Device'] }), true)
  assert.equal(meant({ types: ['Device', 'other'] }), false)
  assert.equal(meant({ types: ['Device'], scopes: ['onvif://www.onvif.org/Profile/Streaming'] }), false)
  assert.equal(meant({ rule: 'unsupported' }), false)
})
