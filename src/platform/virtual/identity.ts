import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Store } from '../../device/store.ts'
import type { Identity } from '../platform.ts'

interface TypePlate {
  readonly uuid: string
  readonly serialNumber: string
}

/** Made on first start and kept for good: neither a factory default nor a restore changes who the device is. */
export function createIdentity(store: Store, model: string, serialNumber: string | undefined): Identity & { readonly hwAddress: string } {
  const document = store.document<TypePlate | undefined>('machine/identity', parseTypePlate, () => undefined)
  const plate = document.get() ?? { uuid: randomUUID(), serialNumber: `V${randomBytes(6).toString('hex').toUpperCase()}` }
  if (document.get() === undefined) document.set(plate)
  return {
    manufacturer: 'onvifd',
    model,
    serialNumber: serialNumber ?? plate.serialNumber,
    hardwareId: 'onvifd-virtual',
    uuid: plate.uuid,
    hwAddress: hwAddressOf(plate.uuid),
  }
}

/** Locally administered, unicast (IEEE 802, 8.4): the second bit of the first byte is set, the first is not. */
function hwAddressOf(uuid: string): string {
  const bytes = createHash('sha256').update(uuid).digest().subarray(0, 6)
  return ['02', ...[...bytes.subarray(1)].map(byte => byte.toString(16).padStart(2, '0'))].join(':')
}

function parseTypePlate(stored: unknown): TypePlate | undefined {
  if (typeof stored !== 'object' || stored === null) throw new Error('no identity')
  const { uuid, serialNumber }: { uuid?: unknown; serialNumber?: unknown } = stored
  if (typeof uuid !== 'string' || typeof serialNumber !== 'string') throw new Error('no identity')
  return { uuid, serialNumber }
}
