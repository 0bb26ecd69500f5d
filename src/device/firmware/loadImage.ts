import { setImmediate as pause } from 'node:timers/promises'

/**
 * What it takes to judge an image, which would make every start slower than it may be. The ASN.1 behind it comes step by step:
 * all at once it keeps the event loop busy for 70 ms, each of these for 20.
 */
export async function loadImage(): Promise<typeof import('./image.ts')> {
  for (const step of [() => import('../der.ts'), () => import('./certificatePath.ts'), () => import('./cms.ts')]) {
    await step()
    await pause()
  }
  return import('./image.ts')
}
