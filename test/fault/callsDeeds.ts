import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client/onvifClient.ts'
import { pack, unpack } from '../../src/soap/mtom.ts'
import { isFault, must, tell, tellOrLose } from '../soak/asking.ts'
import { Violation } from '../soak/oracle.ts'
import { admin } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'
import { freePort } from '../support/freePort.ts'
import { post } from '../support/posting.ts'
import { type Circumstances, type Writer, writeOf, writers } from '../support/writers.ts'
import type { Bench, Manner } from './callsBench.ts'

export interface Answer {
  readonly isFault: boolean
  readonly text: string
}

/** A deed that its device is ready for. */
export interface Prepared {
  /** Undefined where the device went away before it had answered. What restarts the device has ended when it is up again, or dead. */
  act(): Promise<Answer | undefined>
  /** What the deed changes, as a client sees it now; the same text for the same settings. */
  look(): Promise<string>
  /** Whether this shows the deed; without it only what the first time showed. */
  isDone?(seen: string): boolean
}

/** Something that has to be done as a whole. */
export interface Deed {
  readonly name: string
  readonly manner?: Manner
  /** The folder is empty before, the device is only held, and there is nothing to be seen of it. */
  readonly isFirstStart?: true
  /** Ends with a restart within the process, which ends the process where that start fails. */
  readonly restarts?: true
  /** With a device on the bench, except for a first start. */
  prepare(bench: Bench): Promise<Prepared>
}

const portsOf = ({ url }: Bench): readonly number[] => [Number(new URL(url).port)]

/** One operation, which is answered when all is done. */
function deedOf(writer: Writer): Deed {
  const { operation, prepare: before = [], read, shows } = writer
  return {
    name: operation,
    async prepare(bench) {
      const free = await freePort()
      let prepared = ''
      const now = (): Circumstances => ({ prepared, freePort: free, ports: portsOf(bench) })
      for (const request of typeof before === 'string' ? [before] : before)
        prepared += await must(bench.url, typeof request === 'string' ? request : request(now()))
      return {
        act: () => request(bench, writeOf(writer, now())),
        async look() {
          const asked = typeof read === 'string' ? read : read(now())
          const { text } = asked === 'challenge' ? await tell(bench.url, '<tds:GetUsers/>', 'nobody') : await tell(bench.url, asked)
          const shown = text
            .replace(/<tt:Data[^>]*>([^<]*)</, (_, data) => `${Buffer.from(String(data), 'base64')}<`)
            .replaceAll(`>${free}<`, '>FREE<')
            .replaceAll(`>${new URL(bench.url).port}<`, '>OWN<')
            .replace(/<tt:(UTC|Local)DateTime>[\s\S]*?<\/tt:\1DateTime>/g, '')
            .replace(/nonce="[^"]*"/g, '')
          return asked.includes('AccessPolicy') ? shown.replace(/\s/g, '') : shown
        },
        isDone: seen => (shows instanceof RegExp ? shows : shows(now())).test(seen),
      }
    },
  }
}

async function request({ url }: Bench, body: string): Promise<Answer | undefined> {
  const told = await tellOrLose(url, body)
  return told && { isFault: isFault(told.text), text: told.text }
}

/** Several areas, each of them a document of its own, and one that both kinds of factory default take back. */
const settings = (name: string): readonly string[] => [
  `<tds:SetScopes><tds:Scopes>onvif://www.onvif.org/test/${name}</tds:Scopes></tds:SetScopes>`,
  `<tds:SetHostname><tds:Name>camera-${name}</tds:Name></tds:SetHostname>`,
  `<tds:SetDNS><tds:FromDHCP>false</tds:FromDHCP><tds:SearchDomain>${name}.example</tds:SearchDomain></tds:SetDNS>`,
  `<tds:CreateUsers><tds:User><tt:Username>${name}</tt:Username><tt:Password>Only-looking-1</tt:Password><tt:UserLevel>User</tt:UserLevel></tds:User></tds:CreateUsers>`,
  `<tas:CreateECCKeyPair><tas:EllipticCurve>secp256r1</tas:EllipticCurve><tas:Alias>key-${name}</tas:Alias></tas:CreateECCKeyPair>`,
  `<tds:SetNetworkInterfaces><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:NetworkInterface><tt:MTU>${1400 + name.length}</tt:MTU></tds:NetworkInterface></tds:SetNetworkInterfaces>`,
]

async function set({ url }: Bench, name: string): Promise<void> {
  for (const body of settings(name)) await must(url, body)
  while (/>generating</.test(await must(url, '<tas:GetAllKeys/>'))) await sleep(10)
}

const readings = ['GetScopes', 'GetHostname', 'GetDNS', 'GetUsers', 'GetNetworkInterfaces'].map(operation => `<tds:${operation}/>`)

/** Users, keys and all that: what a factory default and a restore change. */
async function everything({ url }: Bench, login = admin): Promise<string> {
  let seen = ''
  for (const reading of readings) seen += `\n${/Body>([\s\S]*)<\/\w+:Body>/.exec(await must(url, reading, login))?.[1]}`
  // Keys and certificates have chance in their names.
  for (const reading of ['GetAllKeys', 'GetAllCertificates', 'GetAllCertificationPaths']) {
    const answer = await must(url, `<tas:${reading}/>`, login)
    seen += `\n${reading} ${[...answer.matchAll(/<tas:(?:Alias|KeyStatus)>([^<]*)</g)].map(([, text]) => text).join(', ')}`
  }
  // A new device draws its serial number and its addresses.
  return seen.replace(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f]{6,}/gi, '#')
}

/** Long enough for a machine that has other things to do. */
const backSecondsMax = 20

/** Does it, and waits until the restart that follows a success is over. */
async function withRestart(bench: Bench, act: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
  const ups = bench.ups()
  const answer = await act()
  const deadline = performance.now() + backSecondsMax * 1000
  while (answer?.isFault === false && bench.ups() === ups && !bench.isDead()) {
    if (performance.now() > deadline) throw new Violation('it was to restart, and is neither up nor has it ended')
    await sleep(5)
  }
  return answer
}

const factoryDefault = (type: 'Soft' | 'Hard'): Deed => ({
  name: `SetSystemFactoryDefault ${type}`,
  restarts: true,
  async prepare(bench) {
    await set(bench, 'before')
    const body = `<tds:SetSystemFactoryDefault><tds:FactoryDefault>${type}</tds:FactoryDefault></tds:SetSystemFactoryDefault>`
    return { act: () => withRestart(bench, () => request(bench, body)), look: () => everything(bench) }
  },
})

type Restoring = (url: string, backup: Buffer) => Promise<Answer | undefined>

/** A device with other settings than those that it gets back. */
const restore = (name: string, restoring: Restoring): Deed => ({
  name,
  restarts: true,
  async prepare(bench) {
    await set(bench, 'kept')
    const { bytes, contentType } = await tell(bench.url, '<tds:GetSystemBackup/>')
    const [file] = unpack(bytes, contentType).attachments.values()
    if (!file) throw new Violation('no backup')
    const backup = Buffer.from(file)
    await set(bench, 'changed')
    return { act: () => withRestart(bench, () => restoring(bench.url, backup)), look: () => everything(bench) }
  },
})

const byUpload = restore('StartSystemRestore', async (url, backup) => {
  const told = await tellOrLose(url, '<tds:StartSystemRestore/>')
  const uri = /UploadUri>([^<]+)</.exec(told?.text ?? '')?.[1]
  if (told && uri === undefined) return { isFault: isFault(told.text), text: told.text }
  const client = connect(url, { user: admin.name, password: admin.password, timeoutMs: 10_000 })
  try {
    // Logs in, so that the upload can.
    await client.call('GetScopes', {})
    const { status, reason } = await post(client, uri ?? '', backup)
    return { isFault: status !== 200, text: `${status} ${reason}` }
  } catch {
    return undefined
  } finally {
    client.close()
  }
})

const inMessage = restore('RestoreSystem', async (url, backup) => {
  const include = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:backup@test"/>'
  const call = `<tds:RestoreSystem><tds:BackupFiles><tt:Name>onvifd.backup</tt:Name><tt:Data>${include}</tt:Data></tds:BackupFiles></tds:RestoreSystem>`
  const attachment = { id: 'backup@test', contentType: 'application/octet-stream', content: backup }
  const { contentType, body } = pack(Buffer.from(envelope(call, admin)), [attachment])
  try {
    const signal = AbortSignal.timeout(20_000)
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body: Uint8Array.from(body), signal })
    const text = await response.text()
    return { isFault: isFault(text), text }
  } catch {
    return undefined
  }
})

/**
 * The first start of a device. Whoever reads what it prints, or gave the password, must be able to log in: with the last one that was
 * printed, as a start that did not get to its end is followed by another.
 */
const firstStart = (name: string, manner: Manner, given?: string): Deed => ({
  name,
  manner,
  isFirstStart: true,
  async prepare(bench) {
    let password = given
    return {
      async act() {
        password = given
        await bench.letGo()
        password = bench.madePassword() ?? password
        return bench.url === '' ? undefined : { isFault: false, text: '' }
      },
      async look() {
        password = bench.madePassword() ?? password
        if (password === undefined) throw new Violation('no password was ever printed')
        return everything(bench, { name: admin.name, password })
      },
    }
  },
})

export const deeds: readonly Deed[] = [
  ...writers.map(deedOf),
  byUpload,
  inMessage,
  factoryDefault('Soft'),
  factoryDefault('Hard'),
  firstStart('first start', { env: { ONVIFD_ADMIN_PASSWORD: undefined } }),
  firstStart('first start with a password', { args: ['--tls', 'self-signed', '--https-port', '0'] }, admin.password),
]
