import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { mock, test } from 'node:test'
import { inspect } from 'node:util'
import type { Account } from '../../src/auth/account.ts'
import { type Attempt, createAuthenticator, type Verdict } from '../../src/auth/authenticate.ts'
import type { UsernameToken } from '../../src/auth/usernameToken.ts'
import { limits } from '../../src/limits.ts'
import { admin, authorizationOf, memoryJournal, nonceIn, target, testClock, tokenOf, viewer } from './support.ts'

function setUp() {
  const clock = testClock()
  const users = new Map<string, Account>([admin, viewer].map(account => [account.name, account]))
  const { journal, asked } = memoryJournal()
  const authenticator = createAuthenticator({ accounts: { find: name => users.get(name) }, clock, journal })
  const attempt = (parts: Partial<Attempt>) =>
    authenticator.authenticate({ method: 'POST', target, authorization: undefined, token: undefined, remoteAddress: '192.0.2.1', ...parts })
  return {
    clock,
    users,
    asked,
    authenticator,
    attempt,
    http: (account: Account = admin) =>
      authorizationOf({ nonce: nonceIn(authenticator.challenges(false)[0]), user: account.name, password: account.password }),
    token: (account: Account = admin) => tokenOf(account, clock.now().toISOString()),
  }
}

type SetUp = ReturnType<typeof setUp>

const known = (account: Account): Verdict => ({ kind: 'known', caller: { name: account.name, level: account.level } })
const wrong: Account = { ...admin, password: 'wrong' }
const stranger: Account = { ...admin, name: 'stranger' }

/** `kind` of the verdict, and where it is a refusal, whose fault it was. */
function gist(verdict: Verdict | Promise<Verdict>): string {
  if (verdict instanceof Promise) return 'waits'
  return verdict.kind === 'refused' ? `refused by ${verdict.by}${verdict.stale ? ', stale' : ''}` : verdict.kind
}

type Layer<T> = (device: SetUp) => T | undefined
const noHttp: Layer<string> = () => undefined
const noToken: Layer<UsernameToken> = () => undefined
const staleHttp: Layer<string> = () => setUp().http()
const oldToken: Layer<UsernameToken> = device =>
  tokenOf(admin, new Date(device.clock.now().getTime() - limits.tokenWindowMs - 1).toISOString())

function usedToken(device: SetUp): UsernameToken {
  const token = device.token()
  assert.equal(gist(device.attempt({ token })), 'known')
  return token
}

const combinations: readonly (readonly [http: string, Layer<string>, token: string, Layer<UsernameToken>, expected: string])[] = [
  ['no', noHttp, 'no', noToken, 'anonymous'],
  ['right', device => device.http(), 'no', noToken, 'known'],
  ['wrong', device => device.http(wrong), 'no', noToken, 'refused by http'],
  ['unknown', device => device.http(stranger), 'no', noToken, 'refused by http'],
  ['stale', staleHttp, 'no', noToken, 'refused by http, stale'],
  ['Basic', () => 'Basic YWRtaW46Q29ycmVjdC1ob3JzZS03', 'no', noToken, 'refused by http'],
  ['empty', () => '', 'no', noToken, 'refused by http'],
  ['no', noHttp, 'right', device => device.token(), 'known'],
  ['no', noHttp, 'wrong', device => device.token(wrong), 'refused by message'],
  ['no', noHttp, 'unknown', device => device.token(stranger), 'refused by message'],
  ['no', noHttp, 'old', oldToken, 'refused by message'],
  ['no', noHttp, 'repeated', usedToken, 'refused by message'],
  ['right', device => device.http(), 'right', device => device.token(), 'known'],
  ['right', device => device.http(), 'repeated', usedToken, 'known'],
  ['right', device => device.http(), 'wrong', device => device.token(wrong), 'refused by message'],
  ['right', device => device.http(), 'old', oldToken, 'refused by message'],
  ['right', device => device.http(), 'another user’s right', device => device.token(viewer), 'refused by message'],
  ['wrong', device => device.http(wrong), 'right', device => device.token(), 'refused by http'],
  ['Basic', () => 'Basic YWRtaW46Q29ycmVjdC1ob3JzZS03', 'right', device => device.token(), 'refused by http'],
  ['stale', staleHttp, 'right', device => device.token(), 'refused by http, stale'],
]

for (const [httpName, http, tokenName, token, expected] of combinations)
  test(`${httpName} HTTP Digest and ${tokenName} token → ${expected}`, () => {
    const device = setUp()
    assert.equal(gist(device.attempt({ authorization: http(device), token: token(device) })), expected)
  })

test('a token that came beside HTTP Digest cannot be used alone afterwards', () => {
  const { attempt, http, token } = setUp()
  const both = token()
  assert.equal(gist(attempt({ authorization: http(), token: both })), 'known')
  assert.equal(gist(attempt({ token: both })), 'refused by message')
})

test('the caller is a name and a level, without the password', () => {
  const { attempt, http } = setUp()
  const verdict = attempt({ authorization: http() })
  assert.deepEqual(verdict, known(admin))
  assert.ok(!inspect(verdict, { depth: 9, showHidden: true }).includes(admin.password))
})

test('a refusal quotes nothing that the client sent', () => {
  const { attempt, http, token } = setUp()
  const names = ['evil\r\nname', 'Correct-horse-7']
  for (const name of names)
    for (const parts of [{ authorization: http({ ...wrong, name }) }, { token: token({ ...wrong, name, password: name }) }])
      for (const sent of names) assert.ok(!JSON.stringify(attempt(parts)).includes(JSON.stringify(sent).slice(1, -1)))
})

test('a new level, a new password and a deletion hold for the next request', () => {
  const { attempt, users, token, http } = setUp()
  const authorization = http()
  users.set('admin', { ...admin, level: 'Operator' })
  assert.deepEqual(attempt({ authorization }), known({ ...admin, level: 'Operator' }))
  users.set('admin', { ...admin, password: 'New-password-9' })
  assert.equal(gist(attempt({ token: token() })), 'refused by message')
  users.delete('admin')
  assert.equal(gist(attempt({ token: token() })), 'refused by message')
})

test('an unknown user costs the work of a wrong password', () => {
  const { attempt, http, token } = setUp()
  const work = (parts: Partial<Attempt>): unknown[] => {
    const spy = mock.method(crypto, 'hash')
    syncBuiltinESMExports()
    assert.match(gist(attempt(parts)), /^refused/)
    spy.mock.restore()
    syncBuiltinESMExports()
    return spy.mock.calls.map(({ arguments: [algorithm] }) => algorithm)
  }
  const remoteAddresses = ['192.0.2.2', '192.0.2.3']
  const byHttp = [wrong, stranger].map((account, i) => work({ authorization: http(account), remoteAddress: remoteAddresses[i] ?? '' }))
  const byToken = [wrong, stranger].map((account, i) => work({ token: token(account), remoteAddress: remoteAddresses[i] ?? '' }))
  for (const [one, other] of [byHttp, byToken]) {
    assert.ok(one && one.length >= 2, 'digests were counted')
    assert.deepEqual(one, other)
  }
})

/** Wrong passwords until an attempt would have to wait. */
function useUpFreeGuesses({ attempt, token }: SetUp, remoteAddress = '192.0.2.1'): void {
  for (let i = 0; i < limits.guessesFree; i++) assert.equal(gist(attempt({ token: token(wrong), remoteAddress })), 'refused by message')
}

test('after some wrong passwords an address has to wait, longer each time, up to a bound', async () => {
  const device = setUp()
  useUpFreeGuesses(device)
  const pauses: number[] = []
  for (let i = 0; i < 8; i++) {
    const verdict = device.attempt({ token: device.token(wrong) })
    assert.equal(gist(verdict), 'waits')
    let done = false
    void Promise.resolve(verdict).then(() => {
      done = true
    })
    let pause = 0
    while (!done) {
      await device.clock.pass(50)
      pause += 50
    }
    assert.equal(gist(await verdict), 'refused by message')
    pauses.push(pause)
  }
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 4000, 4000, 4000])
})

test('guesses sent at once get their turns one after the other, and too many are refused unseen', async () => {
  const device = setUp()
  useUpFreeGuesses(device)
  const verdicts = Array.from({ length: 200 }, () => device.attempt({ authorization: device.http(wrong) }))
  const waiting = verdicts.filter(verdict => verdict instanceof Promise)
  assert.equal(waiting.length, limits.guessPauseMaxMs / limits.guessPauseMinMs)
  assert.ok(verdicts.filter(verdict => !(verdict instanceof Promise)).every(verdict => gist(verdict) === 'refused by http'))
  assert.equal(device.clock.pending(), waiting.length)
  await device.clock.pass(limits.guessPauseMaxMs)
  for (const verdict of waiting) assert.equal(gist(await verdict), 'refused by http')
})

test('the number of attempts that wait is bounded over all addresses', async () => {
  const device = setUp()
  const addresses = Array.from({ length: limits.guessesWaitingMax + 5 }, (_, i) => `198.51.100.${i}`)
  for (const address of addresses) useUpFreeGuesses(device, address)
  const verdicts = addresses.map(remoteAddress => device.attempt({ token: device.token(), remoteAddress }))
  assert.equal(verdicts.filter(verdict => verdict instanceof Promise).length, limits.guessesWaitingMax)
  await device.clock.pass(limits.guessPauseMaxMs)
  for (const verdict of verdicts.slice(0, limits.guessesWaitingMax)) assert.deepEqual(await verdict, known(admin))
  useUpFreeGuesses(device, '203.0.113.1')
  assert.equal(gist(device.attempt({ token: device.token(), remoteAddress: '203.0.113.1' })), 'waits', 'and places are given back')
})

test('guessing is counted over both layers, and for unknown users, too', () => {
  const { attempt, http, token } = setUp()
  assert.equal(gist(attempt({ authorization: http(wrong) })), 'refused by http')
  assert.equal(gist(attempt({ token: token(stranger) })), 'refused by message')
  assert.equal(gist(attempt({ authorization: http(), token: token(wrong) })), 'refused by message')
  assert.equal(gist(attempt({ token: token() })), 'waits')
})

test('from another address nobody waits', () => {
  const device = setUp()
  for (const guesser of ['192.0.2.1', '127.0.0.1', '2001:db8:1:2::3']) {
    useUpFreeGuesses(device, guesser)
    assert.equal(gist(device.attempt({ token: device.token(), remoteAddress: guesser })), 'waits')
  }
  for (const remoteAddress of ['192.0.2.2', '::1', '2001:db8:1:3::3'])
    assert.equal(gist(device.attempt({ token: device.token(), remoteAddress })), 'known')
})

for (const [one, other] of [
  ['2001:db8:1:2::3', '2001:0DB8:1:2:ffff:ffff:ffff:ffff'],
  ['fe80::1%eth0', 'fe80::2%eth1'],
  ['::1', '0:0:0:0:5::'],
  ['::ffff:192.0.2.9', '192.0.2.9'],
] as const)
  test(`${one} and ${other} are one source`, () => {
    const device = setUp()
    useUpFreeGuesses(device, one)
    assert.equal(gist(device.attempt({ token: device.token(), remoteAddress: other })), 'waits')
  })

test('a success takes back the typing errors of that user', async () => {
  const device = setUp()
  useUpFreeGuesses(device)
  const verdict = device.attempt({ token: device.token() })
  await device.clock.pass(limits.guessPauseMaxMs)
  assert.deepEqual(await verdict, known(admin))
  useUpFreeGuesses(device)
})

test('whoever has one password cannot buy free guesses at another with it', () => {
  const device = setUp()
  for (let i = 0; i < limits.guessesFree; i++) {
    assert.equal(gist(device.attempt({ token: device.token(wrong) })), 'refused by message')
    if (i < limits.guessesFree - 1) assert.equal(gist(device.attempt({ token: device.token(viewer) })), 'known')
  }
  assert.equal(gist(device.attempt({ token: device.token(wrong) })), 'waits')
})

test('an address that was quiet for long begins anew', async () => {
  const device = setUp()
  useUpFreeGuesses(device)
  await device.clock.pass(limits.guessMemoryMs + 1)
  useUpFreeGuesses(device)
  assert.equal(gist(device.attempt({ token: device.token() })), 'waits')
})

test('and one that goes on slowly does not', async () => {
  const device = setUp()
  for (let i = 0; i < limits.guessesFree; i++) {
    assert.equal(gist(device.attempt({ token: device.token(wrong) })), 'refused by message')
    await device.clock.pass(limits.guessMemoryMs - 1)
  }
  assert.equal(gist(device.attempt({ token: device.token(wrong) })), 'refused by message', 'its turn has come long ago')
  assert.equal(gist(device.attempt({ token: device.token(wrong) })), 'waits')
})

test('what is no guess is never counted', () => {
  const device = setUp()
  const token = usedToken(device)
  const stale = staleHttp(device)
  for (let i = 0; i < 50; i++) {
    assert.equal(gist(device.attempt({})), 'anonymous')
    assert.equal(gist(device.attempt({ token })), 'refused by message')
    assert.equal(gist(device.attempt({ token: oldToken(device) })), 'refused by message')
    assert.equal(gist(device.attempt({ authorization: stale })), 'refused by http, stale')
    assert.equal(gist(device.attempt({ authorization: 'Basic YWRtaW46d3Jvbmc=' })), 'refused by http')
    assert.equal(gist(device.attempt({ authorization: 'Digest nonsense' })), 'refused by http')
  }
  assert.equal(gist(device.attempt({ token: device.token() })), 'known')
})

test('no more addresses are remembered than there is room for, and the latest are', () => {
  const device = setUp()
  const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
  for (let i = 0; i <= limits.guessSourcesMax; i++) useUpFreeGuesses(device, address(i))
  assert.equal(gist(device.attempt({ token: device.token(), remoteAddress: address(0) })), 'known')
  assert.equal(gist(device.attempt({ token: device.token(), remoteAddress: address(limits.guessSourcesMax) })), 'waits')
})

test('a good log-in is answered at once, without a timer', () => {
  const device = setUp()
  for (let i = 0; i < 3; i++) assert.deepEqual(device.attempt({ token: device.token() }), known(admin))
  assert.equal(device.clock.pending(), 0)
})

test('a name that JavaScript knows is nobody', () => {
  const { attempt, token } = setUp()
  for (const name of ['__proto__', 'constructor', ''])
    assert.equal(gist(attempt({ token: token({ ...admin, name }), remoteAddress: name })), 'refused by message')
})

test('every wrong password and unknown user is told of once, and nothing else is', async () => {
  const clock = testClock()
  const told: string[] = []
  const { journal } = memoryJournal()
  const authenticator = createAuthenticator({
    accounts: { find: name => (name === admin.name ? admin : undefined) },
    clock,
    journal,
    failed: from => void told.push(from),
  })
  const attempt = (remoteAddress: string, token: UsernameToken | undefined, authorization?: string) =>
    authenticator.authenticate({ method: 'POST', target, authorization, token, remoteAddress })
  const now = clock.now().toISOString()
  const used = tokenOf(admin, now)
  for (const token of [undefined, used, used, tokenOf(wrong, now, { passwordType: 'PasswordText' })]) await attempt('192.0.2.1', token)
  assert.deepEqual(told, [])
  await attempt('192.0.2.2', tokenOf(wrong, now))
  await attempt('192.0.2.3', tokenOf(stranger, now))
  await attempt('192.0.2.4', undefined, authorizationOf({ nonce: nonceIn(authenticator.challenges(false)[0]), password: 'wrong' }))
  assert.deepEqual(told, ['192.0.2.2', '192.0.2.3', '192.0.2.4'])
})

test('the roles of a user of the level Extended come with him', async () => {
  const clock = testClock()
  const extended: Account = { name: 'vera', level: 'Extended', roles: ['guard'], password: 'Nightshift-42' }
  const { journal } = memoryJournal()
  const { authenticate, permits } = createAuthenticator({ accounts: { find: () => extended }, clock, journal })
  const token = tokenOf(extended, clock.now().toISOString())
  const caller = { name: 'vera', level: 'Extended', roles: ['guard'] } as const
  assert.deepEqual(await authenticate({ method: 'POST', target, authorization: undefined, token, remoteAddress: '192.0.2.1' }), {
    kind: 'known',
    caller,
  })
  assert.equal(permits(caller, 'READ_SYSTEM', 'GetScopes'), false, 'nobody said that this role opens anything')
})
