import { makeMachine } from '../platform/swupdate/bench.ts'
import { device, type EngineUnderTest } from './kit.ts'
import type { Pki } from './pki.ts'
import { swuImages } from './swuImages.ts'

export const builtin = (pki: Pki): EngineUnderTest => ({
  name: 'builtin',
  skip: false,
  cannotBe: {},
  async make(t) {
    const machine = await makeMachine(t, { trust: pki.trust, slotBytes: device.slotBytes, securityEpoch: device.securityEpoch })
    return {
      backend: machine.slots,
      image: swuImages(pki, { 'copy-a': machine.slotPath('A'), 'copy-b': machine.slotPath('B') }),
      slot: async () => machine.content(),
    }
  },
})
