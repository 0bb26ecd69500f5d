import assert from 'node:assert/strict'
import { limits } from '../../src/limits.ts'
import type { FaultName } from '../../src/onvif/faults.ts'
import {
  clientMode,
  createCertificate,
  deleteCertificates,
  dot1x,
  getDot1x,
  loadAuthorities,
  loadCertificates,
  loadWithKey,
  withCertificate,
} from './certificateRequests.ts'
import type { Answer, TestDevice } from './device.ts'
import { makeIdentity } from './identities.ts'

type Provocation = string | ((device: TestDevice) => Promise<Answer>)

const garbage = Buffer.from([0, 0, 0])

const many = (count: number, options = {}) => Promise.all(Array.from({ length: count }, (_, index) => makeIdentity(`${index}`, options)))

/** The second request, after the first has succeeded. */
async function after({ ask }: TestDevice, first: string, second: string): Promise<Answer> {
  const { fault, reason } = await ask(first)
  assert.equal(fault, undefined, reason)
  return ask(second)
}

/** A request that provokes each fault of the certificates and of IEEE 802.1X of the Device service, on a device that has just been made. */
export const certificateProvocations = {
  KeyGeneration: async device => {
    const pairs = (await many(limits.keysMax)).map(({ der, pkcs8 }, index) => [`${index}`, der, pkcs8] as const)
    return after(device, loadWithKey(...pairs), createCertificate('surplus'))
  },
  ReferencedCertificate: async device => {
    await device.ask(createCertificate('in-use'))
    return after(device, dot1x('CreateDot1XConfiguration', 'network', withCertificate('in-use')), deleteCertificates('in-use'))
  },
  CertificateFormat: loadCertificates(['a', garbage]),
  KeysNotMatching: async ({ ask }) => {
    const [one, other] = await Promise.all([makeIdentity('one'), makeIdentity('other')])
    return ask(loadWithKey(['one', one.der, other.pkcs8]))
  },
  CACertificateID: async ({ ask }) => {
    const [one, other] = await Promise.all(['one', 'other'].map(name => makeIdentity(name, { isAuthority: true })))
    assert.ok(one && other)
    return ask(loadAuthorities(['same', one.der], ['same', other.der]))
  },
  MaxCertificates: async device => {
    const [surplus, ...roots] = (await many(limits.certificatesMax + 1, { isAuthority: true })).map(
      ({ der }, id) => [`${id}`, der] as const,
    )
    assert.ok(surplus)
    return after(device, loadAuthorities(...roots), loadAuthorities(surplus))
  },
  ClientAuth: clientMode(true),
  ReferenceToken: getDot1x('nobodys'),
  EAPMethodNotSupported: dot1x('CreateDot1XConfiguration', 'network', { method: 43 }),
  MaxDot1X: async ({ ask }) => {
    for (let made = 0; made < limits.dot1xConfigurationsMax; made++)
      assert.equal((await ask(dot1x('CreateDot1XConfiguration', `network-${made}`))).fault, undefined)
    return ask(dot1x('CreateDot1XConfiguration', 'surplus'))
  },
} satisfies Partial<Record<FaultName, Provocation>>
