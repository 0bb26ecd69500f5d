import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Trust } from '../device/firmware/image.ts'
import { writeDurably } from './stateFolder.ts'

/** Files of the CA that signs firmware images while one develops; a product gives its own with `--firmware-ca`. */
export interface DevelopmentCa {
  readonly ca: string
  readonly signer: string
  /** The signer's private key: for `onvifd image build`, never for the device. */
  readonly key: string
}

/**
 * Gives the CA of a state folder, and makes it where there is none. The device and `onvifd image build` may both be first:
 * the folder gets its name when it is complete, and who comes second takes what is there.
 */
export async function developmentCa(state: string): Promise<DevelopmentCa> {
  const folder = join(state, 'firmware-ca')
  if (!existsSync(folder)) {
    // Loaded here, because a device that has its CA never needs it.
    const { makeDevelopmentCa } = await import('../device/firmware/developmentCa.ts')
    const made = await makeDevelopmentCa(new Date())
    const unfinished = `${folder}.${randomUUID()}`
    try {
      writeDurably(join(unfinished, 'ca.pem'), made.caPem)
      writeDurably(join(unfinished, 'signer.pem'), made.signerPem)
      writeDurably(join(unfinished, 'signer.key'), made.signerKeyPem)
      renameSync(unfinished, folder)
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true })
      if (!existsSync(folder)) throw error
    }
  }
  sweep(folder)
  return { ca: join(folder, 'ca.pem'), signer: join(folder, 'signer.pem'), key: join(folder, 'signer.key') }
}

/** What makers left that were killed. One that is still at it takes what is there, too. */
function sweep(folder: string): void {
  try {
    for (const name of readdirSync(dirname(folder)))
      if (name.startsWith(`${basename(folder)}.`)) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  } catch {
    // They do no harm, and the next start tries it again.
  }
}

/** What an operator says about whom to believe. */
export interface TrustFiles {
  /** PEM of the CAs; without it the development CA is believed. */
  readonly firmwareCa: string | undefined
  /** PEM of their CRLs. */
  readonly firmwareCrl: string | undefined
  readonly firmwareSigners: number
  readonly firmwareTime: Trust['time']
}

/** The files are read each time: a new CRL counts at once. `passed` is a moment that is over for certain. */
export async function readTrust(files: TrustFiles, state: string, passed: Date): Promise<Trust> {
  const { firmwareCa, firmwareCrl, firmwareSigners, firmwareTime } = files
  return {
    authorities: readFileSync(firmwareCa ?? (await developmentCa(state)).ca, 'utf8'),
    revocations: firmwareCrl === undefined ? undefined : readFileSync(firmwareCrl, 'utf8'),
    signersMin: firmwareSigners,
    time: firmwareTime,
    passed,
  }
}
