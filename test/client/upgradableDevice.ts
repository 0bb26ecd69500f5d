import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { UploadSource } from '../../src/client/upload.ts'
import { type Asked, createDigestGate, faultXml, information, reply, soap } from './standIn.ts'

export interface Plan {
  /** Where the image is to go; default: this device. */
  readonly uploadUri?: (port: number) => string
  readonly delay?: string
  readonly withoutEstimates?: boolean
  /** What a new version the image brings. */
  readonly newVersion?: string
  /** Answers the upload after it was taken; default 200 and a reboot. */
  readonly takeImage?: (image: Buffer, response: ServerResponse, device: Device) => void
  /** Answers before the body is asked for; true if it did. */
  readonly refuseHead?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Ignores Expect, as devices do that never heard of it. */
  readonly ignoresExpect?: boolean
  readonly challenge?: boolean
}

export interface Device {
  readonly url: string
  readonly port: number
  /** Method and target of everything that was asked, SOAP messages apart. */
  readonly asked: string[]
  /** Bodies of uploads as far as they were read. */
  readonly uploads: { readonly request: IncomingMessage; image: Buffer }[]
  /** Goes away, and comes back as `version` after somebody has asked in vain; without one, never. */
  reboot(version?: string): void
  version: string
}

/** A device of node:http alone that takes an image and restarts. */
export async function startDevice(t: TestContext, plan: Plan = {}): Promise<Device> {
  const gate = createDigestGate('SHA-256')
  let isDown = false
  const server = createServer()
  const device: Device = {
    url: '',
    port: 0,
    asked: [],
    uploads: [],
    version: '1.0.0',
    reboot(version) {
      isDown = true
      gate.forget()
      let inVain = 0
      const boot = () => {
        if (++inVain < 2 || version === undefined) return
        isDown = false
        device.version = version
        server.off('connection', boot)
      }
      server.on('connection', boot)
    },
  }
  const isDenied = (asked: Asked, response: ServerResponse): boolean => {
    if (plan.challenge === false) return false
    const verdict = gate.check(asked)
    if (verdict === 'good') return false
    reply(response, 401, faultXml('Sender', ['NotAuthorized'], 'no'), {
      'www-authenticate': gate.challenge(verdict === 'stale'),
      connection: 'close',
    })
    return true
  }

  const answerSoap = (asked: Asked, response: ServerResponse) => {
    if (isDenied(asked, response)) return
    if (asked.operation === 'GetDeviceInformation') return reply(response, 200, information(device.version))
    const uri = plan.uploadUri?.(device.port) ?? `http://127.0.0.1:${device.port}/upload/1`
    const estimates = plan.withoutEstimates
      ? ''
      : `<tds:UploadDelay>${plan.delay ?? 'PT0S'}</tds:UploadDelay><tds:ExpectedDownTime>PT1S</tds:ExpectedDownTime>`
    reply(
      response,
      200,
      soap(`<tds:StartFirmwareUpgradeResponse><tds:UploadUri>${uri}</tds:UploadUri>${estimates}</tds:StartFirmwareUpgradeResponse>`),
    )
  }

  const takeImage: NonNullable<Plan['takeImage']> =
    plan.takeImage ??
    ((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('accepted')
      device.reboot(plan.newVersion ?? '1.1.0')
    })

  const handle = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    if (isDown) {
      request.socket.destroy()
      return
    }
    if (request.url !== '/onvif/device_service') device.asked.push(`${request.method} ${request.url}`)
    if (request.method === 'HEAD') {
      response.writeHead(405, { allow: 'POST' }).end()
      return
    }
    const isUpload = request.url?.startsWith('/upload') ?? false
    const asked = { request, operation: '', body: '' }
    const looksFirst = isUpload && !(plan.ignoresExpect && expects)
    if (looksFirst && (plan.refuseHead?.(request, response) || isDenied(asked, response))) return
    if (expects && !plan.ignoresExpect) response.writeContinue()
    const entry = { request, image: Buffer.alloc(0) }
    if (isUpload) device.uploads.push(entry)
    request.on('data', chunk => {
      entry.image = Buffer.concat([entry.image, chunk])
    })
    request.on('end', () => {
      if (!isUpload) answerSoap({ ...asked, operation: /<s:Body><tds:(\w+)/.exec(entry.image.toString())?.[1] ?? '' }, response)
      else if (looksFirst || !isDenied(asked, response)) takeImage(entry.image, response, device)
    })
  }
  server.on('request', (request, response) => handle(request, response, false))
  server.on('checkContinue', (request, response) => handle(request, response, true))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(device, { port, url: `http://127.0.0.1:${port}` })
}

export const bytes = Buffer.alloc(3_000_000, 'firmware')
/** An image in memory, which counts how often it is sent. */
export function source(content = bytes): UploadSource & { readonly opened: () => number } {
  let opened = 0
  return {
    sizeBytes: content.length,
    opened: () => opened,
    async *open(firstByte) {
      opened++
      for (let at = firstByte; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536)
    },
  }
}
