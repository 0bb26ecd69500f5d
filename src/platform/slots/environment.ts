import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { limits } from '../../limits.ts'
import { BackendError, type RecordState, type Storage } from '../platform.ts'

/** One of the two copies: a line of fw_env.config. The file may be a partition or a whole device. */
export interface RecordCopy {
  readonly path: string
  readonly offset: number
  readonly bytes: number
}

/** The folder with the two files of a virtual device, or where a machine has its copies. */
export type RecordPlace = string | readonly [RecordCopy, RecordCopy]

/** What both copies say: the newer valid one counts. */
export interface Environment {
  readonly state: RecordState
  /** Undefined where neither copy can be read: only damage does that, never a power cut. */
  readonly variables: ReadonlyMap<string, string> | undefined
}

const copiesOf = (place: RecordPlace): readonly [RecordCopy, RecordCopy] =>
  typeof place === 'string' ? [virtualCopy(place, 0), virtualCopy(place, 1)] : place

const virtualCopy = (folder: string, index: 0 | 1): RecordCopy => ({
  path: join(folder, `env${index}.bin`),
  offset: 0,
  bytes: limits.bootRecordBytes,
})

export async function readEnvironment(storage: Storage, place: RecordPlace): Promise<Environment> {
  const [first, second] = await readCopies(storage, place)
  return {
    state: first && second ? 'whole' : first || second ? 'half' : 'lost',
    variables: newer(first, second)?.variables,
  }
}

/**
 * Writes over the copy that is damaged or older, and syncs it: afterwards the new variables count, and until then the old ones.
 * A torn write costs the copy that did not count. Throws BackendError `nospace` where the variables do not fit.
 */
export async function writeEnvironment(
  storage: Storage,
  place: RecordPlace,
  variables: Iterable<readonly [string, string]>,
): Promise<void> {
  const [first, second] = await readCopies(storage, place)
  const current = newer(first, second)
  const copy = copiesOf(place)[first !== undefined && current === first ? 1 : 0]
  const bytes = serialize(variables, current ? (current.flag + 1) & 0xff : 1, copy.bytes)
  const isNew = !(await storage.exists(copy.path))
  if (isNew) await storage.create(copy.path, copy.offset + copy.bytes)
  await storage.pwrite(copy.path, copy.offset, bytes)
  await storage.fsync(copy.path)
  if (isNew) await storage.fsyncDir(join(copy.path, '..'))
}

/** Both copies are there as files, readable or not. */
export const hasBothCopies = async (storage: Storage, place: RecordPlace): Promise<boolean> =>
  (await Promise.all(copiesOf(place).map(({ path }) => storage.exists(path)))).every(there => there)

interface Content {
  /** Counts the writes, modulo 256. */
  readonly flag: number
  readonly variables: ReadonlyMap<string, string>
}

const readCopies = async (storage: Storage, place: RecordPlace): Promise<readonly [Content | undefined, Content | undefined]> => {
  const [first, second] = copiesOf(place)
  return Promise.all([readCopy(storage, first), readCopy(storage, second)])
}

/** As U-Boot decides it (env_check_redund): only the step from 255 to 0 is a wrap, and of equals the first one counts. */
function newer(first: Content | undefined, second: Content | undefined): Content | undefined {
  if (first === undefined || second === undefined) return first ?? second
  if (first.flag === 255 && second.flag === 0) return second
  if (second.flag === 255 && first.flag === 0) return first
  return second.flag > first.flag ? second : first
}

async function readCopy(storage: Storage, { path, offset, bytes }: RecordCopy): Promise<Content | undefined> {
  if (!(await storage.exists(path))) return undefined
  const copy = await storage.read(path, offset, Buffer.alloc(bytes))
  if (copy.length < bytes) return undefined
  const data = copy.subarray(5)
  if (crc32(data) !== copy.readUInt32LE(0)) return undefined
  const end = data.indexOf('\0\0')
  const lines = data.toString('latin1', 0, end === -1 ? data.length : end).split('\0')
  const variables = lines
    .filter(line => line.includes('='))
    .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  return { flag: copy.readUInt8(4), variables: new Map(variables) }
}

/** `crc32 | flag | name=value NUL … NUL`; the checksum covers everything behind the flag. */
function serialize(variables: Iterable<readonly [string, string]>, flag: number, length: number): Buffer {
  const lines = Array.from(variables, ([name, value]) => `${name}=${value}`)
  if (lines.some(line => line.includes('\0'))) throw new Error('a NUL in a value of the boot record')
  const text = lines.map(line => `${line}\0`).join('')
  const needed = 5 + text.length + 1
  if (needed > length) throw new BackendError('nospace', `the boot record is full: it has ${length} bytes, and ${needed} are needed`)
  const bytes = Buffer.alloc(length)
  bytes.writeUInt8(flag, 4)
  bytes.write(text, 5, 'latin1')
  bytes.writeUInt32LE(crc32(bytes.subarray(5)), 0)
  return bytes
}
