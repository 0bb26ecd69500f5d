import { limits } from '../../limits.ts'
import { ImageError, type Payload } from '../../platform/platform.ts'

/** What a `sw-description` (SWUpdate's, in JSON) says, as far as this device acts on it. */
export interface Description {
  readonly version: string
  readonly description: string
  /** `hardware-compatibility`: revisions of the board. */
  readonly revisions: readonly string[] | undefined
  /** `x-onvif.compatible`: boards. */
  readonly boards: readonly string[] | undefined
  readonly securityEpoch: number | undefined
  /** `x-onvif.minVersion`: the oldest running version from which this image can be installed. */
  readonly minVersion: string | undefined
  /** What goes into the first and the second slot; an image may leave one out. */
  readonly payloads: Readonly<Record<Copy, readonly Payload[] | undefined>>
}

export type Copy = 'copy-a' | 'copy-b'

/**
 * Reads a `sw-description`: the images stand in `software.images`, or once for each slot in `software.stable.copy-a` and
 * `copy-b`. What would change its meaning and is not done here is refused, what is unknown is ignored, as SWUpdate does.
 * Throws ImageError `format`.
 */
export function parseDescription(bytes: Buffer): Description {
  const software = members(members(json(bytes), 'sw-description').software, 'software')
  refuseOthers(software, 'software')
  const own = optional(software['x-onvif'], value => members(value, 'x-onvif')) ?? {}
  const stable = optional(software.stable, value => members(value, 'software.stable'))
  const copy = (name: Copy) => optional(stable ? stable[name] : software, value => payloadsOf(members(value, name), name))
  return {
    version: version(software.version),
    description: optional(software.description, value => text(value, 'software.description')) ?? '',
    revisions: optional(software['hardware-compatibility'], value => texts(value, 'hardware-compatibility')),
    boards: optional(own.compatible, value => texts(value, 'x-onvif.compatible')),
    securityEpoch: optional(own.securityEpoch, epoch),
    minVersion: optional(own.minVersion, value => text(value, 'x-onvif.minVersion')),
    payloads: { 'copy-a': copy('copy-a'), 'copy-b': copy('copy-b') },
  }
}

function payloadsOf(copy: Members, where: string): readonly Payload[] {
  refuseOthers(copy, where)
  const payloads = list(copy.images, `${where}.images`).map(payload)
  if (payloads.length === 0) throw wrong(`${where}.images is empty`)
  if (new Set(payloads.map(({ name }) => name)).size !== payloads.length) throw wrong(`${where}.images names a file twice`)
  return payloads
}

/** What SWUpdate would run or write besides images. */
function refuseOthers(given: Members, where: string): void {
  for (const kind of ['scripts', 'files', 'partitions', 'embedded-script']) {
    const value = given[kind]
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      throw wrong(`${where} has ${kind}, which this device neither runs nor writes`)
  }
}

function payload(value: unknown): Payload {
  const image = members(value, 'an image')
  const name = text(image.filename, 'filename')
  const type = optional(image.type, kind => text(kind, 'type')) ?? 'raw'
  if (type !== 'raw') throw wrong(`${name} is of type "${type}"; only raw images are supported`)
  for (const extra of ['compressed', 'encrypted', 'offset', 'volume']) {
    if (image[extra] !== undefined && image[extra] !== false) throw wrong(`${name} is "${extra}", which is not supported`)
  }
  const sha256 = text(image.sha256, `sha256 of ${name}`).toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw wrong(`sha256 of ${name} is not 64 hexadecimal digits`)
  const properties = optional(image.properties, given => members(given, 'properties')) ?? {}
  return {
    name,
    role: optional(properties['x-role'], role => text(role, 'x-role')) ?? 'rootfs',
    sha256,
    version: undefined,
    compression: 'none',
  }
}

type Members = Readonly<Record<string, unknown>>

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new ImageError('format', 'sw-description is not JSON', { cause })
  }
}

function members(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${what} is not an object`)
  return Object.fromEntries(Object.entries(value))
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > limits.imageEntriesMax)
    throw wrong(`${what} is not a list of at most ${limits.imageEntriesMax}`)
  return value
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > limits.imageNameBytesMax) throw wrong(`${what} is not a short text`)
  return value
}

/** It is stored where boot loaders read it, and shown to people. */
function version(value: unknown): string {
  const given = text(value, 'software.version')
  if (!/^[\x21-\x7e]+$/.test(given) || given.length > limits.imageVersionCharactersMax) {
    throw wrong(`software.version is not at most ${limits.imageVersionCharactersMax} printable characters`)
  }
  return given
}

const texts = (value: unknown, what: string): readonly string[] => list(value, what).map(entry => text(entry, what))

function epoch(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong('x-onvif.securityEpoch is not a whole number')
  return value
}

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined => (value === undefined ? undefined : read(value))

const wrong = (why: string): ImageError => new ImageError('format', why)
