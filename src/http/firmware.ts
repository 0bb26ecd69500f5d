import type { ServerResponse } from 'node:http'
import type { Authenticator } from '../auth/authenticate.ts'
import type { Firmware } from '../device/firmware/firmware.ts'
import type { FirmwareOrder } from '../device/firmware/report.ts'
import { UploadRefusal } from '../device/upload.ts'
import { paths } from '../operations/device/addresses.ts'
import type { Logs } from '../platform/platform.ts'
import { type AppRequest, logIn } from './login.ts'
import { afterReply, replyJson, replyText, type Terms } from './reply.ts'
import { mediaTypeOf, remoteAddressOf } from './request.ts'

/** The door by which a person looks after an upgrade: ONVIF has operations to begin one, and none to see it through. */
export interface FirmwareDoor extends Terms {
  readonly firmware: Pick<Firmware, 'report' | 'history' | 'command'>
  readonly authenticator: Authenticator
  readonly logs: Pick<Logs, 'system' | 'access'>
}

/** What each path orders. */
export const orders: ReadonlyMap<string, FirmwareOrder> = new Map(
  (['activate', 'confirm', 'rollback', 'abort'] as const).map(order => [`${paths.firmware}/${order}`, order]),
)

/** A role that lets somebody begin an upgrade lets him look after it. */
const operation = 'StartFirmwareUpgrade'

/** How the upgrade stands, or how those before it ended. */
export async function answerQuestion(
  door: FirmwareDoor,
  request: AppRequest,
  response: ServerResponse,
  read: (firmware: FirmwareDoor['firmware']) => Promise<object> | object,
): Promise<void> {
  const caller = await logIn(door, request, response, 'READ_SYSTEM_SECRET', operation)
  if (caller) replyJson(door, request, response, 200, await read(door.firmware))
}

/**
 * One order by POST. A page of another site can have a browser send a form with the log-in that it remembers, but not JSON
 * without asking first (Fetch 2.2.2 and 4.8), and there is no answer to that question here.
 */
export async function answerOrder(door: FirmwareDoor, request: AppRequest, response: ServerResponse, order: FirmwareOrder): Promise<void> {
  if (request.method !== 'POST') {
    replyText(door, request, response, 405, `POST to ${order}`, ['Allow', 'POST'])
    return
  }
  const caller = await logIn(door, request, response, 'UNRECOVERABLE', operation)
  if (caller === undefined) return
  const by = { user: caller.name, remoteAddress: remoteAddressOf(request) }
  const entry = { order, user: by.user, from: by.remoteAddress }
  try {
    assertNoForm(request)
    const receipt = await door.firmware.command(order, by)
    const { transaction, message } = receipt
    door.logs.access.info({ ...entry, status: 200, transaction }, message)
    afterReply(response, door.logs.system, receipt.afterReply)
    replyJson(door, request, response, 200, { transaction, message })
  } catch (error) {
    if (!(error instanceof UploadRefusal)) throw error
    const { status, reason, message, transaction } = error
    door.logs.access.info({ ...entry, status, reason, transaction }, message)
    replyJson(door, request, response, status, { reason, message, transaction })
  }
}

const emptyObjectBytes = 2

/** An order is its path. What somebody adds to it would be left undone, so it is refused. */
function assertNoForm(request: AppRequest): void {
  if (mediaTypeOf(request) !== 'application/json') throw new UploadRefusal(415, 'format', 'send it as application/json')
  const { 'content-length': bytes = '0', 'transfer-encoding': coding } = request.headers
  if (coding !== undefined || Number(bytes) > emptyObjectBytes)
    throw new UploadRefusal(400, 'format', 'an order has no parameters: send {}')
}
