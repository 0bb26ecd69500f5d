import type { Log, UpdateBackend } from '../../platform/platform.ts'
import { type UploadReceipt, UploadRefusal, type UploadRequest } from '../upload.ts'
import type { Health } from './health.ts'
import { transactionOf } from './machine.ts'
import type { FirmwareOrder } from './report.ts'
import type { createRunner } from './runner.ts'

interface Parts {
  readonly runner: Pick<Awaited<ReturnType<typeof createRunner>>, 'run' | 'state'>
  readonly backend: Pick<UpdateBackend, 'canAbort' | 'name'>
  readonly health: Pick<Health, 'confirm' | 'reject'>
  readonly log: Log
  /** Ends an upload that is under way. */
  readonly stopUpload: (by: string) => Promise<void>
}

/** What an administrator can order. It throws UploadRefusal 409 where the order has no meaning in the present state. */
export function createOrders({ runner, backend, health, log, stopUpload }: Parts) {
  const { run } = runner
  return async function command(order: FirmwareOrder, { user }: Pick<UploadRequest, 'user' | 'remoteAddress'>): Promise<UploadReceipt> {
    const state = runner.state()
    const transaction = transactionOf(state)
    const refuse = (why: string) => new UploadRefusal(409, 'state', why, { transaction })
    const done = (message: string, afterReply = async () => {}): UploadReceipt => ({
      transaction: transaction ?? '',
      message,
      afterReply,
    })
    log.info({ order, user, transaction, state: state.name }, 'an order for the firmware upgrade')
    switch (order) {
      case 'activate':
        if (state.name !== 'Installed') throw refuse(`nothing waits to be activated: ${state.name}`)
        await run({ name: 'ActivateOrdered' })
        if (runner.state().name !== 'Rebooting') throw new UploadRefusal(500, 'io', 'the activation failed', { transaction })
        return done('activated, the device restarts', () => run({ name: 'RebootDue' }))
      case 'confirm':
        if (state.name === 'Recovery') {
          await run({ name: 'ConfirmOrdered' })
          return done('what runs is confirmed, and the boot record is made anew')
        }
        if (state.name !== 'Trial') throw refuse(`no image is on trial: ${state.name}`)
        if (!health.confirm()) throw refuse('the checks of the device confirm this image, nobody else (--confirm auto)')
        return done('noted')
      case 'rollback':
        if (state.name !== 'Trial') throw refuse(`no image is on trial: ${state.name}`)
        return done('the image is given up, the device restarts', async () => void health.reject(`given up by ${user}`))
      case 'abort':
        if (state.name === 'Installed') await run({ name: 'AbortOrdered', failure: { reason: 'aborted', detail: `ended by ${user}` } })
        else if (state.name === 'Armed' || state.name === 'Transfer' || state.name === 'Check') {
          if (!backend.canAbort && state.name !== 'Armed') throw refuse(`${backend.name} cannot be stopped, its end has to be waited for`)
          await stopUpload(user)
        } else throw refuse(`nothing can be aborted: ${state.name}`)
        return done('aborted')
    }
  }
}
