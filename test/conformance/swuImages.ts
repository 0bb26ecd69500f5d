import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpioHeader, cpioPadding, cpioTrailer } from '../../src/device/firmware/cpio.ts'
import { buildImage, type ImageOrder } from '../../src/device/firmware/imageBuilder.ts'
import { openSwu } from '../../src/device/firmware/swu.ts'
import { type Defect, device, goodImage } from './kit.ts'
import type { Pki, Signer } from './pki.ts'

/** Makes SWU images whose root file system goes to these places. */
export function swuImages(pki: Pki, devices: { readonly 'copy-a': string; readonly 'copy-b': string }) {
  async function build(order: Partial<ImageOrder>, payload: Buffer, signer: Signer = pki.good): Promise<Buffer> {
    const source = {
      name: 'rootfs.img',
      devices,
      async *read() {
        yield payload
      },
    }
    const pem = { keyPem: readFileSync(signer.key, 'utf8'), certificatePem: readFileSync(signer.certificate, 'utf8') }
    const good = { version: goodImage.version, board: device.board, securityEpoch: goodImage.securityEpoch }
    return Buffer.concat(await Array.fromAsync(buildImage({ ...good, payload: source, ...pem, ...order })))
  }

  const make: Readonly<Record<Defect, (payload: Buffer) => Promise<Buffer>>> = {
    'signed by a stranger': payload => build({}, payload, pki.stranger),
    'signed with an expired certificate': payload => build({}, payload, pki.expired),
    'signed with a revoked certificate': payload => build({}, payload, pki.revoked),
    'not signed': async payload => without(await build({}, payload), 'sw-description.sig'),
    'altered after it was signed': async payload => {
      const image = await build({ description: 'what its maker says' }, payload)
      image.write('what somebody says ', image.indexOf('what its maker says'))
      return image
    },
    'no image at all': async () => randomBytes(goodImage.payloadBytes),
    'without the file that it names': async payload => without(await build({}, payload), 'rootfs.img'),
    'for another board': payload => build({ board: { name: 'another', revision: device.board.revision } }, payload),
    'older than what runs': payload => build({ version: '0.9.9' }, payload),
    'of a lower security epoch': payload => build({ securityEpoch: device.securityEpoch - 1 }, payload),
    'larger than a slot': () => build({}, randomBytes(device.slotBytes + 1)),
    'with a damaged payload': async payload => {
      const image = await build({}, payload)
      const middle = image.indexOf(payload) + payload.length / 2
      image.writeUInt8(image.readUInt8(middle) ^ 1, middle)
      return image
    },
    'cut off in its payload': async payload => {
      const image = await build({}, payload)
      return image.subarray(0, image.indexOf(payload) + payload.length / 2)
    },
  }

  return async (defect?: Defect): Promise<{ readonly bytes: Buffer; readonly payload: Buffer }> => {
    const payload = randomBytes(goodImage.payloadBytes)
    return { bytes: defect === undefined ? await build({}, payload) : await make[defect](payload), payload }
  }
}

/** The same archive, but for one file. */
async function without(image: Buffer, left: string): Promise<Buffer> {
  async function* whole() {
    yield image
  }
  const swu = await openSwu(whole())
  const files: { name: string; content: Buffer }[] = [
    { name: 'sw-description', content: swu.description },
    { name: 'sw-description.sig', content: swu.signature },
  ]
  for (let entry = await swu.next(); entry; entry = await swu.next()) {
    files.push({ name: entry.name, content: Buffer.concat(await Array.fromAsync(entry.content())) })
  }
  files.push({ name: cpioTrailer, content: Buffer.alloc(0) })
  const kept = files.filter(({ name }) => name !== left)
  return Buffer.concat(
    kept.flatMap(({ name, content }) => {
      const sum = content.reduce((total, byte) => (total + byte) >>> 0, 0)
      return [cpioHeader({ name, sizeBytes: content.length }, sum), content, Buffer.alloc(cpioPadding(content.length))]
    }),
  )
}
