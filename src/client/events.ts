import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../limits.ts'
import type { DeviceEvent } from './deviceEvent.ts'
import { ClientError, isLoginRefused, OnvifFault } from './errors.ts'
import type { OnvifClient } from './onvifClient.ts'
import { createPullPoint, isFailure, type PullPoint } from './pullPoint.ts'
import { parseTopics } from './topicExpression.ts'

export interface WatchOptions {
  /**
   * Only events of these topics: `tns1:Monitoring/UploadStatus`, `tns1:Monitoring//.` for all below. Without a prefix they are ONVIF's own;
   * another prefix means what the device says. Without topics: every event.
   */
  readonly topics?: readonly string[] | undefined
  /** Ends the watching, and with it the generator. */
  readonly signal?: AbortSignal | undefined
  /** A subscription stands: at first, and again after each loss. The device then tells the state of its properties anew. */
  readonly onConnected?: (() => void) | undefined
  /** The device is away, or has forgotten the subscription. It is asked again and again; events in between may be missed. */
  readonly onLost?: ((why: Error) => void) | undefined
}

/**
 * The events of any ONVIF device as they come, by a pull point of its event service (Core 9.2), over lost connections and reboots. It
 * ends by `signal`, or when the loop around it does; then the device is told. Throws TopicError at once; OnvifFault and ClientError where
 * the first subscription does not come about, and later where the device takes the log-in no more, or shows a certificate that is not
 * trusted.
 */
export async function* watchEvents(client: OnvifClient, options: WatchOptions = {}): AsyncGenerator<DeviceEvent, void, void> {
  const { signal, onConnected = () => {}, onLost = () => {} } = options
  const topics = parseTopics(options.topics ?? [])
  const subscription = { topics, signal, silentHosts: new Set<string>() }
  const setbacks = createSetbacks()
  const pace = createPace()
  let pullPoint: PullPoint | undefined
  try {
    while (!signal?.aborted) {
      let events: readonly DeviceEvent[] = []
      try {
        if (!pullPoint) {
          pullPoint = await createPullPoint(client, subscription)
          setbacks.subscribed()
          onConnected()
        }
        events = await pullPoint.pull()
        setbacks.pulled()
        const pauseMs = pace(events.length)
        if (pauseMs > 0) await sleep(pauseMs, undefined, { signal })
      } catch (error) {
        if (signal?.aborted) return
        const pauseMs = setbacks.failed(error)
        if (pauseMs === 0) continue
        if (pullPoint && error instanceof Error) onLost(error)
        pullPoint = undefined
        await sleep(pauseMs, undefined, { signal }).catch(() => {})
      }
      yield* events
    }
  } finally {
    await pullPoint?.unsubscribe()
  }
}

/** Decides after each failure whether to go on, and how soon. */
function createSetbacks() {
  let isFirst = true
  let hasWorked = false
  let isOnceMore = false
  let refusals = 0
  let pauseMs: number = limits.clientRetryMs

  return {
    subscribed() {
      isFirst = false
    },

    pulled() {
      hasWorked = true
      isOnceMore = false
      refusals = 0
      pauseMs = limits.clientRetryMs
    },

    /** How long to wait; 0 for another try with the same pull point. Throws what nothing will mend. */
    failed(error: unknown): number {
      if (!isFailure(error) || isFirst || (error instanceof ClientError && error.kind === 'untrusted')) throw error
      // A device that gives a pull point, and then lets nobody pull, will do so again.
      if (error instanceof OnvifFault && !hasWorked) throw error
      hasWorked = true
      // While it boots, a device may answer anything. But guessing on would lock the account.
      if (isLoginRefused(error) && ++refusals === limits.clientRefusalsMax) throw error
      // A kept connection that the device has closed meanwhile: nothing is lost.
      if (error instanceof ClientError && error.kind === 'closed' && !isOnceMore) {
        isOnceMore = true
        return 0
      }
      const now = pauseMs
      pauseMs = Math.min(pauseMs * 2, limits.clientRetryMaxMs)
      return now
    },
  }
}

/** Slows down the pulls from a device that answers at once though it has nothing to tell. */
function createPace(): (events: number) => number {
  let last = performance.now()
  let hasty = 0
  return events => {
    const now = performance.now()
    hasty = events === 0 && now - last < limits.clientEmptyPullMs ? hasty + 1 : 0
    last = now
    return hasty > 1 ? limits.clientEmptyPullMs : 0
  }
}
