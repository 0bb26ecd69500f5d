import { makeMachine, shortFolder } from '../platform/swupdate/bench.ts'
import { lacksSwupdate, program, startDaemon } from '../platform/swupdate/debian.ts'
import { device, type EngineUnderTest } from './kit.ts'
import type { Pki } from './pki.ts'
import { swuImages } from './swuImages.ts'

/** Debian’s SWUpdate as a daemon, and started for every installation. */
export const swupdate = (pki: Pki, run: 'daemon' | 'once'): EngineUnderTest => ({
  name: run === 'daemon' ? 'swupdate as a daemon' : 'swupdate started for one installation',
  skip: lacksSwupdate,
  cannotBe: {},
  async make(t) {
    const machine = await makeMachine(t, { trust: pki.trust, slotBytes: device.slotBytes, securityEpoch: device.securityEpoch })
    const folder = shortFolder(t)
    if (run === 'daemon') await startDaemon(t, folder, pki.authority)
    return {
      backend: machine.withSwupdate(run === 'daemon' ? { run, folder } : { run, folder, command: [program] }),
      image: swuImages(pki, { 'copy-a': machine.slotPath('A'), 'copy-b': machine.slotPath('B') }),
      slot: async () => machine.content(),
    }
  },
})
