import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerChallenge, createDigestLogin, strongest } from '../../src/client/digest.ts'

const rfc = {
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  qop: true,
  stale: false,
}
const mufasa = {
  user: 'Mufasa',
  password: 'Circle of Life',
  method: 'GET',
  target: '/dir/index.html',
  count: 1,
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
}
const field = (header: string, name: string) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(header)?.[1]

test('answers as the examples of RFC 7616 3.9.1 do', () => {
  const md5 = answerChallenge({ challenge: { ...rfc, algorithm: 'MD5' }, ...mufasa })
  assert.equal(field(md5, 'response'), '8ca523f5e9506fed4657c9700eebdbec')
  const sha256 = answerChallenge({ challenge: { ...rfc, algorithm: 'SHA-256' }, ...mufasa })
  assert.equal(field(sha256, 'response'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
  assert.equal(field(sha256, 'algorithm'), 'SHA-256')
  assert.match(sha256, /qop=auth, nc=00000001, cnonce="/)
})

test('answers a challenge without qop as RFC 2069 has it, and without the fields of later', () => {
  const challenge = {
    realm: 'testrealm@host.com',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    opaque: undefined,
    algorithm: undefined,
    qop: false,
    stale: false,
  }
  // RFC 2069 2.4, with erratum 749.
  const header = answerChallenge({ ...mufasa, password: 'CircleOfLife', challenge })
  assert.equal(field(header, 'response'), '1949323746fe6a43ef61f9606e7febea')
  assert.doesNotMatch(header, /qop|nc=|cnonce|opaque|algorithm/)
})

test('takes the strongest challenge it can answer, wherever it stands', () => {
  const md5 = 'Digest realm="a", nonce="1", qop="auth", algorithm=MD5'
  const sha = 'Digest realm="a", nonce="2", qop="auth", algorithm=SHA-256'
  assert.equal(strongest([md5, sha])?.nonce, '2')
  assert.equal(strongest([`Basic realm="b, Digest x", ${md5}, ${sha}`])?.nonce, '2')
  assert.equal(strongest([`Negotiate, ${md5}`])?.nonce, '1')
  assert.equal(strongest(['digest REALM="a",NONCE="3"'])?.nonce, '3')
  assert.equal(strongest([md5, 'Digest realm="a", nonce="4", algorithm=SHA-512-256, qop="auth"'])?.nonce, '1')
  assert.equal(strongest(['Digest realm="say \\"hi\\", you", nonce="5"'])?.realm, 'say "hi", you')
  assert.equal(strongest(['Digest realm="a", qop="auth-int", nonce="6"']), undefined)
  assert.equal(strongest(['Basic realm="nonce=7"', 'Digest realm="a"', 'Bearer', '']), undefined)
})

test('reads a hostile header of Node’s full size in no time', () => {
  const began = performance.now()
  for (const piece of ['a', 'a=', 'a ', '"', ',', 'Digest ', 'Digest a="\\']) strongest([`Digest ${piece.repeat(16_384 / piece.length)}`])
  assert.ok(performance.now() - began < 150)
})

test('counts the requests on one nonce and begins anew on another', () => {
  const login = createDigestLogin('admin', 'secret')
  assert.equal(login.authorization('POST', '/'), undefined)
  assert.equal(login.challenged(['Digest realm="a", nonce="one", qop="auth"']), 'retry')
  assert.match(login.authorization('POST', '/') ?? '', /nonce="one".*nc=00000001/)
  assert.match(login.authorization('POST', '/') ?? '', /nonce="one".*nc=00000002/)
  login.answered(['nextnonce="two"'])
  assert.match(login.authorization('POST', '/') ?? '', /nonce="two".*nc=00000001/)
  assert.notEqual(field(login.authorization('POST', '/') ?? '', 'cnonce'), field(login.authorization('POST', '/') ?? '', 'cnonce'))
})

test('gives up when a fresh nonce is refused, and not when the nonce was merely old', () => {
  const login = createDigestLogin('admin', 'wrong')
  const challenge = 'Digest realm="a", nonce="one", qop="auth"'
  assert.equal(login.challenged([challenge]), 'retry')
  login.authorization('POST', '/')
  assert.equal(login.challenged([`${challenge}, stale=true`]), 'retry')
  login.authorization('POST', '/')
  assert.equal(login.challenged([challenge]), 'refused')
  assert.equal(login.challenged(['Basic realm="a"']), 'unsupported')
})

test('writes names with quotes, and beyond ASCII, as RFC 7616 3.4 says', () => {
  const challenge = { ...rfc, algorithm: 'SHA-256' }
  assert.match(answerChallenge({ ...mufasa, challenge, user: 'a"b\\c' }), /^Digest username="a\\"b\\\\c", /)
  assert.match(answerChallenge({ ...mufasa, challenge, user: "Jäsøn's" }), /^Digest username\*=UTF-8''J%C3%A4s%C3%B8n%27s, /)
})
