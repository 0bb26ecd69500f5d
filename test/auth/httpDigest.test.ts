import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Account, Checked } from '../../src/auth/account.ts'
import { createHttpDigest, digestResponse } from '../../src/auth/httpDigest.ts'
import { limits } from '../../src/limits.ts'
import { accountsOf, admin, authorizationOf, type DigestAnswer, nonceIn, responseOf, target, testClock } from './support.ts'

function setUp(...accounts: readonly Account[]) {
  const clock = testClock()
  const digest = createHttpDigest(clock, { name: '', level: 'User', password: 'nobody-knows' })
  const known = accountsOf(admin, ...accounts)
  return {
    clock,
    digest,
    nonce: () => nonceIn(digest.challenges(false)[0]),
    check: (authorization: string, on = target, method = 'POST'): Checked => digest.check({ method, target: on, authorization }, known),
    answer: (answer: DigestAnswer, on = target): Checked =>
      digest.check({ method: 'POST', target: on, authorization: authorizationOf(answer) }, known),
  }
}

const right = { kind: 'right', account: admin }
const stale = (checked: Checked) => checked.kind === 'unusable' && checked.stale
const refused = (checked: Checked) => checked.kind === 'unusable' && !checked.stale

test('the responses of RFC 7616 3.9.1', () => {
  const fields = {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    nc: '00000001',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    qop: 'auth',
  }
  assert.equal(digestResponse({ digest: 'md5' }, fields, 'Circle of Life', 'GET'), '8ca523f5e9506fed4657c9700eebdbec')
  assert.equal(
    digestResponse({ digest: 'sha256' }, fields, 'Circle of Life', 'GET'),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  )
})

test('MD5 is offered first, then SHA-256, each on a line of its own, and never Basic', () => {
  const { digest } = setUp()
  const form = /^Digest realm="onvifd", qop="auth", algorithm=(MD5|SHA-256), nonce="[\w-]{36}"(, stale=true)?$/
  assert.deepEqual(
    digest.challenges(false).map(line => form.exec(line)?.slice(1)),
    [
      ['MD5', undefined],
      ['SHA-256', undefined],
    ],
  )
  assert.deepEqual(
    digest.challenges(true).map(line => form.exec(line)?.[2]),
    [', stale=true', ', stale=true'],
  )
})

test('no nonce is given twice', () => {
  const { nonce } = setUp()
  assert.equal(new Set(Array.from({ length: 1000 }, nonce)).size, 1000)
})

/** How clients spell the same answer (client-quirks 7 and the table of section 2). */
const spellings: Record<string, (nonce: string) => string> = {
  curl: nonce => authorizationOf({ nonce, cnonce: 'ZmFkMjA=' }),
  'agsh onvif, which prefers SHA-256': nonce =>
    `Digest username="admin",realm="onvifd",nonce="${nonce}",uri="${target}",algorithm=SHA-256,qop="auth",nc=00000001,cnonce="k",response="${responseOf({ nonce, algorithm: 'SHA-256', cnonce: 'k' })}"`,
  'PHP, with algorithm and qop in quotes': nonce =>
    `Digest username="admin", realm="onvifd", qop="auth", algorithm="MD5", nonce="${nonce}", nc=00000001, cnonce="k", uri="${target}", response="${responseOf({ nonce, cnonce: 'k' })}"`,
  'gSOAP, with quotes and line-end blanks': nonce =>
    `Digest realm="onvifd", username="admin", nonce="${nonce}", uri="${target}", nc=00000001, cnonce="k", response="${responseOf({ nonce, cnonce: 'k' })}", algorithm="MD5", qop="auth"  `,
  'Qt, without algorithm': nonce =>
    `Digest username="admin", realm="onvifd", nonce="${nonce}", uri="${target}", response="${responseOf({ nonce, cnonce: 'k' })}", qop=auth, nc=00000001, cnonce="k"`,
  'python requests': nonce =>
    `Digest username="admin", realm="onvifd", nonce="${nonce}", uri="${target}", response="${responseOf({ nonce, cnonce: 'k' })}", algorithm="MD5", qop="auth", nc=00000001, cnonce="k"`,
  'WCF on .NET': nonce =>
    `Digest username="admin",realm="onvifd",nonce="${nonce}",uri="${target}",cnonce="k",nc=00000001,algorithm=MD5,response="${responseOf({ nonce, cnonce: 'k' })}",qop="auth"`,
  'other case, blanks and an empty element': nonce =>
    `digest USERNAME = "admin" ,, Realm="onvifd",\tnonce="${nonce}", uri="${target}", algorithm=md5, cnonce="k", NC=00000001, qop=auth, response="${responseOf({ nonce, cnonce: 'k' }).toUpperCase()}",`,
  'escapes in a quoted text': nonce =>
    `Digest username="ad\\min", realm="onvifd", nonce="${nonce}", uri="${target}", cnonce="a\\"b,c=d", nc=00000001, qop=auth, response="${responseOf({ nonce, cnonce: 'a"b,c=d' })}"`,
  'fields that nobody knows': nonce => `${authorizationOf({ nonce })}, opaque="x", userhash=false, charset=UTF-8, auth-param="1"`,
  'the user name in its extended form': nonce => authorizationOf({ nonce }).replace('username="admin"', "username*=UTF-8''%61dmin"),
}

for (const [client, spell] of Object.entries(spellings))
  test(`an answer as spelled by ${client} is understood`, () => {
    const { nonce, check } = setUp()
    assert.deepEqual(check(spell(nonce())), right)
  })

test('names and passwords beyond ASCII are taken in UTF-8', () => {
  const user: Account = { name: 'Jürgen 😀', level: 'User', password: 'Grüße aus Köln' }
  const { nonce, check } = setUp(user)
  const header = (made: string) => authorizationOf({ nonce: made, user: user.name, password: user.password })
  const asNodeGivesIt = (text: string) => Buffer.from(text).toString('latin1')
  assert.deepEqual(check(asNodeGivesIt(header(nonce()))), { kind: 'right', account: user })
  const extended = header(nonce()).replace(`username="${user.name}"`, `username*=UTF-8''${encodeURIComponent(user.name)}`)
  assert.deepEqual(check(extended), { kind: 'right', account: user })
})

/** Each would be right without the change. */
const spoilt: Record<string, (header: string, nonce: string) => string> = {
  'of the Basic scheme': () => `Basic ${Buffer.from('admin:Correct-horse-7').toString('base64')}`,
  empty: () => '',
  'a scheme alone': () => 'Digest',
  'of a scheme that only begins alike': header => header.replace('Digest', 'Digestive'),
  'without a user': header => header.replace(/username="[^"]*", /, ''),
  'with two users': header => `${header}, username="admin"`,
  'with two spellings of the user': header => `${header}, username*=UTF-8''admin`,
  'with a malformed extended user': header => header.replace('username="admin"', "username*=UTF-8''%6"),
  'with an extended user in Latin-1': header => header.replace('username="admin"', "username*=ISO-8859-1''admin"),
  'without nonce': header => header.replace(/nonce="[^"]*", /, ''),
  'without uri': header => header.replace(/uri="[^"]*", /, ''),
  'without response': header => header.replace(/response="[^"]*", /, ''),
  'without qop, as RFC 2069 has it': header =>
    header
      .replace('qop=auth, ', '')
      .replace(/nc=\w+, /, '')
      .replace(/cnonce="[^"]*", /, ''),
  'without nc': header => header.replace(/nc=\w+, /, ''),
  'without cnonce': header => header.replace(/cnonce="[^"]*", /, ''),
  'with a field twice': header => `${header}, nc=00000001`,
  'with another realm': header => header.replace('realm="onvifd"', 'realm="other"'),
  'with an algorithm that was not offered': header => header.replace('algorithm=MD5', 'algorithm=MD5-sess'),
  'with the response of another algorithm': (_, nonce) =>
    authorizationOf({ nonce, algorithm: 'SHA-256' }).replace('algorithm=SHA-256', 'algorithm=MD5'),
  'with auth-int': (_, nonce) => authorizationOf({ nonce, qop: 'auth-int' }),
  'for another path': (_, nonce) => authorizationOf({ nonce, uri: '/onvif/upload/ticket' }),
  'for the path with a query': (_, nonce) => authorizationOf({ nonce, uri: `${target}?wsdl` }),
  'with a hashed user name': header => `${header}, userhash=true`,
  'with nc of seven digits': (_, nonce) => authorizationOf({ nonce, nc: '0000001' }),
  'with nc that is no number': (_, nonce) => authorizationOf({ nonce, nc: '0000000g' }),
  'with a nonce of our own making': () => authorizationOf({ nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' }),
  'with a response that is no number': header => header.replace(/response="[0-9a-f]/, 'response="x'),
  'without commas': header => header.replaceAll(',', ''),
  'with an unclosed quote': header => `${header}, opaque="`,
  'longer than any client makes it': header => `${header}, opaque="${'x'.repeat(limits.authorizationCharactersMax)}"`,
}

for (const [what, spoil] of Object.entries(spoilt))
  test(`a header ${what} is refused, and counts as no guess`, () => {
    const { nonce, check } = setUp()
    const made = nonce()
    const header = authorizationOf({ nonce: made })
    const checked = check(spoil(header, made))
    assert.ok(refused(checked), JSON.stringify(checked))
    assert.deepEqual(check(header), right, 'nothing else was wrong with it')
  })

test('a wrong password, an unknown user, another method and a changed field are wrong answers', () => {
  const { nonce, answer, check } = setUp()
  assert.deepEqual(answer({ nonce: nonce(), password: 'wrong' }), { kind: 'wrong', name: 'admin' })
  assert.deepEqual(answer({ nonce: nonce(), user: 'stranger' }), { kind: 'wrong', name: 'stranger' })
  assert.deepEqual(answer({ nonce: nonce(), user: 'stranger', password: 'nobody-knows' }), { kind: 'wrong', name: 'stranger' })
  assert.equal(check(authorizationOf({ nonce: nonce() }), target, 'GET').kind, 'wrong')
  assert.equal(check(authorizationOf({ nonce: nonce() }).replace('nc=00000001', 'nc=00000002')).kind, 'wrong')
})

for (const [uri, on] of [
  [target, target],
  [`http://192.0.2.1${target}`, target],
  [target, `http://192.0.2.1:8080${target}`],
  [`HTTPS://device${target}`, target],
  [`${target}?a=b`, `${target}?a=b`],
  ['http://device', '/'],
] as const)
  test(`uri ${uri} belongs to target ${on}`, () => {
    const { nonce, answer } = setUp()
    assert.deepEqual(answer({ nonce: nonce(), uri }, on), right)
  })

test('a request that is sent again is refused with a new nonce', () => {
  const { nonce, answer } = setUp()
  const made = nonce()
  assert.deepEqual(answer({ nonce: made }), right)
  assert.ok(stale(answer({ nonce: made })))
  assert.ok(stale(answer({ nonce: made, cnonce: 'other' })), 'the count is what matters')
  assert.deepEqual(answer({ nonce: made, nc: '00000002' }), right)
})

test('a wrong answer uses up no count', () => {
  const { nonce, answer } = setUp()
  const made = nonce()
  assert.equal(answer({ nonce: made, password: 'wrong' }).kind, 'wrong')
  assert.deepEqual(answer({ nonce: made }), right)
})

test('parallel requests may come out of order, and each only once', () => {
  const { nonce, answer } = setUp()
  const made = nonce()
  const hex = (count: number) => count.toString(16).padStart(8, '0')
  const arrival = [5, 1, 3, 2, 40, 12, 39, 41, 10, 0xffffffff, 0xfffffff0]
  for (const count of arrival) assert.deepEqual(answer({ nonce: made, nc: hex(count) }), right, `count ${count}`)
  for (const count of arrival) assert.ok(stale(answer({ nonce: made, nc: hex(count) })), `count ${count} again`)
  assert.ok(stale(answer({ nonce: made, nc: hex(0xffffffff - limits.nonceCountsMax) })), 'too far behind to tell')
  assert.deepEqual(answer({ nonce: made, nc: hex(0xffffffff - limits.nonceCountsMax + 1) }), right)
})

test('a nonce lives as long as it should and not longer, used or not', async () => {
  const { clock, nonce, answer } = setUp()
  const [kept, unused] = [nonce(), nonce()]
  assert.deepEqual(answer({ nonce: kept }), right)
  await clock.pass(limits.nonceLifetimeMs)
  assert.deepEqual(answer({ nonce: kept, nc: '00000002' }), right)
  await clock.pass(1)
  for (const old of [kept, unused]) assert.ok(stale(answer({ nonce: old, nc: '00000003' })))
})

test('the clock of the device may be set without ending a nonce', () => {
  const { clock, nonce, answer } = setUp()
  const made = nonce()
  clock.jump(-86_400_000)
  assert.deepEqual(answer({ nonce: made }), right)
})

test('a nonce from before a restart is old, and tells nobody whether the password was right', () => {
  const made = setUp().nonce()
  const { answer } = setUp()
  assert.ok(stale(answer({ nonce: made })))
  assert.ok(stale(answer({ nonce: made, password: 'wrong' })))
})

test('a nonce with one character changed is not taken for ours', () => {
  const { nonce, answer } = setUp()
  const made = nonce()
  for (let i = 0; i < made.length; i++) {
    const changed = `${made.slice(0, i)}${made[i] === 'A' ? 'B' : 'A'}${made.slice(i + 1)}`
    assert.equal(answer({ nonce: changed }).kind, 'unusable', `character ${i}`)
  }
})

test('challenges cost no memory, and when more clients come than fit, replays are still refused', () => {
  const { nonce, answer } = setUp()
  const made = Array.from({ length: limits.noncesMax + 10 }, nonce)
  for (const each of made) assert.deepEqual(answer({ nonce: each }), right)
  for (const each of [...made.slice(0, 20), ...made.slice(-20)]) assert.ok(stale(answer({ nonce: each })))
  assert.deepEqual(answer({ nonce: made.at(-1) ?? '', nc: '00000002' }), right, 'the latest go on')
})

test('hostile headers are read in one pass', () => {
  const { check } = setUp()
  const long = limits.authorizationCharactersMax - 20
  const began = performance.now()
  for (const piece of [' ', ',', 'a=', 'a="', 'a="\\', '\\"', '"', 'a=b ', '=', 'a="",', '%', '\t,', randomBytes(8).toString('latin1')]) {
    const header = `Digest ${piece.repeat(Math.floor(long / piece.length))}`
    assert.ok(refused(check(header)), JSON.stringify(piece))
    assert.ok(refused(check(`${header}x`)))
    assert.ok(refused(check(`Digest a="${piece.repeat(long / 2 / piece.length)}`)))
  }
  // A quadratic reader takes seconds.
  assert.ok(performance.now() - began < 500)
})

test('only what is offered now is taken, and whoever answers an older challenge is told to ask anew', () => {
  let offered = ['SHA-256', 'MD5']
  const digest = createHttpDigest(testClock(), { name: '', level: 'User', password: 'nobody-knows' }, () => offered)
  const check = (algorithm: 'MD5' | 'SHA-256', nc: string, nonce: string, password = admin.password) =>
    digest.check({ method: 'POST', target, authorization: authorizationOf({ nonce, nc, algorithm, password }) }, accountsOf(admin))
  const algorithms = () => digest.challenges(false).map(line => /algorithm=([^,]+)/.exec(line)?.[1])
  const nonce = nonceIn(digest.challenges(false)[0])
  assert.deepEqual(algorithms(), ['SHA-256', 'MD5'])
  assert.deepEqual(check('MD5', '00000001', nonce), right)
  offered = ['SHA-256']
  assert.deepEqual(algorithms(), ['SHA-256'])
  assert.ok(stale(check('MD5', '00000002', nonce)))
  assert.ok(stale(check('MD5', '00000002', nonce, 'wrong')), 'the password is not looked at')
  assert.deepEqual(check('SHA-256', '00000002', nonce), right)
})
