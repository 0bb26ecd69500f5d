import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordDigest, securityHeader } from '../../src/client/usernameToken.ts'
import { parseXml } from '../../src/soap/xml.ts'

test('the digest is that of the ONVIF application programmer’s guide', () => {
  const nonce = Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64')
  assert.equal(passwordDigest(nonce, '2010-09-16T07:50:45Z', 'userpassword'), 'tuOSpGlFlIXsozq4HFNeeGeFLEI=')
})

test('the header is well-formed whatever the user is called, and never carries the password', () => {
  const header = securityHeader('a<b>&"c', 'p<w>&"d', new Date(0))
  const token = parseXml(header).children[0]
  assert.equal(token?.children[0]?.text, 'a<b>&"c')
  assert.equal(token?.children[3]?.text, '1970-01-01T00:00:00.000Z')
  assert.doesNotMatch(header, /p<w>|p&lt;w/)
})

test('no two headers have the same nonce', () => {
  const nonce = () => parseXml(securityHeader('a', 'b', new Date(0))).children[0]?.children[2]?.text
  assert.notEqual(nonce(), nonce())
})
