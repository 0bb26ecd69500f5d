import { readFileSync } from 'node:fs'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import { createRaucEngine } from '../../../src/platform/rauc/raucEngine.ts'
import { clock, context } from './raucDevice.ts'

/** A service of its own that installs a bundle, so that a test can end it in the middle: `installer.ts BUS FOLDER AUTHORITY BUNDLE`. */
const [bus = '', folder = '', authority = '', bundle = ''] = process.argv.slice(2)
const backend = await createRaucEngine({
  bus,
  storage: createFileStorage(),
  folder,
  bundleBytesMax: 1_000_000,
  plain: true,
  trust: async () => ({
    authorities: readFileSync(authority, 'utf8'),
    revocations: undefined,
    signersMin: 1,
    time: 'clock',
    passed: new Date(0),
  }),
  downgrade: 'deny',
  clock,
})

async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
  yield readFileSync(bundle)
}

await backend.install(content(), context)
