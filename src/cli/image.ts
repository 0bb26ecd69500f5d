import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError } from 'commander'
import { type Inspection, inspectImage } from '../device/firmware/image.ts'
import { buildImage } from '../device/firmware/imageBuilder.ts'
import { developmentCa, readTrust } from '../platform/developmentCa.ts'
import { ImageError } from '../platform/platform.ts'
import { UsageError } from './failure.ts'
import { inBytes, oneLine, table } from './text.ts'

export function imageCommand(): Command {
  return new Command('image')
    .description('Build and inspect firmware images: SWU files, as onvifd and SWUpdate take them.')
    .addCommand(buildCommand())
    .addCommand(inspectCommand())
    .addHelpText('after', `${buildExamples}\n${inspectExamples}`)
}

interface BuildOptions {
  readonly version: string
  readonly payload: string
  readonly out: string
  readonly key?: string
  readonly cert?: string
  readonly state?: string
  readonly compatible: string
  readonly hardware: string
  readonly epoch?: number
  readonly description?: string
}

function buildCommand(): Command {
  return new Command('build')
    .description('Build an image from one payload and sign it, with a key of your own or with the development CA of a state folder.')
    .requiredOption('--version <version>', 'version that the device will report: 1.2.0')
    .requiredOption('--payload <file>', 'content of the slot')
    .requiredOption('--out <file>', 'image to write')
    .option('--key <file>', 'PEM file with the private key of the signer, RSA or EC')
    .option('--cert <file>', 'PEM file with its certificate, then intermediate ones')
    .option('--state <folder>', 'state folder of a device, whose development CA signs')
    .option('--compatible <board>', 'board that the image is for', 'onvifd-virtual')
    .option('--hardware <revision>', 'revision of that board', '1.0')
    .option('--epoch <number>', 'security epoch: devices refuse images below the one they have', parseEpoch)
    .option('--description <text>', 'what is new, for people')
    .addHelpText('after', buildExamples)
    .action(build)
}

async function build(options: BuildOptions): Promise<void> {
  const { version, payload, out, compatible, hardware, epoch, description } = options
  const signer = await signerOf(options)
  const image = buildImage({
    version,
    description,
    board: { name: compatible, revision: hardware },
    securityEpoch: epoch,
    payload: { name: 'rootfs.img', read: () => createReadStream(payload, { highWaterMark: 1_048_576 }) },
    keyPem: await readFile(signer.key, 'utf8'),
    certificatePem: await readFile(signer.cert, 'utf8'),
  })
  // Nobody shall find half an image under its name.
  const unfinished = `${out}.part`
  const file = createWriteStream(unfinished)
  try {
    await pipeline(image, file)
    await rename(unfinished, out)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  process.stdout.write(
    `${out}: firmware ${oneLine(version)} for ${oneLine(compatible)} revision ${oneLine(hardware)}, ${inBytes(file.bytesWritten)}\n`,
  )
}

async function signerOf({ key, cert, state }: BuildOptions): Promise<{ readonly key: string; readonly cert: string }> {
  if (state !== undefined) {
    if (key !== undefined || cert !== undefined) throw new UsageError('give either --state, or --key and --cert')
    const { key: developmentKey, signer } = await developmentCa(existing(state))
    return { key: developmentKey, cert: signer }
  }
  if (key === undefined || cert === undefined)
    throw new UsageError('say who signs: --key and --cert, or --state for the development CA of a device')
  return { key, cert }
}

/** A misspelled folder would get a CA of its own, which no device trusts. */
function existing(state: string): string {
  if (!existsSync(state)) throw new UsageError(`${state} does not exist: name the folder that the device was started with`)
  return state
}

function parseEpoch(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number, 0 or more.')
  return Number(text)
}

interface InspectOptions {
  readonly ca?: string
  readonly state?: string
  readonly json?: boolean
}

function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what an image holds, compare its files with their signed digests, and check the signature if told whom to trust.')
    .argument('<image>', 'file with the image')
    .option('--ca <file>', 'PEM file of the CAs to trust')
    .option('--state <folder>', 'state folder of a device, whose development CA is trusted')
    .option('--json', 'print one JSON object')
    .addHelpText('after', inspectExamples)
    .action(inspect)
}

async function inspect(path: string, { ca, state, json }: InspectOptions): Promise<void> {
  if (ca !== undefined && state !== undefined) throw new UsageError('give either --ca or --state')
  const firmwareCa = state === undefined ? ca : (await developmentCa(existing(state))).ca
  const files = { firmwareCa, firmwareCrl: undefined, firmwareSigners: 1, firmwareTime: 'clock' } as const
  const trust = firmwareCa === undefined ? {} : { trust: () => readTrust(files, '', new Date(0)) }
  const report = summarize(await inspectImage(createReadStream(path, { highWaterMark: 1_048_576 }), trust).catch(explainRefusal))
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : present(report))
  if (report.signature.verdict === 'refused') throw new Error(`the signature is not to be trusted: ${report.signature.problem}`)
}

function explainRefusal(error: unknown): never {
  if (error instanceof ImageError) throw new Error(`this is no sound image: ${error.message} (${error.reason})`, { cause: error })
  throw error
}

type Report = ReturnType<typeof summarize>

function summarize({ head, description, files, verified }: Inspection) {
  const { version, description: text, securityEpoch, payloads } = head
  const parts = files.map(({ name, sizeBytes }) => {
    const payload = payloads.find(candidate => candidate.name === name)
    return { name, sizeBytes, role: payload?.role, sha256: payload?.sha256 }
  })
  const signature = verified instanceof ImageError ? refused(verified) : verified ? good(verified) : unchecked
  const { boards, revisions, minVersion } = description
  return { version, description: text, boards, revisions, securityEpoch, minVersion, files: parts, signature }
}

const unchecked = { verdict: 'unchecked' as const, signers: [], problem: undefined }
const good = (signers: readonly string[]) => ({ verdict: 'good' as const, signers, problem: undefined })
const refused = ({ message, reason }: ImageError) => ({ verdict: 'refused' as const, signers: [], problem: `${message} (${reason})` })

function present({ version, description, boards, revisions, securityEpoch, minVersion, files, signature }: Report): string {
  const rows: [string, string][] = [['Version', version]]
  if (description !== '') rows.push(['Description', description])
  rows.push(['Boards', boards?.join(', ') ?? 'any'], ['Revisions', revisions?.join(', ') ?? 'any'])
  if (securityEpoch !== undefined) rows.push(['Security epoch', String(securityEpoch)])
  if (minVersion !== undefined) rows.push(['Installs over', `${minVersion} and newer`])
  for (const { name, sizeBytes, role, sha256 } of files) {
    rows.push([role ?? 'unused', `${name}, ${inBytes(sizeBytes)}${sha256 === undefined ? '' : `, SHA-256 ${sha256}`}`])
  }
  const verdicts = {
    good: `good, by ${signature.signers.join(' and ')}`,
    refused: 'NOT to be trusted',
    unchecked: 'not checked: name the CA with --ca or --state',
  }
  rows.push(['Signature', verdicts[signature.verdict]])
  return `${table(rows.map(([label, value]) => [oneLine(label), oneLine(value)]))}\n`
}

const buildExamples = `
Examples:
  onvifd image build --version 1.1.0 --payload rootfs.img --state ./.onvifd --out firmware-1.1.0.swu
  onvifd image build --version 2.0.0 --payload rootfs.img --key signer.key --cert signer.pem --compatible acme-cam --out acme.swu`

const inspectExamples = `
Examples:
  onvifd image inspect firmware-1.1.0.swu --state ./.onvifd
  onvifd image inspect acme.swu --ca acme-ca.pem --json`
