import assert from 'node:assert/strict'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/limits.ts'
import { contract } from '../../src/onvif/contract.generated.ts'
import { escapeText } from '../../src/soap/characters.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { type Answer, type TestDevice, testDevice } from '../support/device.ts'

// What clients set as text: it comes back as it was, or it is refused by the right fault and what was there stays. Whether it is right
// is judged here by other means than the device has: Node's own address parser, a grammar written anew. FUZZ_SEED=… repeats a run.
/** The same in every run: what others find is the business of `npm run fuzz`. */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_121)
console.log(`seed ${seed}`)

const codec = createCodec(contract)

interface Setting {
  readonly name: string
  readonly texts: fc.Arbitrary<string>
  readonly set: (text: string) => string
  readonly get: string
  /** The text in the answer to `get`. */
  readonly found: (xml: string, text: string) => string | undefined
  /** Undefined where the text may be taken or refused. */
  readonly isRight: (text: string) => boolean | undefined
  readonly faults: readonly string[]
  /** What else has to be true once the text is taken. */
  readonly afterwards?: (text: string, device: TestDevice) => Promise<unknown>
}

// --- texts ---

const strange = fc.constantFrom(...'.-:/,<>+*_%0198axJMé\u0660\u200b\u202e\uff11')

/** A good text with one or two characters put in, left out or exchanged. */
const spoiled = (good: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(good, fc.array(fc.tuple(fc.nat(), fc.nat(1), fc.option(strange)), { minLength: 1, maxLength: 2 })).map(([text, changes]) =>
    changes.reduce((now, [at, cut, put]) => {
      const place = at % (now.length + 1)
      return now.slice(0, place) + (put ?? '') + now.slice(place + cut)
    }, text),
  )
const withSpoiled = (good: fc.Arbitrary<string>) => fc.oneof(good, spoiled(good)).filter(text => text !== '' && !/\s/.test(text))

const label = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/)
const domain = fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.'))

const twoDigits = fc.nat(59).map(String)
const hours = (max: number) => fc.tuple(fc.constantFrom('', '+', '-'), fc.nat(max), fc.option(twoDigits), fc.option(twoDigits))
const clock = (max: number) =>
  hours(max).map(([sign, hour, minute, second]) => {
    const rest = minute === null ? '' : second === null ? `:${minute}` : `:${minute}:${second}`
    return `${sign}${hour}${hour === max ? '' : rest}`
  })
const zoneName = fc.oneof(fc.stringMatching(/^[A-Za-z]{3,6}$/), fc.stringMatching(/^<[A-Za-z0-9+-]{3,6}>$/))
const rule = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1, max: 365 }).map(day => `J${day}`),
      fc.nat(365).map(String),
      fc
        .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), fc.nat(6))
        .map(([month, week, day]) => `M${month}.${week}.${day}`),
    ),
    fc.option(clock(167)),
  )
  .map(([day, time]) => (time === null ? day : `${day}/${time}`))
const zone = fc
  .tuple(zoneName, clock(24), fc.option(fc.tuple(zoneName, fc.option(clock(24)), fc.option(fc.tuple(rule, rule)))))
  .map(([name, offset, daylight]) => {
    if (!daylight) return name + offset
    const [summer, ahead, rules] = daylight
    return `${name}${offset}${summer}${ahead ?? ''}${rules ? `,${rules.join(',')}` : ''}`
  })

const part = (unit: string, absent: number) =>
  fc.oneof(
    { weight: absent, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: fc.nat(30).map(number => `${number}${unit}`) },
    { weight: 1, arbitrary: fc.nat(999_999).map(number => `${number}${unit}`) },
  )
const duration = fc
  .tuple(
    fc.constantFrom('', '', '', '', '-'),
    part('Y', 20),
    part('D', 3),
    part('H', 3),
    part('M', 3),
    part('S', 3),
    fc.constantFrom('', '', '', '.5'),
  )
  .map(([sign, years, days, ...[h, m, s, fraction]]) => {
    const time = `${h}${m}${fraction === '' ? s : s.replace('S', `${fraction}S`)}`
    return `${sign}P${years}${days}${time === '' ? '' : `T${time}`}`
  })

const letters = fc.constantFrom('a', 'Z', '7', 'é', 'e\u0301', 'ß', 'شَ', 'ש', '漢', '\u{1f600}', ' ', '-', '.', 'ﬁ', 'İ')
const forbidden = ['\u200b', '\u200d', '\ufeff', '\u202e', '\u2066', '\u00ad', '\u0085', '\u2028', ':', '"', '\\']
const invisible = fc.constantFrom(...forbidden)
const userName = fc
  .array(fc.oneof({ weight: 12, arbitrary: letters }, { weight: 1, arbitrary: invisible }), { maxLength: 30 })
  .map(all => all.join(''))

// --- judgements ---

const isHostName = (text: string): boolean => {
  const labels = text.split('.')
  const areLabels = labels.every(
    one => one.length > 0 && one.length < 64 && /^[\x2d0-9a-z]*$/i.test(one) && one[0] !== '-' && one.at(-1) !== '-',
  )
  return areLabels && text.length < 254 && !/^\d+$/.test(labels.at(-1) ?? '')
}

const isServerIPv4 = (text: string): boolean => isIPv4(text) && Number.parseInt(text, 10) > 0 && Number.parseInt(text, 10) < 224

function isServerIPv6(text: string): boolean {
  if (!isIPv6(text) || text.includes('%')) return false
  const { hostname } = new URL(`http://[${text}]/`)
  return hostname !== '[::]' && !/^\[ff[0-9a-f]{2}:/.test(hostname) && !/^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(hostname)
}

function isRange(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/')
  if (more.length > 0 || !isIPv4(address) || Number(length) < 0 || Number(length) > 32) return false
  const shut = new BlockList()
  shut.addSubnet(address, Number(length))
  return !shut.check('192.0.2.99')
}

const time = String.raw`[+-]?\d{1,3}(?::\d{1,2}(?::\d{1,2})?)?`
const names = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)'
const day = String.raw`(?:J\d{1,3}|\d{1,3}|M\d{1,2}\.\d\.\d)`
const zoneGrammar = new RegExp(`^${names}(${time})(?:${names}(${time})?(?:,(${day})(?:/(${time}))?,(${day})(?:/(${time}))?)?)?$`)

const isTime = (text: string | undefined, hoursMax: number): boolean => {
  const [hour = 0, minute = 0, second = 0] = (text ?? '').replace(/^[+-]/, '').split(':').map(Number)
  return hour <= hoursMax && minute < 60 && second < 60
}
const isDay = (text: string | undefined): boolean => {
  if (text === undefined) return true
  const numbers = text.replace(/^[JM]/, '').split('.').map(Number)
  const [first = 0, week = 0, weekday = 0] = numbers
  if (text.startsWith('M')) return first > 0 && first < 13 && week > 0 && week < 6 && weekday < 7
  return first <= 365 && (first > 0 || !text.startsWith('J'))
}
function isZone(text: string): boolean {
  const match = zoneGrammar.exec(text)
  if (!match || text.length > limits.timeZoneCharactersMax) return false
  const [, offset, ahead, begins, beginsAt, ends, endsAt] = match
  return isTime(offset, 24) && isTime(ahead, 24) && isDay(begins) && isDay(ends) && isTime(beginsAt, 167) && isTime(endsAt, 167)
}

/** Whole seconds, days and less: what has a length. */
function isTtl(text: string): boolean {
  if (/[-Y.]|^P$/.test(text)) return false
  const count = (unit: string, within: string) => Number(new RegExp(`(\\d+)${unit}`).exec(within)?.[1] ?? 0)
  const [days = '', clockTime = ''] = text.split('T')
  const total = count('D', days) * 86_400 + count('H', clockTime) * 3_600 + count('M', clockTime) * 60 + count('S', clockTime)
  return total <= limits.dnsTtlSecondsMax
}

// --- settings ---

const element = (name: string) => (xml: string) => new RegExp(`<t[td]s?:${name}>([^<]*)<`).exec(xml)?.[1]
const dns = (type: 'IPv4' | 'IPv6') => (text: string) =>
  codec.encode('tds:SetDNS', { FromDHCP: false, DNSManual: [{ Type: type, [`${type}Address`]: text }] })
const password = 'Only-looking-1'

const settings: readonly Setting[] = [
  {
    name: 'host names',
    texts: withSpoiled(domain),
    set: text => codec.encode('tds:SetHostname', { Name: text }),
    get: '<tds:GetHostname/>',
    found: element('Name'),
    isRight: isHostName,
    faults: ['Sender/InvalidArgVal/InvalidHostname'],
  },
  {
    name: 'IPv4 addresses',
    texts: withSpoiled(fc.ipV4()).filter(text => !isIPv6(text)),
    set: dns('IPv4'),
    get: '<tds:GetDNS/>',
    found: element('IPv4Address'),
    isRight: isServerIPv4,
    faults: ['Sender/InvalidArgVal/InvalidIPv4Address'],
  },
  {
    name: 'IPv6 addresses',
    texts: withSpoiled(fc.ipV6()),
    set: dns('IPv6'),
    get: '<tds:GetDNS/>',
    found: element('IPv6Address'),
    isRight: isServerIPv6,
    faults: ['Sender/InvalidArgVal/InvalidIPv6Address'],
  },
  {
    name: 'prefixes',
    texts: fc.tuple(withSpoiled(fc.ipV4()), fc.integer({ min: -3, max: 36 })).map(([address, length]) => `${address}/${length}`),
    set: text => {
      const [address, length] = [text.slice(0, text.lastIndexOf('/')), text.slice(text.lastIndexOf('/') + 1)]
      const range = { Address: address, PrefixLength: Number(length) }
      return codec.encode('tds:SetIPAddressFilter', { IPAddressFilter: { Type: 'Deny', IPv4Address: [range] } })
    },
    get: '<tds:GetIPAddressFilter/>',
    found: xml => `${element('Address')(xml)}/${element('PrefixLength')(xml)}`,
    isRight: isRange,
    faults: ['Sender/InvalidArgVal/InvalidIPv4Address', 'Sender/OperationProhibited'],
  },
  {
    name: 'POSIX time zones',
    texts: withSpoiled(zone),
    set: text => codec.encode('tds:SetSystemDateAndTime', { DateTimeType: 'Manual', DaylightSavings: true, TimeZone: { TZ: text } }),
    get: '<tds:GetSystemDateAndTime/>',
    found: element('TZ'),
    isRight: isZone,
    faults: ['Sender/InvalidArgVal/InvalidTimeZone'],
  },
  {
    name: 'durations',
    texts: duration.filter(text => /\d/.test(text)),
    set: text => codec.encode('tds:SetDynamicDNS', { Type: 'ClientUpdates', TTL: text }),
    get: '<tds:GetDynamicDNS/>',
    found: element('TTL'),
    isRight: isTtl,
    faults: ['Sender/InvalidArgVal'],
  },
  {
    name: 'scopes',
    texts: fc.oneof(
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
      withSpoiled(domain.map(name => `onvif://www.onvif.org/location/${name}`)),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(text => text === text.replace(/[\t\n\r]| {2}/g, '').trim()),
    ),
    // By hand: the codec would not write what is no URI.
    set: text => `<tds:SetScopes><tds:Scopes>${escapeText(text)}</tds:Scopes></tds:SetScopes>`,
    get: '<tds:GetScopes/>',
    found: (xml, text) => [...xml.matchAll(/ScopeItem>([^<]*)</g)].map(([, uri]) => uri).find(uri => uri === escapeText(text)),
    isRight: text =>
      /[\s\u200b\u202e]/u.test(text) || !/^[a-z][a-z0-9+.-]*:./i.test(text)
        ? false
        : URL.canParse(text) && /^[!-~]*$/.test(text) && !/[<>"{}|\\^`]|%(?![0-9a-f]{2})/i.test(text)
          ? true
          : undefined,
    faults: ['Sender/InvalidArgVal'],
  },
  {
    name: 'user names: composed and not, right to left, invisible',
    texts: userName,
    set: text => codec.encode('tds:CreateUsers', { User: [{ Username: text, Password: password, UserLevel: 'User' }] }),
    get: '<tds:GetUsers/>',
    found: (xml, text) => [...xml.matchAll(/Username>([^<]*)</g)].map(([, name]) => name).find(name => name === escapeText(text)),
    isRight: text => {
      if (text === '' || /^\s|\s$/.test(text) || forbidden.some(character => text.includes(character))) return false
      return [...text].length <= limits.userNameCharactersMax
    },
    faults: ['Sender/InvalidArgVal', 'Sender/OperationProhibited/UsernameTooShort', 'Sender/OperationProhibited/UsernameTooLong'],
    async afterwards(text, { ask }) {
      assert.equal((await ask('<tds:GetScopes/>', { name: escapeText(text), password })).status, 200, 'who was created can log in')
      assert.equal((await ask(codec.encode('tds:DeleteUsers', { Username: [text] }))).status, 200)
    },
  },
]

/** Without the clock, which runs on. */
const still = ({ xml }: Answer): string => xml.replace(/<tt:(UTC|Local)DateTime>.*?<\/tt:\1DateTime>/gs, '')

for (const { name, texts, set, get, found, isRight, faults, afterwards } of settings) {
  test(`${name} come back as they were, or are refused`, async t => {
    const device = await testDevice(t)
    const { ask } = device
    const count = { taken: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(texts, async text => {
        const before = still(await ask(get))
        const answer = await ask(set(text))
        const after = await ask(get)
        const right = isRight(text)
        if (answer.status === 200) {
          assert.notEqual(right, false, `${JSON.stringify(text)} was taken`)
          assert.equal(found(after.xml, text), escapeText(text), after.xml)
          await afterwards?.(text, device)
          count.taken++
        } else {
          assert.ok(faults.includes(answer.fault ?? ''), `${answer.fault}: ${answer.reason}`)
          assert.notEqual(right, true, `${JSON.stringify(text)} was refused: ${answer.reason}`)
          assert.equal(still(after), before)
          count.refused++
        }
      }),
      { seed, numRuns: 120, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false },
    )
    t.diagnostic(JSON.stringify(count))
    assert.ok(count.taken > 2 && count.refused > 2, `both happened: ${JSON.stringify(count)}`)
  })
}
