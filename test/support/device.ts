import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createDevice, type Device, type DeviceOptions } from '../../src/createDevice.ts'
import { contract } from '../../src/onvif/contract.generated.ts'
import type { SoapRequest } from '../../src/soap/message.ts'
import { unpack } from '../../src/soap/mtom.ts'
import { SOAP_ENVELOPE, WS_SECURITY, WS_SECURITY_UTILITY } from '../../src/soap/namespaces.ts'
import { parseXml, type XmlElement } from '../../src/soap/xml.ts'
import { admin, temporaryFolder } from './daemon.ts'
import { validateMessage, validateMessageOfficially } from './schemaValidator.ts'

export interface Login {
  readonly name: string
  readonly password: string
}

/** One user of each level; `createEveryLevel` makes those that a new device does not have. */
export const people = {
  Administrator: admin,
  Operator: { name: 'olga', password: 'Nightshift-42' },
  User: { name: 'ulrich', password: 'Only-looking-1' },
} as const

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly xml: string
  /** By Content-ID. */
  readonly attachments: ReadonlyMap<string, Buffer>
  /** The element inside of the Body. */
  readonly body: XmlElement
  /** `Sender/InvalidArgVal/NoScope`, or undefined for an answer that is no fault. */
  readonly fault: string | undefined
  readonly reason: string | undefined
}

export interface TestDevice {
  readonly state: string
  /** Ends the device and makes it anew from its state folder, as the end of the process and its next start do. */
  restart(between?: () => void): Promise<void>
  /** Sends what stands inside of the Body, logged in by WS-UsernameToken unless `login` is undefined. The answer is validated. */
  ask(body: string, ...login: readonly [Login | undefined] | readonly []): Promise<Answer>
  /** The same at another address than that of the Device service: of a subscription, for one. `header` is what else stands in the Header. */
  askAt(
    target: string,
    body: string,
    more?: { readonly header?: string; readonly hungUp?: AbortSignal; readonly login?: Login },
  ): Promise<Answer>
  /** Sends these bytes as they are. The answer is validated; of an MTOM message, its envelope. */
  send(bytes: Uint8Array | string, authorization?: string, contentType?: string): Promise<Answer>
  createEveryLevel(): Promise<void>
}

/** A device in memory, without a socket, on a state folder that goes away with the test. */
export async function testDevice(t: TestContext, options: DeviceOptions = {}): Promise<TestDevice> {
  let device: Device | undefined
  const state = await temporaryFolder(t, async () => device?.stop())
  const make = () => createDevice({ state, port: 0, bootTime: 0, logLevel: 'silent', adminPassword: admin.password, ...options })
  device = await make()

  const send: TestDevice['send'] = (bytes, authorization, contentType) =>
    handle(bytes, { target: '/onvif/device_service', authorization, contentType })

  async function handle(
    bytes: Uint8Array | string,
    request: Pick<SoapRequest, 'target' | 'authorization' | 'contentType' | 'hungUp'>,
  ): Promise<Answer> {
    if (!device) throw new Error('the device is stopped')
    const { status, headers, body } = await device.handle({
      body: Buffer.from(bytes),
      origin: new URL('http://192.0.2.7:8081'),
      remoteAddress: '192.0.2.99',
      ...request,
    })
    const { envelope: sent, attachments } = unpack(Buffer.from(body), String(headers['content-type']))
    const xml = Buffer.from(sent).toString()
    assert.deepEqual(validateMessage(xml), [], xml)
    assert.deepEqual(validateMessageOfficially(xml) ?? [], [], xml)
    assert.equal(headers['content-length'], String(Buffer.byteLength(body)))
    return { status, headers, xml, attachments, ...read(xml) }
  }

  const ask: TestDevice['ask'] = (body, ...login) => send(envelope(body, login.length === 0 ? admin : login[0]))
  return {
    state,
    send,
    async restart(between = () => {}) {
      await device?.stop()
      between()
      device = await make()
    },
    ask,
    askAt: (target, body, { header, hungUp, login = admin } = {}) => handle(envelope(body, login, header), { target, hungUp }),
    async createEveryLevel() {
      const users = (['Operator', 'User'] as const).map(
        level =>
          `<tds:User><tt:Username>${people[level].name}</tt:Username><tt:Password>${people[level].password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`,
      )
      assert.equal((await ask(`<tds:CreateUsers>${users.join('')}</tds:CreateUsers>`)).status, 200)
    },
  }
}

const declarations = Object.entries(contract.namespaces)
  .map(([prefix, namespace]) => `xmlns:${prefix}="${namespace}"`)
  .join(' ')

/** A message with the usual prefixes, with a fresh token where somebody logs in. */
export function envelope(body: string, login?: Login | undefined, blocks = ''): string {
  const header = (login ? token(login) : '') + blocks
  return `<s:Envelope xmlns:s="${SOAP_ENVELOPE}" ${declarations}>${header && `<s:Header>${header}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`
}

/** WSS UsernameToken Profile 1.0. */
export function token({ name, password }: Login, created = new Date().toISOString(), nonce = randomBytes(16)): string {
  const digest = createHash('sha1').update(nonce).update(created).update(password).digest('base64')
  const type = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest'
  return `<Security xmlns="${WS_SECURITY}"><UsernameToken><Username>${name}</Username><Password Type="${type}">${digest}</Password><Nonce>${nonce.toString('base64')}</Nonce><Created xmlns="${WS_SECURITY_UTILITY}">${created}</Created></UsernameToken></Security>`
}

function read(xml: string): Pick<Answer, 'body' | 'fault' | 'reason'> {
  const body = parseXml(xml).children.find(({ name }) => name === 'Body')?.children[0]
  assert.ok(body, xml)
  if (body.name !== 'Fault') return { body, fault: undefined, reason: undefined }
  const codes: string[] = []
  for (let code = child(body, 'Code'); code; code = child(code, 'Subcode')) codes.push(child(code, 'Value')?.text.replace(/^.*:/, '') ?? '')
  const reason = child(body, 'Reason')
  return { body, fault: codes.join('/'), reason: reason && child(reason, 'Text')?.text }
}

export const child = ({ children }: XmlElement, name: string): XmlElement | undefined => children.find(element => element.name === name)
