import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../limits.ts'
import { durationMs } from '../onvif/times.ts'
import { AddressError, reachableAddresses } from './address.ts'
import { ClientError, isLoginRefused, OnvifFault } from './errors.ts'
import { openConnections } from './exchange.ts'
import { firmwareControl, followUpgrade, NoFirmwareControl } from './firmwareControl.ts'
import type { UpgradeEnd, UpgradeReport } from './firmwareReport.ts'
import { printable, readMessage, statusText, text } from './message.ts'
import type { OnvifClient } from './onvifClient.ts'
import { uploadResuming } from './resumingUpload.ts'
import type { UploadAnswer, UploadSource } from './upload.ts'

export type UpgradeProgress =
  /** The device knows that an image is coming and wants this long to get ready. */
  | { readonly phase: 'delay'; readonly delayMs: number }
  | { readonly phase: 'upload'; readonly sentBytes: number; readonly totalBytes: number }
  /** The connection broke; the device has what is before this byte. */
  | { readonly phase: 'resume'; readonly firstByte: number }
  /** All is sent; the device verifies and writes. */
  | { readonly phase: 'install' }
  /** The device took the image and restarts; `expectedMs` is its own estimate. */
  | { readonly phase: 'reboot'; readonly expectedMs: number }
  /** Only with onvifd: how the upgrade stands, when that has changed. */
  | { readonly phase: 'follow'; readonly report: UpgradeReport }

export interface UpgradeOptions {
  readonly onProgress?: ((progress: UpgradeProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** How long the device may be away; default: four times what it says, at least two minutes. */
  readonly downTimeMaxMs?: number | undefined
  readonly continueTimeoutMs?: number | undefined
}

export interface UpgradeResult {
  readonly oldVersion: string
  readonly newVersion: string
  /** What the device said when it took the image; '' where it said nothing. */
  readonly message: string
  /** Whether the device was seen to go away. A device that is back within moments may not be. */
  readonly wasAway: boolean
  /** The rest is there only where the device is an onvifd that lets itself be asked. */
  readonly transaction?: string
  /** `held`: the image is installed and waits for `activate`. */
  readonly outcome?: 'confirmed' | 'failed' | 'held'
  /** Why the device went back. */
  readonly failure?: NonNullable<UpgradeEnd['failure']>
}

/** The device did not take the image, or did not come back with it. */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError'
  /** HTTP status of the answer to the upload, where it is what refused the image: 415 is the image's fault, 5xx the device's. */
  readonly status: number | undefined

  constructor(message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options)
    this.status = options.status
  }
}

/** An image in a file, which must stay as it is until the upload is over. */
export async function imageFile(path: string): Promise<UploadSource> {
  const { size } = await stat(path)
  return { sizeBytes: size, open: start => createReadStream(path, { highWaterMark: 262_144, start }) }
}

/**
 * Upgrades the firmware of any device with HTTP upgrade (Core 8.3.9): announces the image, sends it, waits out the reboot and
 * reads the version that then runs. Needs an Administrator. Throws UpgradeError, OnvifFault and ClientError.
 */
export async function upgradeFirmware(client: OnvifClient, image: UploadSource, options: UpgradeOptions = {}): Promise<UpgradeResult> {
  const { onProgress = () => {}, signal } = options
  if (image.sizeBytes === 0) throw new UpgradeError('the image is empty')
  const oldVersion = await firmwareVersion(client)
  const start = await client.ask('StartFirmwareUpgrade', {})
  const uri = text(start, 'UploadUri')
  if (uri === '') throw new UpgradeError('the device gave no address for the upload')

  const delayMs = Math.max(0, durationMs(text(start, 'UploadDelay')) ?? 0)
  if (delayMs > limits.clientUploadDelayMaxMs)
    throw new UpgradeError(`the device wants ${Math.round(delayMs / 60_000)} minutes before the upload: try again later`)
  if (delayMs > 0) onProgress({ phase: 'delay', delayMs })
  await sleep(delayMs, undefined, { signal })

  const answer = await uploadImage(client, uri, image, options)
  const message = accepted(answer)
  const expectedMs = durationMs(text(start, 'ExpectedDownTime')) ?? limits.clientDownTimeMs
  let isRebootTold = false
  const tellReboot = () => {
    if (!isRebootTold) onProgress({ phase: 'reboot', expectedMs })
    isRebootTold = true
  }
  const wait = { awayMaxMs: options.downTimeMaxMs ?? patience(expectedMs), onProgress, tellReboot, signal }
  const transaction = answer.http?.headers['x-onvifd-transaction']?.[0]
  const seen = transaction === undefined ? { wasAway: answer.wasAway ?? false } : await seeThrough(client, transaction, wait)
  if ('outcome' in seen) return { oldVersion, newVersion: await firmwareVersion(client), message, ...seen }
  tellReboot()
  const { newVersion, wasAway } = await afterReboot(client, oldVersion, wait, seen.wasAway)
  if (!answer.http && newVersion === oldVersion) {
    throw new UpgradeError(`the device closed the connection without an answer to the upload and still runs ${oldVersion}`)
  }
  return { oldVersion, newVersion, message, wasAway }
}

interface Wait {
  readonly awayMaxMs: number
  readonly onProgress: (progress: UpgradeProgress) => void
  readonly tellReboot: () => void
  readonly signal: AbortSignal | undefined
}

/** Waits until an onvifd has kept the image, or gone back; gives no outcome where it does not tell. */
async function seeThrough(client: OnvifClient, transaction: string, { awayMaxMs, onProgress, tellReboot, signal }: Wait) {
  let told = ''
  const onReport = (report: UpgradeReport) => {
    // What is left of a deadline is no news.
    const now = `${report.state} ${report.waitingFor?.replace(/\d+/g, '')}`
    if (now !== told && report.transaction === transaction) onProgress({ phase: 'follow', report })
    told = now
  }
  let isSeenAway = false
  const onAway = () => {
    tellReboot()
    isSeenAway = true
  }
  const isHeld = ({ state }: UpgradeReport) => state === 'Installed'
  try {
    const followed = await followUpgrade(firmwareControl(client), transaction, { onReport, onAway, awayMaxMs, signal, until: isHeld })
    const { end, report, wasAway } = followed
    if (isHeld(report)) return { wasAway, transaction, outcome: 'held' } as const
    if (!end) return { wasAway }
    return end.failure
      ? ({ wasAway, transaction, outcome: 'failed', failure: end.failure } as const)
      : ({ wasAway, transaction, outcome: 'confirmed' } as const)
  } catch (error) {
    if (error instanceof NoFirmwareControl || (error instanceof ClientError && error.status === 401 && told === ''))
      return { wasAway: isSeenAway }
    if (error instanceof ClientError) throw new UpgradeError(`the device took the image, but ${error.message}`, { cause: error })
    throw error
  }
}

async function firmwareVersion(client: OnvifClient, timeoutMs?: number): Promise<string> {
  return text(await client.ask('GetDeviceInformation', {}, timeoutMs), 'FirmwareVersion')
}

/** Tries the addresses that the URI may mean, one after the other, as long as no connection comes about. */
async function uploadImage(client: OnvifClient, uri: string, image: UploadSource, options: UpgradeOptions): Promise<UploadAnswer> {
  const { session, url: service } = client
  const { onProgress = () => {}, signal, continueTimeoutMs } = options
  const onResume = (firstByte: number) => onProgress({ phase: 'resume', firstByte })
  const onSent = (sentBytes: number) => {
    onProgress({ phase: 'upload', sentBytes, totalBytes: image.sizeBytes })
    if (sentBytes === image.sizeBytes) onProgress({ phase: 'install' })
  }
  let unreachable: unknown
  for (const url of reachableAddresses(uri, service)) {
    const connections = openConnections(session.tls, false)
    try {
      const parts = { connections, digest: session.digestAt(url), onSent, onResume, signal, continueTimeoutMs }
      return await uploadResuming(url, image, parts)
    } catch (error) {
      if (!(error instanceof ClientError && error.kind === 'unreachable')) throw error
      unreachable ??= error
    }
  }
  throw unreachable ?? new AddressError('the device gave no address for the upload')
}

/** What the device said to an image that it took. Throws UpgradeError where it did not. */
function accepted({ http }: UploadAnswer): string {
  if (!http) return ''
  const said = plainText(http)
  if (http.status >= 200 && http.status < 300) return said
  if (http.status === 401)
    throw new UpgradeError('the device does not accept this log-in for the upload: it takes HTTP Digest of an Administrator', {
      status: 401,
    })
  const why = http.status === 415 ? 'the device refuses the image' : `the upload failed with HTTP ${statusText(http.status)}`
  throw new UpgradeError(said === '' ? why : `${why}: ${said}`, { status: http.status })
}

/** The reason for people, from a text body or a fault; pages of HTML say less than the status. */
function plainText({ status, headers, body }: NonNullable<UploadAnswer['http']>): string {
  const type = headers['content-type']?.[0] ?? 'text/plain'
  if (/^text\/plain\b/i.test(type)) return printable(body.toString('utf8', 0, 4 * limits.faultReasonCharactersMax))
  if (!/\bxml\b/i.test(type)) return ''
  try {
    readMessage({ status, headers, body }, new URL('http://device/'))
    return ''
  } catch (error) {
    return error instanceof OnvifFault ? printable(error.message) : ''
  }
}

/** Asks until the device answers with another version, or with the old one after having been away. */
async function afterReboot(
  client: OnvifClient,
  oldVersion: string,
  { awayMaxMs, signal }: Wait,
  wasSeenAway: boolean,
): Promise<{ newVersion: string; wasAway: boolean }> {
  const deadline = performance.now() + awayMaxMs
  let wasAway = wasSeenAway
  let refusals = 0
  let last: unknown
  while (performance.now() < deadline) {
    await sleep(Math.max(0, Math.min(limits.clientPollMs, deadline - performance.now())), undefined, { signal })
    try {
      const newVersion = await firmwareVersion(client, limits.clientPollTimeoutMs)
      if (newVersion !== oldVersion || wasAway) return { newVersion, wasAway }
      last = undefined
    } catch (error) {
      if (!(error instanceof ClientError || error instanceof OnvifFault)) throw error
      // While it boots, a device may answer anything. But guessing on would lock the account.
      if (isLoginRefused(error) && ++refusals === limits.clientRefusalsMax)
        throw new UpgradeError('the device is back, but refuses the log-in that it took before', { cause: error })
      if (error instanceof ClientError && error.kind !== 'status') wasAway = true
      last = error
    }
  }
  if (last === undefined) return { newVersion: oldVersion, wasAway }
  throw new UpgradeError(`the device took the image, but is not back after ${Math.round(awayMaxMs / 1000)} s`, { cause: last })
}

function patience(expectedMs: number): number {
  const { clientDownTimeFactor, clientDownTimeMinMs, clientDownTimeMaxMs } = limits
  return Math.min(Math.max(expectedMs * clientDownTimeFactor, clientDownTimeMinMs), clientDownTimeMaxMs)
}
