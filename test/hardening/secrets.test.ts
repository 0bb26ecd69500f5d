import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { dot1x, loadWithKey } from '../support/certificateRequests.ts'
import { buildImage, main, startDaemon, temporaryFolder } from '../support/daemon.ts'
import { envelope, token } from '../support/device.ts'
import { makeIdentity } from '../support/identities.ts'
import { uploadKey, uploadPassphrase } from '../support/keystoreRequests.ts'
import { ask, authorizationFor, post } from './door.ts'

/** Everything that this test keeps secret, by what it is. No two are alike, and none is found anywhere by chance. */
const secrets = new Map<string, string>()

function secret(what: string): string {
  const marked = `Aa1-${randomBytes(9).toString('hex')}`
  secrets.set(what, marked)
  return marked
}

const admin = { name: 'admin', password: secret('first password') }
const user = (name: string, password: string) =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>User</tt:UserLevel></tds:User>`
const psk =
  '<tds:SetNetworkInterfaces><tds:InterfaceToken>wlan0</tds:InterfaceToken><tds:NetworkInterface><tt:Extension><tt:Dot11><tt:SSID>6f6e76696664</tt:SSID><tt:Mode>Infrastructure</tt:Mode><tt:Alias>home</tt:Alias><tt:Priority>1</tt:Priority><tt:Security><tt:Mode>PSK</tt:Mode><tt:PSK><tt:Passphrase>#</tt:Passphrase></tt:PSK></tt:Security></tt:Dot11></tt:Extension></tds:NetworkInterface></tds:SetNetworkInterfaces>'

/** What somebody does to whom a secret slips, each way a request that the device takes, refuses or does not understand. */
const requests: readonly (readonly [what: string, body: (secret: string) => string])[] = [
  ['password of a new user', word => `<tds:CreateUsers>${user('olga', word)}</tds:CreateUsers>`],
  ['password of a user that is refused', word => `<tds:CreateUsers>${user('olga', word)}</tds:CreateUsers>`],
  ['password that is changed', word => `<tds:SetUser>${user('olga', word)}</tds:SetUser>`],
  ['password of nobody', word => `<tds:SetUser>${user('nobody', word)}</tds:SetUser>`],
  ['too long a password', word => `<tds:SetUser>${user('olga', word + 'x'.repeat(200))}</tds:SetUser>`],
  [
    'password on another device',
    word =>
      `<tds:SetRemoteUser><tds:RemoteUser><tt:Username>far</tt:Username><tt:Password>${word}</tt:Password><tt:UseDerivedPassword>false</tt:UseDerivedPassword></tds:RemoteUser></tds:SetRemoteUser>`,
  ],
  [
    'password of a storage place',
    word =>
      `<tds:CreateStorageConfiguration><tds:StorageConfiguration type="CIFS"><tds:StorageUri>//nas/video</tds:StorageUri><tds:User><tds:UserName>ada</tds:UserName><tds:Password>${word}</tds:Password></tds:User></tds:StorageConfiguration></tds:CreateStorageConfiguration>`,
  ],
  ['passphrase of the keystore', word => uploadPassphrase(word, 'mine')],
  ['password of 802.1X', word => dot1x('CreateDot1XConfiguration', 'office', { own: `<tt:Password>${word}</tt:Password>` })],
  ['passphrase of the wireless network', word => psk.replace('#', word)],
  ['passphrase of a broken key', word => uploadKey(randomBytes(99), 'broken', word)],
  ['text where none belongs', word => `<tds:SetHostname><tds:Password>${word}</tds:Password></tds:SetHostname>`],
]

/** What a careless client writes into its request head, without being logged in. */
const heads: readonly (readonly [what: string, headers: (secret: string) => Readonly<Record<string, string>>])[] = [
  ['Basic', word => ({ authorization: `Basic ${Buffer.from(`admin:${word}`).toString('base64')}` })],
  ['Bearer', word => ({ authorization: `Bearer ${word}` })],
  ['a scheme of its own', word => ({ authorization: word })],
  ['a cookie', word => ({ cookie: `session=${word}` })],
  ['a User-Agent', word => ({ 'user-agent': word })],
]

async function goThroughEverything(t: TestContext, url: string, state: string): Promise<readonly string[]> {
  const answers: string[] = []
  for (const [what, body] of requests)
    for (const by of ['token', 'HTTP Digest'] as const) answers.push((await ask(url, body(secret(`${what}, by ${by}`)), by, admin)).all)
  for (const [what, headers] of heads) answers.push((await post(url, envelope('<tds:GetUsers/>'), headers(secret(what)))).all)
  const clear = token(admin).replace(/#PasswordDigest">[^<]*/, `#PasswordText">${secret('PasswordText')}`)
  const used = token(admin)
  const [digest = '', nonce = ''] = [/PasswordDigest">([^<]+)/, /<Nonce>([^<]+)/].map(pattern => pattern.exec(used)?.[1] ?? '')
  secrets.set('digest of a token', digest).set('nonce of a token', nonce)
  for (const header of [clear, used, used])
    answers.push((await post(url, envelope('<tds:GetUsers/>').replace('<s:Body>', `<s:Header>${header}</s:Header><s:Body>`))).all)
  const { challenges } = await post(url, envelope('<tds:GetUsers/>'))
  const authorization = authorizationFor(challenges[0] ?? '', admin)
  secrets.set('response of HTTP Digest', /response="([^"]+)/.exec(authorization)?.[1] ?? '')
  for (const wrong of [false, true, false])
    answers.push(
      (await post(url, envelope('<tds:GetUsers/>'), { authorization: wrong ? authorization.replace('nc=0', 'nc=1') : authorization })).all,
    )
  answers.push((await post(`${url}?auth=${secret('address')}`, envelope('<tds:GetUsers/>'))).all)

  const { der, pkcs8 } = await makeIdentity('camera')
  answers.push((await ask(url, loadWithKey(['brought', der, pkcs8]), 'token', admin)).all)
  // The middle of the key, which no alignment of base64 hides.
  secrets.set('private key', pkcs8.subarray(40, 64).toString('latin1'))
  for (const start of [0, 1, 2])
    secrets.set(
      `private key in base64 ${start}`,
      pkcs8
        .subarray(40 + start, 64 + start)
        .toString('base64')
        .slice(2, -4),
    )

  for (const order of ['StartSystemRestore', 'StartFirmwareUpgrade']) {
    const { text } = await ask(url, `<tds:${order}/>`, 'token', admin)
    const uri = /<tds:UploadUri>([^<]+)/.exec(text)?.[1] ?? assert.fail(text)
    secrets.set(`ticket of ${order}`, uri.slice(uri.lastIndexOf('/') + 1))
    // Without a log-in, with something that is none of it, and as it should be.
    answers.push((await post(uri, 'nothing')).all)
    const { challenges: forUpload } = await post(uri, 'nothing')
    const login = answerFor(forUpload[0] ?? '', uri)
    answers.push((await post(uri, 'nothing of the kind', { authorization: login, 'content-type': 'application/octet-stream' })).all)
  }
  const image = readFileSync(await buildImage(t, state, '2.0.0', 5_000))
  const { text } = await ask(url, '<tds:StartFirmwareUpgrade/>', 'token', admin)
  const uri = /<tds:UploadUri>([^<]+)/.exec(text)?.[1] ?? assert.fail(text)
  secrets.set('ticket of the upgrade', uri.slice(uri.lastIndexOf('/') + 1))
  const login = answerFor((await post(uri, 'x')).challenges[0] ?? '', uri)
  const sent = await fetch(uri, {
    method: 'POST',
    body: image,
    headers: { authorization: login, 'content-type': 'application/octet-stream' },
  })
  assert.equal(sent.status, 200)
  answers.push(await sent.text())
  return answers
}

const answerFor = (challenge: string, uri: string) => authorizationFor(challenge, admin, new URL(uri).pathname)

/** What shows all that the device keeps, to an administrator. */
const shows = [
  '<tds:GetSystemSupportInformation/>',
  '<tds:GetSystemBackup/>',
  '<tds:GetSystemLog><tds:LogType>System</tds:LogType></tds:GetSystemLog>',
  '<tds:GetSystemLog><tds:LogType>Access</tds:LogType></tds:GetSystemLog>',
  '<tds:GetUsers/>',
  '<tds:GetRemoteUser/>',
  '<tds:GetStorageConfigurations/>',
  '<tds:GetDot1XConfigurations/>',
  '<tds:GetNetworkInterfaces/>',
  '<tds:GetCertificates/>',
  '<tas:GetAllPassphrases/>',
  '<tas:GetAllKeys/>',
]

/** By what it is, of the secrets that a text holds, in the clear or in another spelling. */
function found(text: string | Buffer): readonly string[] {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text)
  return [...secrets].flatMap(([what, word]) => {
    const forms = [Buffer.from(word, 'latin1'), Buffer.from(Buffer.from(word).toString('hex')), Buffer.from(word, 'utf16le')]
    const encoded = Buffer.from(word).toString('base64').slice(0, -4)
    return [...forms, Buffer.from(encoded)].some(form => bytes.includes(form)) ? [what] : []
  })
}

test('no secret is in what the device writes, shows, answers or is called with', { timeout: 120_000 }, async t => {
  const folder = await temporaryFolder(t)
  const [passwordFile, passphraseFile] = [join(folder, 'password'), join(folder, 'passphrase')]
  writeFileSync(passwordFile, admin.password)
  writeFileSync(passphraseFile, secret('passphrase of backups'))
  const flags = ['--admin-password-file', passwordFile, '--backup-passphrase-file', passphraseFile, '--log-level', 'debug']
  const device = await startDaemon(t, [...flags, '--discovery', 'off', '--legacy-crypto'], { env: {} })
  const answers = [...(await goThroughEverything(t, device.url, device.state))]
  const wasUpgraded = async () => (await ask(device.url, '<tds:GetDeviceInformation/>', 'HTTP Digest', admin)).text.includes('2.0.0')
  for (let tries = 0; tries < 100 && !(await wasUpgraded().catch(() => false)); tries++)
    await new Promise(resolve => setTimeout(resolve, 100))
  assert.ok(await wasUpgraded())
  for (const body of shows) {
    const { all, status } = await ask(device.url, body, 'HTTP Digest', admin)
    assert.equal(status, 200, `${body}: ${all}`)
    answers.push(
      all,
      ...[...all.matchAll(/>([A-Za-z0-9+/=\s]{200,})</g)].map(([, base64 = '']) => Buffer.from(base64, 'base64').toString('latin1')),
    )
  }
  assert.ok(secrets.size > 40)
  for (const answer of answers) assert.deepEqual(found(answer), [], answer.slice(0, 2000))

  const pid = device.process.pid ?? 0
  for (const file of ['cmdline', 'environ', 'comm', 'maps'])
    assert.deepEqual(found(readFileSync(`/proc/${pid}/${file}`)), [], `/proc/${pid}/${file}`)
  assert.equal(await device.stop(), 0)
  assert.deepEqual(found(device.output()), [], 'terminal')
  const files = readdirSync(device.state, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  for (const { parentPath, name } of files) assert.deepEqual(found(readFileSync(join(parentPath, name))), [], name)
  assert.match(readFileSync(join(device.state, 'logs', 'access.log'), 'utf8'), /CreateUsers/)
  assert.ok(
    files.some(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes('olga')),
    'the store is among them',
  )
})

const pattern = existsSync('/proc/sys/kernel/core_pattern') ? readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim() : ''
const skip =
  (pattern !== 'core' && 'core dumps do not go into the working folder here') ||
  (spawnSync('prlimit', ['--version']).error !== undefined && 'needs prlimit')

test('a core dump holds no password', { skip }, async t => {
  let end = async () => {}
  const folder = await temporaryFolder(t, () => end())
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, admin.password)
  const child = spawn(
    process.execPath,
    [main, 'serve', '--port', '0', '--state', join(folder, 'state'), '--admin-password-file', passwordFile, '--discovery', 'off'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const exited = once(child, 'exit')
  end = async () => {
    child.kill('SIGKILL')
    await exited
  }
  const [line] = await once(createInterface(child.stdout), 'line')
  const url = /^onvifd ready (\S+)$/.exec(String(line))?.[1] ?? assert.fail(String(line))
  assert.equal((await ask(url, '<tds:GetUsers/>', 'HTTP Digest', admin)).status, 200)
  if (spawnSync('prlimit', ['--pid', String(child.pid), '--core=unlimited']).status !== 0)
    return t.skip('the limit of cores cannot be lifted')
  child.kill('SIGABRT')
  assert.deepEqual(await exited, [null, 'SIGABRT'])
  const core = readdirSync(folder).find(name => name.startsWith('core'))
  if (core === undefined) return t.skip('the system wrote no core')
  assert.deepEqual(found(readFileSync(join(folder, core))), [])
})
