import { createReadStream } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { type Inspection, inspectImage } from '../device/firmware/image.ts'
import { limits } from '../limits.ts'
import { developmentCa, readTrust } from '../platform/developmentCa.ts'
import { ImageError } from '../platform/platform.ts'
import { UsageError } from './failure.ts'
import { buildCommand, buildExamples, existing } from './imageBuild.ts'
import { inBytes, oneLine, table } from './text.ts'

export function imageCommand(): Command {
  return new Command('image')
    .description('Build and inspect firmware images: SWU files, as onvifd and SWUpdate take them.')
    .addCommand(buildCommand())
    .addCommand(inspectCommand())
    .addHelpText('after', `${buildExamples}\n${inspectExamples}`)
}

interface InspectOptions {
  readonly ca?: string
  readonly crl?: string
  readonly signers: number
  readonly state?: string
  readonly compatible?: string
  readonly json?: boolean
}

function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what an image holds, compare its files with their signed digests, and check the signature if told whom to trust.')
    .argument('<image>', 'file with the image')
    .option('--ca <file>', 'PEM file of the CAs to trust')
    .option('--crl <file>', 'PEM file of their revocation lists')
    .option('--signers <number>', 'how many signers it has to have', parseSigners, 1)
    .option('--state <folder>', 'state folder of a device, whose development CA is trusted')
    .option('--compatible <board>', 'read the section of this board, in images that have one for each')
    .option('--json', 'print one JSON object')
    .addHelpText('after', inspectExamples)
    .action(inspect)
}

async function inspect(path: string, { ca, crl, signers, state, compatible, json }: InspectOptions): Promise<void> {
  if (ca !== undefined && state !== undefined) throw new UsageError('give either --ca or --state')
  const firmwareCa = state === undefined ? ca : (await developmentCa(existing(state))).ca
  if (firmwareCa === undefined && (crl !== undefined || signers > 1)) throw new UsageError('name the CA as well: --ca or --state')
  const files = { firmwareCa, firmwareCrl: crl, firmwareSigners: signers, firmwareTime: 'clock' } as const
  const trust = firmwareCa === undefined ? {} : { trust: () => readTrust(files, '', new Date(0)) }
  const board = compatible === undefined ? {} : { board: compatible }
  const source = createReadStream(path, { highWaterMark: 1_048_576 })
  const report = summarize(await inspectImage(source, { ...trust, ...board }).catch(explainRefusal))
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
    const { role, sha256, version: own, compression } = payload ?? {}
    return { name, sizeBytes, role, version: own, compression, sha256 }
  })
  const signature = verified instanceof ImageError ? refused(verified) : verified ? good(verified) : unchecked
  const { boards, revisions, minVersion, buildTime, allowDowngrade } = description
  return { version, description: text, boards, revisions, securityEpoch, minVersion, buildTime, allowDowngrade, files: parts, signature }
}

const unchecked = { verdict: 'unchecked' as const, signers: [], reason: undefined, problem: undefined }
const good = (signers: readonly string[]) => ({ verdict: 'good' as const, signers, reason: undefined, problem: undefined })
const refused = ({ message, reason }: ImageError) => ({
  verdict: 'refused' as const,
  signers: [],
  reason,
  problem: `${message} (${reason})`,
})

function present(report: Report): string {
  const { version, description, boards, revisions, securityEpoch, minVersion, buildTime, allowDowngrade, files, signature } = report
  const rows: [string, string][] = [['Version', version]]
  if (description !== '') rows.push(['Description', description])
  rows.push(['Boards', boards?.join(', ') ?? 'any'], ['Revisions', revisions?.join(', ') ?? 'any'])
  if (securityEpoch !== undefined) rows.push(['Security epoch', String(securityEpoch)])
  if (minVersion !== undefined) rows.push(['Installs over', `${minVersion} and newer`])
  if (allowDowngrade) rows.push(['Downgrade', 'allowed by its maker'])
  if (buildTime !== undefined) rows.push(['Built', buildTime.toISOString()])
  for (const file of files) rows.push([file.role ?? 'unused', presentFile(file, version)])
  const verdicts = {
    good: `good, by ${signature.signers.join(' and ')}`,
    refused: `NOT to be trusted${signature.reason === 'revoked' ? ': revoked' : ''}`,
    unchecked: 'not checked: name the CA with --ca or --state',
  }
  rows.push(['Signature', verdicts[signature.verdict]])
  return `${table(rows.map(([label, value]) => [oneLine(label), oneLine(value)]))}\n`
}

/** Its version is worth telling where it is another one than the image's. */
function presentFile({ name, sizeBytes, version, compression, sha256 }: Report['files'][number], ofImage: string): string {
  const parts = [name, inBytes(sizeBytes)]
  if (version !== undefined && version !== ofImage) parts.push(`version ${version}`)
  if (compression === 'gzip') parts.push('gzip')
  if (sha256 !== undefined) parts.push(`SHA-256 ${sha256}`)
  return parts.join(', ')
}

function parseSigners(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > limits.imageSignersMax)
    throw new InvalidArgumentError(`Give a whole number from 1 to ${limits.imageSignersMax}.`)
  return count
}

const inspectExamples = `
Examples:
  onvifd image inspect firmware-1.1.0.swu --state ./.onvifd
  onvifd image inspect acme.swu --ca acme-ca.pem --crl acme-crl.pem --signers 2 --json`
