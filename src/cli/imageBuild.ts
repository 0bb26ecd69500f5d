import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError } from 'commander'
import type { Signer } from '../device/firmware/cmsSigning.ts'
import { bootedRole, isRole, parseDescription } from '../device/firmware/description.ts'
import { type Draft, type DraftOrder, draftImage, measureFile, type PayloadSource, packImage } from '../device/firmware/imageBuilder.ts'
import { developmentCa } from '../platform/developmentCa.ts'
import { UsageError } from './failure.ts'
import { inBytes, oneLine } from './text.ts'

interface BuildOptions {
  readonly version?: string
  readonly payload: readonly string[]
  readonly payloadVersion: readonly string[]
  readonly deviceA: readonly string[]
  readonly deviceB: readonly string[]
  readonly gzip?: boolean
  readonly out?: string
  readonly key: readonly string[]
  readonly cert: readonly string[]
  readonly state?: string
  readonly compatible: string
  readonly hardware: string
  readonly epoch?: number
  readonly minVersion?: string
  readonly allowDowngrade?: boolean
  readonly description?: string
  readonly detached?: string
  readonly signature: readonly string[]
}

export function buildCommand(): Command {
  return new Command('build')
    .description('Build an image and sign it: with keys of your own, with the development CA of a state folder, or elsewhere.')
    .option('--version <version>', 'version that the device will report: 1.2.0')
    .option('--payload <file>', 'content of the slot, or ROLE=FILE for another file of the image; may come several times', collect)
    .option('--out <file>', 'image to write')
    .option('--key <file>', 'PEM file with the private key of the signer, RSA, EC or Ed25519; once for every signer', collect)
    .option('--cert <file>', 'PEM file with its certificate, then intermediate ones; in the order of the keys', collect)
    .option('--state <folder>', 'state folder of a device, whose development CA signs')
    .option('--compatible <board>', 'board that the image is for', 'onvifd-virtual')
    .option('--hardware <revision>', 'revision of that board', '1.0')
    .option('--epoch <number>', 'security epoch: devices refuse images below the one they have', parseEpoch)
    .option('--description <text>', 'what is new, for people')
    .option('--gzip', 'compress the files; devices unpack them while they write')
    .option('--payload-version <version>', 'ROLE=VERSION of a file that has one of its own', collect)
    .option('--min-version <version>', 'oldest version that has to run already')
    .option('--allow-downgrade', 'devices that run a newer version may take it (onvifd serve --downgrade signed)')
    .option('--device-a <path>', 'where SWUpdate writes the file for the first slot; ROLE=PATH for others than the slot itself', collect)
    .option('--device-b <path>', 'and for the second one', collect)
    .option(
      '--detached <folder>',
      'sign elsewhere: write there what is to be signed, and the files; with --signature, finish what is there',
    )
    .option('--signature <file>', 'what came back: a signature over signed-attributes, with its --cert, or a whole CMS', collect)
    .addHelpText('after', buildExamples)
    .action((given: Partial<BuildOptions> & Pick<BuildOptions, 'compatible' | 'hardware'>) => build({ ...repeated, ...given }))
}

async function build(options: BuildOptions): Promise<void> {
  const { detached, signature } = options
  if (signature.length > 0) {
    if (detached === undefined) throw new UsageError('--signature needs --detached: the folder with what was signed')
    return finish(options, detached)
  }
  const order = draftOrder(options)
  if (detached !== undefined) return prepare(order, options, detached)
  const out = required(options.out, '--out <file>')
  const signers = await signersOf(options)
  const draft = await draftImage(order)
  const { signDetached } = await import('../device/firmware/cmsSigning.ts')
  const bytes = await write(out, packImage(draft, signDetached(draft.description, signers, order.now ?? new Date())))
  const { name, revision } = order.board
  process.stdout.write(`${out}: firmware ${oneLine(order.version)} for ${oneLine(name)} revision ${oneLine(revision)}, ${inBytes(bytes)}\n`)
}

/** Leaves in `folder` what a key signs, for each kind of key, and the files of the image as they will stand in it. */
async function prepare(order: DraftOrder, { out, key, cert, state }: BuildOptions, folder: string): Promise<void> {
  if ([out, state, ...key, ...cert].some(given => given !== undefined))
    throw new UsageError('--detached alone signs nothing: --out and --cert come with --signature')
  const { attributesToSign } = await import('../device/firmware/cmsSigning.ts')
  const draft = await draftImage(order)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'sw-description'), draft.description)
  for (const digest of ['sha256', 'sha512'] as const)
    await writeFile(join(folder, attributesFile(digest)), attributesToSign(draft.description, digest, order.now ?? new Date()))
  for (const { name, read } of draft.files) await write(join(folder, name), read())
  process.stdout.write(
    `${folder}: firmware ${oneLine(order.version)} to be signed. Either of these signs it:\n${signingCommands(folder)}\n`,
  )
}

const attributesFile = (digest: 'sha256' | 'sha512'): string => `signed-attributes.${digest}`

/** Makes the image of what `prepare` left, and of signatures that came back. Throws where they do not fit. */
async function finish(options: BuildOptions, folder: string): Promise<void> {
  const { version, payload, key, state } = options
  if ([version, state, ...payload, ...key].some(given => given !== undefined))
    throw new UsageError(`with --signature, everything but --cert and --out is in ${folder} already`)
  const out = required(options.out, '--out <file>')
  const draft = await readDraft(folder)
  const bytes = await write(out, packImage(draft, await signatureOf(options, draft, folder)))
  process.stdout.write(`${out}: firmware ${oneLine(parseDescription(draft.description).version)}, ${inBytes(bytes)}\n`)
}

async function readDraft(folder: string): Promise<Draft> {
  const description = await readFile(join(folder, 'sw-description'))
  const wanted = Object.values(parseDescription(description).payloads).flatMap(payloads => payloads ?? [])
  const files = []
  for (const name of new Set(wanted.map(payload => payload.name))) {
    if (name !== basename(name)) throw new Error(`${name} is no name of a file`)
    const file = await measureFile(name, source(join(folder, name)))
    if (wanted.some(payload => payload.name === name && payload.sha256 !== file.sha256)) throw new Error(`${name} is not what was signed`)
    files.push(file)
  }
  return { description, files }
}

async function signatureOf({ signature, cert }: BuildOptions, { description }: Draft, folder: string): Promise<Buffer> {
  const { certifiedKey, isCms, joinSignatures, signingDigestFor, takeCms } = await import('../device/firmware/cmsSigning.ts')
  const signatures = await Promise.all(signature.map(path => readFile(path)))
  const [cms] = signatures
  if (cms && isCms(cms)) {
    if (signatures.length > 1 || cert.length > 0)
      throw new UsageError('a CMS has its certificates and all its signers in it: give it alone')
    return takeCms(cms, description)
  }
  if (cert.length !== signatures.length) throw new UsageError('give one --cert for every --signature, in the same order')
  const raw = signatures.map(async (bytes, index) => {
    const certificatePem = await readFile(cert[index] ?? '', 'utf8')
    const attributes = await readFile(join(folder, attributesFile(signingDigestFor(certifiedKey(certificatePem)))))
    return { attributes, signature: bytes, certificatePem }
  })
  return joinSignatures(description, await Promise.all(raw))
}

/** Nobody shall find half a file under its name. Returns how many bytes it has. */
async function write(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const unfinished = `${path}.part`
  const file = createWriteStream(unfinished)
  try {
    await pipeline(content, file)
    await rename(unfinished, path)
    return file.bytesWritten
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

function draftOrder(options: BuildOptions): DraftOrder {
  const { version, description, compatible, hardware, epoch, minVersion, allowDowngrade } = options
  const [payload, ...others] = payloadsOf(options)
  if (payload === undefined) throw new UsageError('say what goes into the slot: --payload <file>')
  return {
    version: required(version, '--version <version>'),
    description,
    board: { name: compatible, revision: hardware },
    securityEpoch: epoch,
    minVersion,
    allowDowngrade,
    payload,
    others,
    now: new Date(),
  }
}

function payloadsOf({ payload, payloadVersion, deviceA, deviceB, gzip }: BuildOptions): readonly PayloadSource[] {
  const files = byRole('--payload', payload)
  const [versions, a, b] = [byRole('--payload-version', payloadVersion), byRole('--device-a', deviceA), byRole('--device-b', deviceB)]
  for (const role of [...versions.keys(), ...a.keys(), ...b.keys()])
    if (!files.has(role)) throw new UsageError(`there is no --payload with the role ${role}`)
  return [...files].map(([role, path]) => {
    const devices = { ...only('copy-a', a.get(role)), ...only('copy-b', b.get(role)) }
    return { name: `${role}.img${gzip ? '.gz' : ''}`, read: source(path), role, version: versions.get(role), gzip, devices }
  })
}

const only = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value })

/** ROLE=VALUE; a value alone is for the root file system. */
function byRole(option: string, given: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const text of given) {
    const [, named, rest] = /^([^=/.]+)=(.+)$/s.exec(text) ?? []
    const [role, value] = named === undefined || rest === undefined ? [bootedRole, text] : [named, rest]
    if (!isRole(role)) throw new UsageError(`${option} ${text}: a role has small letters, digits and dashes`)
    if (values.has(role)) throw new UsageError(`${option} comes twice for the role ${role}`)
    values.set(role, value)
  }
  return values
}

const source = (path: string) => () => createReadStream(path, { highWaterMark: 1_048_576 })

async function signersOf({ key, cert, state }: BuildOptions): Promise<readonly Signer[]> {
  if (state !== undefined) {
    if (key.length > 0 || cert.length > 0) throw new UsageError('give either --state, or --key and --cert')
    const { key: developmentKey, signer } = await developmentCa(existing(state))
    return [{ keyPem: await readFile(developmentKey, 'utf8'), certificatePem: await readFile(signer, 'utf8') }]
  }
  if (key.length === 0 || key.length !== cert.length)
    throw new UsageError('say who signs: --key and --cert, or --state for the development CA of a device')
  return Promise.all(
    key.map(async (path, index) => ({ keyPem: await readFile(path, 'utf8'), certificatePem: await readFile(cert[index] ?? '', 'utf8') })),
  )
}

/** A misspelled folder would get a CA of its own, which no device trusts. */
export function existing(state: string): string {
  if (!existsSync(state)) throw new UsageError(`${state} does not exist: name the folder that the device was started with`)
  return state
}

function required<T>(value: T | undefined, option: string): T {
  if (value === undefined) throw new UsageError(`required option '${option}' not specified`)
  return value
}

/** For an option that may come several times. */
const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
const repeated = { payload: [], payloadVersion: [], deviceA: [], deviceB: [], key: [], cert: [], signature: [] }

function parseEpoch(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number, 0 or more.')
  return Number(text)
}

/** What an HSM is asked for; its key is named to openssl by a provider (-inkey pkcs11:…). */
const signingCommands = (
  folder: string,
): string => `  # RSA or EC; Ed25519, which SWUpdate takes only with an OpenSSL that has it in CMS; or a whole CMS
  openssl dgst -sha256 -sign signer.key -out signature ${folder}/signed-attributes.sha256
  openssl pkeyutl -sign -rawin -inkey signer.key -in ${folder}/signed-attributes.sha512 -out signature
  openssl cms -sign -binary -in ${folder}/sw-description -signer signer.pem -inkey signer.key -md sha256 -nosmimecap \\
    -outform DER -out signature`

export const buildExamples = `
Examples:
  onvifd image build --version 1.1.0 --payload rootfs.img --state ./.onvifd --out firmware-1.1.0.swu
  onvifd image build --version 2.0.0 --payload rootfs.img --key signer.key --cert signer.pem --compatible acme-cam --out acme.swu
  onvifd image build --version 2.0.0 --payload rootfs.img --payload app=app.img --payload-version app=3.3.0 --gzip \\
    --key a.key --cert a.pem --key b.key --cert b.pem --out acme.swu

Signed elsewhere, where the key never leaves an HSM:
  onvifd image build --version 2.0.0 --payload rootfs.img --detached parts
${signingCommands('parts')}
  # and with what came back; a CMS needs no --cert
  onvifd image build --detached parts --signature signature --cert signer.pem --out acme.swu`
