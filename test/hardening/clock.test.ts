import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { admin, eventually, startDaemon, temporaryFolder } from '../support/daemon.ts'
import { envelope, token } from '../support/device.ts'
import { ask, authorizationFor, post } from './door.ts'

const year = 365.25 * 86_400_000

/** Where the clock is set to, in years from now: both ways, back to where it was before, and to where nobody has ever been. */
const journey = [10, 0, -20, 0, 30, -30, 10, 0]

/** What the device says that it is: what every client asks before it makes a token. */
async function deviceTime(url: string): Promise<number> {
  const { text } = await post(url, envelope('<tds:GetSystemDateAndTime/>'))
  const utc = /<tt:UTCDateTime>[\s\S]*?<\/tt:UTCDateTime>/.exec(text)?.[0] ?? ''
  const number = (name: string) => Number(new RegExp(`<tt:${name}>(\\d+)<`).exec(utc)?.[1])
  return Date.UTC(number('Year'), number('Month') - 1, number('Day'), number('Hour'), number('Minute'), number('Second'))
}

const withToken = (header: string) => envelope('<tds:GetUsers/>').replace('<s:Body>', `<s:Header>${header}</s:Header><s:Body>`)

async function travel(t: TestContext, url: string, set: (utcMs: number) => Promise<void>): Promise<void> {
  const used: string[] = []
  const logIn = async () => {
    const header = token(admin, new Date(await deviceTime(url)).toISOString())
    assert.equal((await post(url, withToken(header))).status, 200, 'a new token is taken')
    used.push(header)
  }
  await logIn()
  const { challenges } = await post(url, envelope('<tds:GetUsers/>'))
  const uri = /<tds:UploadUri>([^<]+)/.exec((await ask(url, '<tds:StartFirmwareUpgrade/>')).text)?.[1] ?? assert.fail()
  for (const [index, years] of journey.entries()) {
    const utcMs = Date.now() + years * year
    await set(utcMs)
    assert.ok(Math.abs((await deviceTime(url)) - utcMs) < 60_000, 'the clock has jumped')
    for (const header of used) assert.notEqual((await post(url, withToken(header))).status, 200, 'an old token stays dead')
    await logIn()
    assert.equal((await ask(url, '<tds:GetUsers/>')).status, 200, 'HTTP Digest')
    const authorization = authorizationFor(challenges[0] ?? '', admin, undefined, index + 1)
    assert.equal((await post(url, envelope('<tds:GetUsers/>'), { authorization })).status, 200, 'a nonce lives on')
    const upload = await post(uri, 'nothing')
    assert.deepEqual([upload.status, upload.challenges.length > 0], [401, true], 'and so does the address of an upload')
  }
  t.diagnostic(`${used.length} tokens, none of them taken twice`)
}

test('the clock of the device is set by years, both ways: timers, log-ins and dead tokens do not mind', async t => {
  const { url } = await startDaemon(t, ['--discovery', 'off'])
  await travel(t, url, async utcMs => {
    const at = new Date(utcMs)
    const [date, time] = [
      `<tt:Year>${at.getUTCFullYear()}</tt:Year><tt:Month>${at.getUTCMonth() + 1}</tt:Month><tt:Day>${at.getUTCDate()}</tt:Day>`,
      `<tt:Hour>${at.getUTCHours()}</tt:Hour><tt:Minute>${at.getUTCMinutes()}</tt:Minute><tt:Second>${at.getUTCSeconds()}</tt:Second>`,
    ]
    const { status, text } = await ask(
      url,
      `<tds:SetSystemDateAndTime><tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings><tds:UTCDateTime><tt:Time>${time}</tt:Time><tt:Date>${date}</tt:Date></tds:UTCDateTime></tds:SetSystemDateAndTime>`,
    )
    assert.equal(status, 200, text)
  })
})

const library = ['/usr/lib', ...(existsSync('/usr/lib') ? readdirSync('/usr/lib').map(name => join('/usr/lib', name)) : [])]
  .map(folder => join(folder, 'faketime', 'libfaketimeMT.so.1'))
  .find(file => existsSync(file))

test('the clock of the host jumps by years, both ways: the same', { skip: library === undefined && 'needs faketime' }, async t => {
  const file = join(await temporaryFolder(t), 'offset')
  writeFileSync(file, '+0')
  const { url } = await startDaemon(t, ['--discovery', 'off'], {
    env: {
      ONVIFD_ADMIN_PASSWORD: admin.password,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  })
  await travel(t, url, async utcMs => {
    writeFileSync(file, `${utcMs < Date.now() ? '' : '+'}${Math.round((utcMs - Date.now()) / 1000)}`)
    await eventually(async () => assert.ok(Math.abs((await deviceTime(url)) - utcMs) < 60_000), 5)
  })
})
