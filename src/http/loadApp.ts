import { createRequire } from 'node:module'
import { setImmediate as pause } from 'node:timers/promises'

/**
 * Everything over HTTP that is no SOAP message, loaded when the first of it comes: it takes longer than the first SOAP answer may.
 * What Express is made of comes step by step: all at once it keeps the event loop busy for 50 ms, the largest of these for 20.
 */
export async function loadApp(): Promise<typeof import('./app.ts')> {
  const require = createRequire(import.meta.resolve('express'))
  const manifest: unknown = require('./package.json')
  // From the end, because the largest of them, body-parser, is made of those behind it.
  for (const name of dependenciesOf(manifest).reverse()) {
    require(name)
    await pause()
  }
  return import('./app.ts')
}

function dependenciesOf(manifest: unknown): string[] {
  if (typeof manifest !== 'object' || manifest === null || !('dependencies' in manifest)) return []
  const { dependencies } = manifest
  return typeof dependencies === 'object' && dependencies !== null ? Object.keys(dependencies) : []
}
