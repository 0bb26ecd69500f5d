import type { RequestListener, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type NextFunction, type Request, type Response } from 'express'
import type { Authenticator } from '../auth/authenticate.ts'
import type { UploadTarget } from '../device/upload.ts'
import type { AccessClass } from '../onvif/operations.ts'
import type { OperationName } from '../onvif/types.generated.ts'
import { baseOf, paths } from '../operations/device/addresses.ts'
import type { Logs } from '../platform/platform.ts'
import { placeholder, readContractFiles } from './contractFiles.ts'
import { answerOrder, answerQuestion, type FirmwareDoor, orders } from './firmware.ts'
import { logIn } from './login.ts'
import { plainHeaders, replyText, type Terms } from './reply.ts'
import { hasBody, isSecure, originForm, originOf, remoteAddressOf } from './request.ts'
import { answerUpload } from './upload.ts'

/** A file that GetSystemUris names. */
export interface Download {
  readonly access: Exclude<AccessClass, 'PRE_AUTH'>
  /** The operation that gives the same: a role that opens it opens the file. */
  readonly operation?: OperationName
  readonly contentType: string
  /** What a browser saves it as. */
  readonly fileName: string
  /** Its content as it is now; a stream where it is too large to be held. */
  read(): Promise<Buffer | Readable>
  /** Told when all of it has gone to a client. */
  sent?(): void
}

export interface AppOptions extends Terms {
  readonly authenticator: Authenticator
  /** By path with a slash at its end: the ticket is what follows. */
  readonly uploads: ReadonlyMap<string, UploadTarget>
  /** By path. */
  readonly downloads: ReadonlyMap<string, Download>
  readonly firmware: FirmwareDoor['firmware']
  readonly logs: Pick<Logs, 'system' | 'access'>
  /** What the addresses in the contract begin with, instead of what `originOf` says. */
  readonly publicOrigin?: URL | undefined
  /** Where files go and come over HTTPS alone: its port, which whoever comes without TLS is sent to. */
  readonly insteadPort?: (() => number) | undefined
}

/** What a GET of the address of a service shows, with or without `?wsdl`. */
const wsdlOf = [
  [paths.service, 'device.wsdl'],
  [paths.security, 'security.wsdl'],
  [paths.events, 'event.wsdl'],
] as const

/** Everything over HTTP that is no SOAP message. Paths are literal: what a client sends is looked up, never taken apart. */
export async function createApp({ uploads, downloads, publicOrigin, insteadPort, ...door }: AppOptions): Promise<RequestListener> {
  const { logs } = door
  const files = await readContractFiles()

  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', false)
  app.enable('case sensitive routing')
  app.enable('strict routing')

  for (const [path, target] of uploads) {
    app.use(path.slice(0, -1), onlySecure, (request, response) => answerUpload({ ...door, path, target }, request, response))
  }

  for (const [path, download] of downloads) {
    app.all(path, readOnly, onlySecure, async (request, response) => {
      const caller = await logIn(door, request, response, download.access, download.operation)
      if (caller === undefined) return
      const content = await download.read()
      logs.access.info({ download: path, user: caller.name, from: remoteAddressOf(request), status: 200 }, 'sent')
      if (request.method === 'GET') response.once('finish', () => download.sent?.())
      await sendFile(request, response, content, download)
    })
  }

  app.all(paths.firmware, readOnly, (request, response) => answerQuestion(door, request, response, firmware => firmware.report()))
  app.all(paths.firmwareHistory, readOnly, (request, response) => answerQuestion(door, request, response, firmware => firmware.history()))
  for (const [path, order] of orders) app.all(path, (request, response) => answerOrder(door, request, response, order))

  for (const [name, text] of files) {
    // The second path is where `schemaLocation="device.xsd"` leads from the first one below.
    app.all([`/onvif/wsdl/${name}`, `/onvif/${name}`], readOnly, (request, response) => sendContract(request, response, text))
  }
  for (const [path, name] of wsdlOf) {
    const text = files.get(name)
    if (text !== undefined) app.get(path, (request, response) => sendContract(request, response, text))
  }

  app.use((request, response) => {
    // A SOAP message would be taken on every path of /onvif/, so for other methods the path is there.
    const exists = request.path.startsWith('/onvif/') && !isRead(request)
    if (exists) replyText(door, request, response, 405, 'POST a SOAP message', ['Allow', 'GET, HEAD, POST'])
    else replyText(door, request, response, 404, 'there is nothing at this address')
  })

  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    logs.system.error({ error, path: request.path, from: remoteAddressOf(request) }, 'a page failed')
    replyText(door, request, response, 500, 'the device could not answer')
  })
  return app

  async function sendContract(request: Request, response: ServerResponse, text: string): Promise<void> {
    const body = Buffer.from(text.replaceAll(placeholder, `${baseOf(publicOrigin ?? originOf(request, door.isOwnName))}/`))
    await sendFile(request, response, body, { contentType: 'text/xml; charset=utf-8' })
  }

  /** RFC 9110 15.4.9: the same request again, over TLS. Nobody has logged in by then, so nothing has gone in the clear. */
  function onlySecure(request: Request, response: Response, next: NextFunction): void {
    if (insteadPort === undefined || isSecure(request)) {
      next()
      return
    }
    const { hostname } = originOf(request, door.isOwnName)
    const origin = publicOrigin?.protocol === 'https:' ? publicOrigin : new URL(`https://${hostname}:${insteadPort()}`)
    const location = baseOf(origin) + (originForm(request.originalUrl) ?? '')
    replyText(door, request, response, 308, 'this device sends and takes files over HTTPS only', ['Location', location])
  }

  function readOnly(request: Request, response: Response, next: NextFunction): void {
    if (isRead(request)) next()
    else replyText(door, request, response, 405, 'GET the file', ['Allow', 'GET, HEAD'])
  }
}

const isRead = ({ method }: Request) => method === 'GET' || method === 'HEAD'

async function sendFile(
  request: Request,
  response: ServerResponse,
  content: Buffer | Readable,
  { contentType, fileName }: Pick<Download, 'contentType'> & Partial<Download>,
): Promise<void> {
  const headers = ['Content-Type', contentType, ...plainHeaders]
  if (fileName !== undefined) headers.push('Content-Disposition', `attachment; filename="${fileName}"`)
  // Nobody reads what a GET brings along.
  if (hasBody(request)) response.shouldKeepAlive = false
  if (Buffer.isBuffer(content)) {
    response.writeHead(200, [...headers, 'Content-Length', String(content.length)])
    response.end(content)
    return
  }
  response.writeHead(200, headers)
  await pipeline(content, response)
}
