import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { lacksRauc, makeRaucDevice, manifestOf, type RaucDevice } from '../platform/rauc/raucDevice.ts'
import { type Defect, type DeviceUnderTest, device, type EngineUnderTest, goodImage } from './kit.ts'
import { makePki, type Pki } from './pki.ts'

const pki = lacksRauc ? undefined : makePki()

/** RAUC with bundles of the format plain; the format verity where a defect shows in it alone. */
export const rauc: EngineUnderTest = {
  name: 'rauc',
  skip: lacksRauc,
  cannotBe: { 'of a lower security epoch': 'the manifest of RAUC 1.8 has no place for an epoch' },
  async make(t: TestContext): Promise<DeviceUnderTest> {
    if (pki === undefined) throw new Error('there is no RAUC')
    const machine = await makeRaucDevice(t, pki, { slotBytes: device.slotBytes })
    const backend = await machine.engine()
    await backend.recover()
    return {
      backend,
      async image(defect) {
        const payload = randomBytes(goodImage.payloadBytes)
        return {
          bytes: defect ? bundleWith(defect, machine, payload, pki) : machine.bundle({ payload, version: goodImage.version }),
          payload,
        }
      },
      slot: async () => machine.content('B'),
    }
  },
}

function bundleWith(defect: Defect, machine: RaucDevice, payload: Buffer, { stranger, expired, revoked }: Pki): Buffer {
  const { version } = goodImage
  const good = machine.bundle({ payload, version })
  const contentBytes = good.length - 8 - good.readUInt32BE(good.length - 4)
  const manifest = manifestOf({ payload, version })
  switch (defect) {
    case 'signed by a stranger':
      return machine.bundle({ payload, version, signer: stranger })
    case 'not signed':
      return good.subarray(0, contentBytes)
    case 'altered after it was signed': {
      // The signature of a verity bundle is over its manifest, and that of a plain one over everything.
      const verity = machine.bundle({ payload, version, format: 'verity' })
      const at = verity.lastIndexOf(`version=${version}`)
      return Buffer.concat([verity.subarray(0, at), Buffer.from('version=9.9.9'), verity.subarray(at + 13)])
    }
    case 'signed with an expired certificate':
      return machine.bundleByHand({ 'manifest.raucm': manifest, 'rootfs.img': payload }, expired)
    case 'signed with a revoked certificate':
      return machine.bundle({ payload, version, signer: revoked })
    case 'no image at all':
      return randomBytes(goodImage.payloadBytes)
    case 'without the file that it names':
      return machine.bundleByHand({ 'manifest.raucm': manifest })
    case 'for another board':
      return machine.bundle({ payload, version, compatible: 'another-board' })
    case 'older than what runs':
      return machine.bundle({ payload, version: '0.9.0' })
    case 'larger than a slot':
      return machine.bundle({ payload: randomBytes(2 * device.slotBytes), version })
    case 'with a damaged payload':
      return Buffer.concat([good.subarray(0, 5_000), Buffer.from([good.readUInt8(5_000) ^ 1]), good.subarray(5_001)])
    case 'cut off in its payload':
      return good.subarray(0, 100_000)
    case 'of a lower security epoch':
      throw new Error('there is no such bundle')
  }
}
