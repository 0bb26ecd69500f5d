/**
 * The servers that ours is measured against, each in a process of its own: `raw` answers any POST with given bytes, `soap` is node-soap
 * serving our WSDL with the same check of WS-UsernameToken, `upload` stores and hashes an upload in the simplest way there is.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createWriteStream, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { listen as serveSoap } from 'soap'

export type ServerKind = 'raw' | 'soap' | 'upload'
export interface ServerOrder {
  readonly kind: ServerKind
  /** For `raw`: file with the bytes to answer; for `upload`: file to write. */
  readonly file: string
  readonly user: string
  readonly password: string
}

const wsdl = fileURLToPath(new URL('../../wsdl/device.wsdl', import.meta.url))

function rawListener(file: string): RequestListener {
  const body = readFileSync(file)
  return (request, response) => {
    const pieces: Buffer[] = []
    request.on('data', piece => pieces.push(piece))
    request.on('end', () => {
      Buffer.concat(pieces)
      response.writeHead(200, { 'Content-Type': 'application/soap+xml; charset=utf-8', 'Content-Length': body.length })
      response.end(body)
    })
  }
}

/** The simplest server that does with an upload what has to be done: store it, hash it, and wait for the disk. */
function uploadListener(file: string): RequestListener {
  return async (request, response) => {
    const hash = createHash('sha256')
    const hashing = new Transform({
      transform(piece, _encoding, done) {
        hash.update(piece)
        done(null, piece)
      },
    })
    await pipeline(request, hashing, createWriteStream(file, { flush: true }))
    response.end(hash.digest('hex'))
  }
}

interface Token {
  readonly Security?: {
    readonly UsernameToken?: {
      readonly Username?: string
      readonly Password?: { readonly $value?: string }
      readonly Nonce?: string | { readonly $value?: string }
      readonly Created?: string
    }
  }
}

function soapListener(order: ServerOrder): ReturnType<typeof createServer> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  const now = () => new Date()
  const dateAndTime = (date: Date) => ({
    'tt:Time': { 'tt:Hour': date.getUTCHours(), 'tt:Minute': date.getUTCMinutes(), 'tt:Second': date.getUTCSeconds() },
    'tt:Date': { 'tt:Year': date.getUTCFullYear(), 'tt:Month': date.getUTCMonth() + 1, 'tt:Day': date.getUTCDate() },
  })
  const operations = {
    GetSystemDateAndTime: () => ({
      SystemDateAndTime: {
        'tt:DateTimeType': 'Manual',
        'tt:DaylightSavings': false,
        'tt:TimeZone': { 'tt:TZ': 'UTC0' },
        'tt:UTCDateTime': dateAndTime(now()),
        'tt:LocalDateTime': dateAndTime(now()),
      },
    }),
    GetDeviceInformation: () => ({
      Manufacturer: 'onvifd',
      Model: 'Virtual Device',
      FirmwareVersion: '1.0.0',
      SerialNumber: '0123456789',
      HardwareId: 'onvifd-virtual',
    }),
  }
  const seen = new Set<string>()
  const endpoint = serveSoap(server, {
    path: '/onvif/device_service',
    services: { DeviceService: { DevicePort: operations } },
    xml: readFileSync(wsdl, 'utf8'),
    uri: wsdl,
    forceSoap12Headers: true,
    suppressStack: true,
  })
  endpoint.authorizeConnection = () => true
  endpoint.authenticate = (security: Token['Security']) => {
    const token = security?.UsernameToken
    if (token === undefined) return true
    const nonce = Buffer.from(String(typeof token.Nonce === 'object' ? token.Nonce.$value : token.Nonce), 'base64')
    const created = String(token.Created)
    const wanted = createHash('sha1').update(nonce).update(created).update(order.password).digest()
    const given = Buffer.from(String(token.Password?.$value), 'base64')
    const key = `${token.Username} ${nonce.toString('base64')} ${created}`
    if (seen.has(key) || Math.abs(Date.now() - Date.parse(created)) > 300_000) return false
    seen.add(key)
    return token.Username === order.user && given.length === wanted.length && timingSafeEqual(given, wanted)
  }
  return server
}

if (process.send) {
  process.on('message', (order: ServerOrder) => {
    const server =
      order.kind === 'soap'
        ? soapListener(order)
        : createServer(order.kind === 'raw' ? rawListener(order.file) : uploadListener(order.file))
    server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
  })
}
