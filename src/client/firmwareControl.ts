import { setTimeout as sleep } from 'node:timers/promises'
import type { FirmwareOrder } from '../device/firmware/report.ts'
import { limits } from '../limits.ts'
import { paths } from '../operations/device/addresses.ts'
import { ClientError } from './errors.ts'
import type { HttpAnswer } from './exchange.ts'
import { readHistory, readReceipt, readReport, type UpgradeEnd, type UpgradeReport } from './firmwareReport.ts'
import { printable, statusText } from './message.ts'
import type { OnvifClient } from './onvifClient.ts'

/** The device has no door for this: it is another maker's, or an older onvifd. */
export class NoFirmwareControl extends Error {
  override readonly name = 'NoFirmwareControl'
}

/** The device understood the order, and will not. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused'
}

/** Looking after the upgrades of an onvifd device. Every call throws ClientError, and NoFirmwareControl for other devices. */
export interface FirmwareControl {
  /** Needs an Administrator, as all of it does. */
  report(timeoutMs?: number): Promise<UpgradeReport>
  /** How the last upgrades ended, the newest last. */
  history(timeoutMs?: number): Promise<readonly UpgradeEnd[]>
  /** Throws OrderRefused where the order has no meaning now. */
  order(order: FirmwareOrder): Promise<{ readonly transaction: string; readonly message: string }>
}

export function firmwareControl({ url: service, session }: OnvifClient): FirmwareControl {
  const at = (path: string) => new URL(path, service)

  async function ask<T>(path: string, read: (value: unknown) => T, timeoutMs?: number): Promise<T> {
    const answer = await session.fetch(at(path), { timeoutMs })
    return read(jsonOf(answer, at(path)))
  }

  return {
    report: timeoutMs => ask(paths.firmware, readReport, timeoutMs),
    history: timeoutMs => ask(paths.firmwareHistory, readHistory, timeoutMs),

    async order(order) {
      const url = at(`${paths.firmware}/${order}`)
      const headers = { 'content-type': 'application/json' }
      const answer = await session.fetch(url, { method: 'POST', headers, body: Buffer.from('{}') })
      const { transaction, message } = readReceipt(jsonOf(answer, url))
      if (answer.status !== 200) throw new OrderRefused(printable(message))
      return { transaction, message: printable(message) }
    },
  }
}

/** A refusal comes as JSON, too. Whatever else a device answers on this path, it does not know it. */
function jsonOf({ status, headers, body }: HttpAnswer, url: URL): unknown {
  if (status === 401) throw new ClientError('status', `${url.host} refuses the log-in`, { status })
  if (status >= 500) throw new ClientError('status', `${url.host} answered with HTTP ${statusText(status)}`, { status })
  try {
    if (headers['content-type']?.[0]?.startsWith('application/json')) return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new ClientError('answer', `${url.host} does not answer in JSON`, { cause })
  }
  throw new NoFirmwareControl(
    `this device is no onvifd that can be asked for its upgrades (${url.pathname} gave HTTP ${statusText(status)}): onvifd upgrade works with every device`,
  )
}

export interface FollowOptions {
  readonly onReport: (report: UpgradeReport) => void
  /** The device does not answer: it restarts, one would hope. */
  readonly onAway: () => void
  /** How long it may be away. */
  readonly awayMaxMs: number
  readonly signal?: AbortSignal | undefined
  /** Ends it with a report in which this is true. */
  readonly until?: (report: UpgradeReport) => boolean
}

export interface Followed {
  /** Undefined where the upgrade has not ended, or left no trace. */
  readonly end: UpgradeEnd | undefined
  readonly report: UpgradeReport
  readonly wasAway: boolean
}

/** Asks again and again until the upgrade has ended, over its reboots. Throws ClientError, and NoFirmwareControl for other devices. */
export async function followUpgrade(control: FirmwareControl, transaction: string, options: FollowOptions): Promise<Followed> {
  const { onReport, onAway, awayMaxMs, signal, until = () => false } = options
  let awayFromMs: number | undefined
  let wasAway = false
  let refusals = 0
  for (;;) {
    try {
      const report = await control.report(limits.clientPollTimeoutMs)
      awayFromMs = undefined
      onReport(report)
      if (report.transaction !== transaction) {
        const history = await control.history(limits.clientPollTimeoutMs)
        return { end: history.findLast(entry => entry.transaction === transaction), report, wasAway }
      }
      if (until(report)) return { end: undefined, report, wasAway }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      // While it boots, a device may answer anything. But guessing on would lock the account.
      if (error.status === 401 && ++refusals === limits.clientRefusalsMax) throw error
      if (awayFromMs === undefined) onAway()
      wasAway ||= error.kind !== 'status'
      awayFromMs ??= performance.now()
      if (performance.now() - awayFromMs > awayMaxMs)
        throw new ClientError('timeout', `the device is not back after ${Math.round(awayMaxMs / 1000)} s`, { cause: error })
    }
    await sleep(limits.clientPollMs, undefined, { signal })
  }
}
