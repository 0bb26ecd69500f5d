import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import {
  certificateRequest,
  certificateStatus,
  createCertificate,
  deleteCertificates,
  deleteDot1x,
  dot1x,
  loadAuthorities,
  loadCertificates,
  loadWithKey,
  tds,
} from '../../support/certificateRequests.ts'
import { testDevice } from '../../support/device.ts'
import { exportedState } from '../../support/exportedState.ts'
import { makeIdentity } from '../../support/identities.ts'
import { createTestDevice, raises } from './testDevice.ts'

const [one, root] = await Promise.all([makeIdentity('one', { kind: 'RSA' }), makeIdentity('root', { isAuthority: true })])
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))
const megabyte = Buffer.alloc(1_000_000, 0x30)
/** The head of a SEQUENCE that says it is a megabyte long, and is. */
const longDer = Buffer.concat([Buffer.from('3083', 'hex'), Buffer.from([0x0f, 0x42, 0x40]), megabyte])
const pemBomb = Buffer.from('-----BEGIN CERTIFICATE-----\n'.repeat(30_000))
const name = (text: string) => `<tds:Subject>${text}</tds:Subject>`

/** What stops each, and how much it may cost. */
const hostile: readonly (readonly [what: string, body: string, fault: string])[] = [
  ['a certificate of a megabyte', loadAuthorities(['a', megabyte]), 'Sender/InvalidArgVal/CertificateFormat'],
  ['a certificate of a megabyte with an honest length', loadAuthorities(['a', longDer]), 'Sender/InvalidArgVal/CertificateFormat'],
  ['PEM that begins and never ends', loadAuthorities(['a', pemBomb]), 'Sender/InvalidArgVal/CertificateFormat'],
  ['a key of a megabyte', loadWithKey(['a', one.der, longDer]), 'Sender/InvalidArgVal/CertificateFormat'],
  [
    'attributes of a megabyte',
    certificateRequest('mine', `<tds:Attributes><tt:Data>${longDer.toString('base64')}</tt:Data></tds:Attributes>`),
    'Sender/InvalidArgVal/InvalidAttribute',
  ],
  ['1,000 authorities', loadAuthorities(...times(1000, index => [`${index}`, root.der] as const)), 'Receiver/Action/MaxCertificates'],
  ['1,000 certificates', loadCertificates(...times(1000, index => [`${index}`, one.der] as const)), 'Receiver/Action/MaxCertificates'],
  ['500 pairs', loadWithKey(...times(500, index => [`${index}`, one.der, one.pkcs8] as const)), 'Receiver/Action/MaxCertificates'],
  [
    'the same one a hundred times',
    loadAuthorities(...times(100, () => ['same', root.der] as const)),
    'Sender/InvalidArgVal/CACertificateID',
  ],
  ['1,000 deletions', deleteCertificates(...times(1000, index => (index < 999 ? 'mine' : 'nobody'))), 'Sender/InvalidArgVal/CertificateID'],
  ['1,000 networks to delete', deleteDot1x(...times(1000, index => `${index}`)), 'Sender/InvalidArgVal/ReferenceToken'],
  [
    '1,000 statuses',
    tds(
      'SetCertificatesStatus',
      times(1000, index => certificateStatus(index < 999 ? 'mine' : 'nobody', false).replace(/^<[^>]*>|<[^>]*>$/g, '')).join(''),
    ),
    'Sender/InvalidArgVal/CertificateID',
  ],
  [
    '1,000 authorities of a network',
    dot1x('CreateDot1XConfiguration', 'a', { authority: times(1000, () => 'root').join('</tt:CACertificateID><tt:CACertificateID>') }),
    'Sender/InvalidArgVal/CACertificateID',
  ],
  ['a subject of a megabyte', createCertificate('a', name('CN='.padEnd(1_000_000, 'x'))), 'Sender/InvalidArgVal/InvalidSubject'],
  ['a subject of 10,000 parts', createCertificate('a', name(times(10_000, () => 'CN=x').join(','))), 'Sender/InvalidArgVal/InvalidSubject'],
  ['a subject that is read from the right', createCertificate('a', name('CN=\u202egpj.exe')), 'Sender/InvalidArgVal/InvalidSubject'],
  ['an ID of a megabyte', createCertificate('x'.repeat(1_000_000)), 'Sender/InvalidArgVal/CertificateID'],
  [
    'a password of a megabyte',
    dot1x('CreateDot1XConfiguration', 'a', { own: `<tt:Password>${'x'.repeat(1_000_000)}</tt:Password>` }),
    'Sender/InvalidArgVal',
  ],
]

test('what is too large, too much or made to deceive is refused in no time, and changes nothing', async t => {
  const device = await testDevice(t)
  assert.equal((await device.ask(createCertificate('mine'))).fault, undefined)
  assert.equal((await device.ask(loadAuthorities(['root', root.der]))).fault, undefined)
  const before = await exportedState(device)
  for (const [what, body, fault] of hostile) {
    const began = process.cpuUsage()
    const answer = await device.ask(body)
    const { user, system } = process.cpuUsage(began)
    t.diagnostic(`${what}, ${Math.round(body.length / 1000)} KB: ${Math.round((user + system) / 1000)} ms of CPU`)
    assert.equal(answer.fault, fault, `${what}: ${answer.reason}`)
    assert.ok((answer.reason ?? '').length < 500, `${what}: it is not repeated`)
    assert.ok(user + system < 1_000_000, what)
  }
  assert.deepEqual(await exportedState(device), before)
})

test('a certificate or key that is cut off anywhere is none', async t => {
  const { perform, store } = await createTestDevice(t)
  const before = store.exportDocuments()
  const format = raises('Sender/InvalidArgVal/CertificateFormat')
  for (let length = 0; length < root.der.length; length++) {
    const Certificate = { Data: root.der.subarray(0, length) }
    await assert.rejects(perform('LoadCACertificates', { CACertificate: [{ CertificateID: 'a', Certificate }] }), format, `${length} bytes`)
  }
  for (let length = 0; length < root.pkcs8.length; length++) {
    const pair = { Certificate: { Data: root.der }, PrivateKey: { Data: root.pkcs8.subarray(0, length) } }
    await assert.rejects(perform('LoadCertificateWithPrivateKey', { CertificateWithPrivateKey: [pair] }), format, `${length} bytes`)
  }
  assert.deepEqual(store.exportDocuments(), before)
})

test('as many certificates as there is room for come in one message, in bounded time', async t => {
  const { perform } = await createTestDevice(t)
  const roots = await Promise.all(times(limits.certificatesMax, index => makeIdentity(`${index}`, { isAuthority: true })))
  const CACertificate = roots.map(({ der }, index) => ({ CertificateID: `${index}`, Certificate: { Data: der } }))
  const began = process.cpuUsage()
  await perform('LoadCACertificates', { CACertificate })
  const { user, system } = process.cpuUsage(began)
  t.diagnostic(`${Math.round((user + system) / 1000)} ms of CPU for ${limits.certificatesMax}`)
  assert.ok(user + system < 2_000_000)
  assert.equal((await perform('GetCACertificates', {})).CACertificate?.length, limits.certificatesMax)
})
