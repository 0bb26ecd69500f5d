import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { UserLevel } from '../onvif/handlers.ts'
import { type AccessClass, admitted as byDefault } from '../onvif/operations.ts'
import type { Store } from './store.ts'

type Table = typeof byDefault
type GuardedClass = Exclude<AccessClass, 'PRE_AUTH'>

export type AccessPolicy = ReturnType<typeof createAccessPolicy>

/** Names the format inside of the file, so that another one, and a later one, are told apart. */
const format = 'onvifd access policy 1'

/**
 * Which levels each access class admits (Core 5.9.4, 8.4.1, 8.4.2). Core leaves the format of the file to the maker; here it is JSON:
 * `{ "format": "onvifd access policy 1", "admitted": { "READ_SYSTEM": ["Administrator", "Operator", "User"], … } }`
 * with all of the classes but PRE_AUTH, which admits everybody, and any of the three levels for each. The default policy holds until
 * another one is set, so that there always is a file to begin with.
 */
export function createAccessPolicy({ store }: { readonly store: Store }) {
  const document = store.document<Table>('accessPolicy', tableOf, () => byDefault)

  return {
    admits: (access: GuardedClass, level: UserLevel): boolean => document.get()[access].includes(level),

    /** The file as a client can change and set it. */
    file: (): Buffer => Buffer.from(`${JSON.stringify({ format, admitted: document.get() }, null, 2)}\n`),

    /** Throws PolicyFormat, OperationProhibited (no Administrator could take it back). */
    setFile(file: Uint8Array): void {
      const table = parseFile(file)
      assertReversible(table)
      document.set(table)
    },
  }
}

/** What it takes to read a policy and to set another one. */
const kept = ['READ_SYSTEM_SECRET', 'WRITE_SYSTEM'] as const

function assertReversible(table: Table): void {
  const lost = kept.find(access => !table[access].includes('Administrator'))
  if (lost) throw fault('OperationProhibited', `without ${lost} no Administrator could ever set another policy`)
}

function parseFile(file: Uint8Array): Table {
  if (file.length > limits.accessPolicyBytesMax)
    throw fault('PolicyFormat', `a policy file has at most ${limits.accessPolicyBytesMax} bytes, this one has ${file.length}`)
  try {
    const content: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file))
    const { format: named, admitted, ...others } = recordOf(content)
    if (named !== format) throw new Error(`its format is not ${JSON.stringify(format)}`)
    assertNothingElse(others)
    return tableOf(admitted)
  } catch (cause) {
    throw fault('PolicyFormat', `no policy file: ${cause instanceof Error ? cause.message.slice(0, 200) : 'it cannot be read'}`, { cause })
  }
}

/** Every class has to be there: what an absent one would mean, nobody should have to guess. */
function tableOf(stored: unknown): Table {
  const {
    READ_SYSTEM,
    READ_SYSTEM_SENSITIVE,
    READ_SYSTEM_SECRET,
    WRITE_SYSTEM,
    UNRECOVERABLE,
    READ_MEDIA,
    ACTUATE,
    ...others
  }: { readonly [K in GuardedClass]?: unknown } = recordOf(stored)
  assertNothingElse(others)
  const table = {
    READ_SYSTEM: levelsOf(READ_SYSTEM),
    READ_SYSTEM_SENSITIVE: levelsOf(READ_SYSTEM_SENSITIVE),
    READ_SYSTEM_SECRET: levelsOf(READ_SYSTEM_SECRET),
    WRITE_SYSTEM: levelsOf(WRITE_SYSTEM),
    UNRECOVERABLE: levelsOf(UNRECOVERABLE),
    READ_MEDIA: levelsOf(READ_MEDIA),
    ACTUATE: levelsOf(ACTUATE),
  }
  return table
}

function assertNothingElse(others: object): void {
  const [surplus] = Object.keys(others)
  if (surplus !== undefined) throw new Error(`it holds ${JSON.stringify(surplus.slice(0, 50))}, which means nothing here`)
}

function levelsOf(stored: unknown): readonly UserLevel[] {
  if (!Array.isArray(stored)) throw new Error('an access class has no list of levels')
  const levels = stored.map(level => {
    if (level === 'Administrator' || level === 'Operator' || level === 'User') return level
    throw new Error('an access class admits something else than Administrator, Operator and User')
  })
  if (new Set(levels).size < levels.length) throw new Error('an access class names a level twice')
  return levels
}

function recordOf(stored: unknown): { readonly [name: string]: unknown } {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) throw new Error('it is no object of JSON where one belongs')
  return { ...stored }
}
