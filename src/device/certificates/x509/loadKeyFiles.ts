import { setImmediate as turn } from 'node:timers/promises'

/**
 * What opens PKCS #8 and PKCS #12, which would make every start slower than it may be. Step by step: all at once it keeps the event
 * loop busy for 70 ms.
 */
export async function loadKeyFiles() {
  for (const step of [() => import('node-forge'), () => import('pkijs')]) {
    await step()
    await turn()
  }
  const [{ readPrivateKey }, { readPkcs12 }] = await Promise.all([import('./privateKey.ts'), import('./pkcs12.ts')])
  return { readPrivateKey, readPkcs12 }
}
