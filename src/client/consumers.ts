import { contract } from '../onvif/contract.generated.ts'
import type { Raw } from '../onvif/schema.ts'
import type { Notify } from '../onvif/types.generated.ts'
import { referenceBlocks } from '../soap/addressing.ts'
import { createCodec } from '../soap/codec.ts'
import { ConsumerRefusal, createNotifications } from './notifications.ts'

/** The endpoint reference of a subscription with delivery. */
interface Consumer {
  readonly address: string
  readonly parameters: readonly Raw[]
}

/** The consumers of WS-BaseNotification, to whom messages are written and brought. `isLocalAllowed` is `--notify-local`. */
export function createConsumers(options: { readonly isLocalAllowed: boolean }) {
  const notifications = createNotifications(options)
  const codec = createCodec(contract)

  const blocksOf = (parameters: readonly Raw[]): string => {
    const blocks = referenceBlocks(parameters)
    if (blocks === undefined) throw new ConsumerRefusal('the address of the consumer has too many reference parameters')
    return blocks
  }

  return {
    /** How to send to it. Rejects with a ConsumerRefusal where nothing is ever sent to. */
    async open({ address, parameters }: Consumer) {
      const consumer = { address, parameters: blocksOf(parameters) }
      await notifications.assertConsumer(address)
      return (notify: Notify, signal: AbortSignal): Promise<void> =>
        notifications.send(consumer, codec.encode('wsnt:Notify', notify), signal)
    },

    close: notifications.close,
  }
}
