import { limits } from '../../limits.ts'
import { ImageError, type Payload } from '../../platform/platform.ts'
import { parseLibconfig } from './libconfig.ts'

/** What a `sw-description` (SWUpdate's, in JSON or libconfig) says, as far as this device acts on it. */
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
  /** `x-onvif.buildTime`: a moment that had passed when the image was built. */
  readonly buildTime: Date | undefined
  /** `x-onvif.allowDowngrade`: its maker wants it taken by devices that run a newer version. */
  readonly allowDowngrade: boolean
  /** What goes into the first and the second slot; an image may leave one out. */
  readonly payloads: Readonly<Record<Copy, readonly Payload[] | undefined>>
}

export type Copy = 'copy-a' | 'copy-b'

/** How the images of the two slots are called in `software.stable`: as SWUpdate's manual does it, and as Yocto's layers do. */
const copyNames: Readonly<Record<Copy, readonly string[]>> = {
  'copy-a': ['copy-a', 'copy-1', 'copy1'],
  'copy-b': ['copy-b', 'copy-2', 'copy2'],
}

/** Without this file there is nothing to boot. */
export const bootedRole = 'rootfs'

/**
 * Reads a `sw-description`: the images stand in `software.images`, or once for each slot in `software.stable.copy-a` and
 * `copy-b`; either of them may stand in a section of `software` that has the name of `board`, which comes first then, as with
 * SWUpdate. What would change its meaning and is not done here is refused, what is unknown is ignored, as SWUpdate does.
 * Throws ImageError `format`.
 */
export function parseDescription(bytes: Buffer, board?: string): Description {
  const software = members(members(syntax(bytes), 'sw-description').software, 'software')
  const section = board === undefined || !Object.hasOwn(software, board) ? software : members(software[board], `software.${board}`)
  for (const part of new Set([software, section])) refuseOthers(part, 'software')
  const own = optional(software['x-onvif'], value => members(value, 'x-onvif')) ?? {}
  const stable = optional(section.stable ?? software.stable, value => members(value, 'software.stable'))
  const images = section.images ?? software.images
  const copy = (slot: Copy) => {
    const name = copyNames[slot].find(known => stable?.[known] !== undefined)
    return optional(stable ? stable[name ?? slot] : optional(images, given => ({ images: given })), value =>
      payloadsOf(value, name ?? 'software'),
    )
  }
  return {
    version: version(software.version, 'software.version'),
    description: optional(software.description, value => text(value, 'software.description')) ?? '',
    revisions: optional(section['hardware-compatibility'] ?? software['hardware-compatibility'], value =>
      texts(value, 'hardware-compatibility'),
    ),
    boards: optional(own.compatible, value => texts(value, 'x-onvif.compatible')),
    securityEpoch: optional(own.securityEpoch, epoch),
    minVersion: optional(own.minVersion, value => version(value, 'x-onvif.minVersion')),
    buildTime: optional(own.buildTime, time),
    allowDowngrade: optional(own.allowDowngrade, value => yesOrNo(value, 'x-onvif.allowDowngrade')) ?? false,
    payloads: { 'copy-a': copy('copy-a'), 'copy-b': copy('copy-b') },
  }
}

function payloadsOf(value: unknown, where: string): readonly Payload[] {
  const copy = members(value, where)
  refuseOthers(copy, where)
  const payloads = list(copy.images, `${where}.images`).map(payload)
  if (payloads.length === 0) throw wrong(`${where}.images is empty`)
  if (new Set(payloads.map(({ name }) => name)).size !== payloads.length) throw wrong(`${where}.images names a file twice`)
  if (new Set(payloads.map(({ role }) => role)).size !== payloads.length) throw wrong(`${where}.images has two files with the same role`)
  if (!payloads.some(({ role }) => role === bootedRole)) throw wrong(`${where}.images has no file with the role ${bootedRole}`)
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

/** The role decides where a file goes: a `device` or a `path` in the image is for SWUpdate. */
function payload(value: unknown): Payload {
  const image = members(value, 'an image')
  const name = text(image.filename, 'filename')
  const type = optional(image.type, kind => text(kind, 'type')) ?? 'raw'
  if (type !== 'raw' && type !== 'rawfile') throw wrong(`${name} is of type "${type}"; only raw and rawfile are supported`)
  for (const extra of ['encrypted', 'offset', 'volume']) {
    if (image[extra] !== undefined && image[extra] !== false) throw wrong(`${name} is "${extra}", which is not supported`)
  }
  const sha256 = text(image.sha256, `sha256 of ${name}`).toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw wrong(`sha256 of ${name} is not 64 hexadecimal digits`)
  const properties = optional(image.properties, given => members(given, 'properties')) ?? {}
  return {
    name,
    role: optional(properties['x-role'], given => role(given, name)) ?? bootedRole,
    sha256,
    version: optional(image.version, given => version(given, `version of ${name}`)),
    compression: compression(image.compressed, name),
  }
}

/** "zlib" is SWUpdate's word for what gzip writes, and `true` an old one for the same. */
function compression(value: unknown, name: string): Payload['compression'] {
  if (value === undefined || value === false) return 'none'
  if (value === true || value === 'zlib' || value === 'gzip') return 'gzip'
  throw wrong(`${name} is compressed in a way that is not supported`)
}

/** It may become part of a file's name, or of a variable. */
function role(value: unknown, name: string): string {
  const given = text(value, 'x-role')
  if (!isRole(given))
    throw wrong(`the role of ${name} is no name of at most ${limits.imageRoleCharactersMax} small letters, digits and dashes`)
  return given
}

export const isRole = (text: string): boolean => /^[a-z][a-z0-9-]*$/.test(text) && text.length <= limits.imageRoleCharactersMax

type Members = Readonly<Record<string, unknown>>

/** JSON first, as most of them are; libconfig is what SWUpdate began with. */
function syntax(bytes: Buffer): unknown {
  let characters: string
  try {
    characters = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new ImageError('format', 'sw-description is not text', { cause })
  }
  try {
    return JSON.parse(characters)
  } catch (json) {
    try {
      return parseLibconfig(characters)
    } catch (libconfig) {
      throw new ImageError('format', 'sw-description is neither JSON nor libconfig', { cause: new AggregateError([json, libconfig]) })
    }
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
function version(value: unknown, what: string): string {
  const given = text(value, what)
  if (!/^[\x21-\x7e]+$/.test(given) || given.length > limits.imageVersionCharactersMax) {
    throw wrong(`${what} is not at most ${limits.imageVersionCharactersMax} printable characters`)
  }
  return given
}

const texts = (value: unknown, what: string): readonly string[] => list(value, what).map(entry => text(entry, what))

function epoch(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong('x-onvif.securityEpoch is not a whole number')
  return value
}

/** RFC 3339 in UTC. */
function time(value: unknown): Date {
  const given = text(value, 'x-onvif.buildTime')
  const moment = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(given) ? given : Number.NaN)
  if (Number.isNaN(moment.getTime())) throw wrong('x-onvif.buildTime is no time such as 2026-01-31T12:00:00Z')
  return moment
}

function yesOrNo(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw wrong(`${what} is neither true nor false`)
  return value
}

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined => (value === undefined ? undefined : read(value))

const wrong = (why: string): ImageError => new ImageError('format', why)
