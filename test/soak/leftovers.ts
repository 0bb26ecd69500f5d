import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Violation } from './oracle.ts'

/** Everything that a device may have in its state folder while it runs, and that a kill may leave there. */
const atHome = [
  /^device\.(?:db(?:-wal|-journal)?|key|lock(?:-journal)?)$/,
  /^slots\/(?:slot-[ab](?:-app)?\.img(?:\.lock(?:-journal)?)?|env[01]\.bin(?:\.lock(?:-journal)?)?)$/,
  /^firmware-ca\/(?:ca|signer)\.(?:pem|key)$/,
  /^logs\/(?:access|system)\.log(?:\.\d)?$/,
  /^upgrade\/(?:journal|history)\.json$/,
  /^tokens\/tokens\.(?:current|previous|mark|unmarked|forgotten)$/,
]

export async function assertNoLeftovers(state: string): Promise<void> {
  const found = await readdir(state, { recursive: true, withFileTypes: true })
  const strange = found
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(state.length + 1))
    .filter(name => !atHome.some(known => known.test(name)))
  if (strange.length > 0) throw new Violation(`left over: ${strange.join(', ')}`)
}
