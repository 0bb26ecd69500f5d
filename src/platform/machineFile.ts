import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { isRole } from '../device/firmware/description.ts'
import type { Board } from '../device/firmware/policy.ts'
import { limits } from '../limits.ts'
import type { Slot } from './slots/bootRecord.ts'
import type { RecordCopy } from './slots/environment.ts'
import type { RolePlaces, SlotLayout } from './slots/layout.ts'
import { StateError } from './stateFolder.ts'

/** What `--machine` says about a machine that is not made of files in the state folder. */
export interface MachineDescription {
  readonly board: Board
  readonly slots: SlotLayout | undefined
  readonly bootRecord: readonly [RecordCopy, RecordCopy] | undefined
  /** The slot that was booted; undefined where the launcher of this service chooses it. */
  readonly running: Slot | undefined
  readonly swupdate: { readonly sockets: string | undefined; readonly command: readonly string[] | undefined } | undefined
  readonly rauc: RaucDescription | undefined
}

export interface RaucDescription {
  /** `system`, `session`, or the address of another bus. */
  readonly bus: string
  /** A folder of this service alone, with room for a whole bundle. */
  readonly staging: string
  /** Whether bundles of the format plain are taken. */
  readonly plain: boolean
  /** Of a bundle: what the staging folder and a slot have room for. */
  readonly bundleBytesMax: number
}

/** Where the kernel says what it knows. */
interface Kernel {
  readonly commandLine: string
  /** Of every block device, by its numbers. */
  readonly devices: string
}

const linux: Kernel = { commandLine: '/proc/cmdline', devices: '/sys/dev/block' }

/** Throws StateError with what to mend. Every slot has to be there: a file that was made for a missing device would fill /dev. */
export function readMachineFile(file: string, kernel: Kernel = linux): MachineDescription {
  const wrong = (why: string): StateError => new StateError(`${file}: ${why}`)
  const reader = createReader(wrong)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw cause instanceof SyntaxError ? wrong(`this is not JSON (${cause.message})`) : cause
  }
  const { board, slots, bootRecord, running, swupdate, rauc } = reader.members(value, 'the machine', [
    'board',
    'slots',
    'bootRecord',
    'running',
    'swupdate',
    'rauc',
  ])
  const machine: MachineDescription = {
    board: boardOf(reader, board),
    slots: slots === undefined ? undefined : slotsOf(reader, slots, kernel),
    bootRecord: bootRecord === undefined ? undefined : copiesOf(reader, bootRecord),
    running: runningOf(reader, running, kernel),
    swupdate: swupdate === undefined ? undefined : swupdateOf(reader, swupdate),
    rauc: rauc === undefined ? undefined : raucOf(reader, rauc),
  }
  if ((machine.slots === undefined) !== (machine.bootRecord === undefined))
    throw wrong('give "slots" and "bootRecord" together, or neither of them')
  const files = [...(machine.slots?.values() ?? [])].flatMap(({ A, B }) => [A, B])
  const twice = files.find((path, index) => files.indexOf(path) !== index || machine.bootRecord?.some(copy => copy.path === path))
  if (twice !== undefined) throw wrong(`${twice} has two uses: every role of both slots, and the boot record, need a place of their own`)
  return machine
}

function boardOf(reader: Reader, value: unknown): Board {
  const { name, revision } = reader.members(value, 'board', ['name', 'revision'])
  return { name: reader.text(name, 'board.name'), revision: reader.text(revision, 'board.revision') }
}

function slotsOf(reader: Reader, value: unknown, kernel: Kernel): SlotLayout {
  const layout = new Map<string, RolePlaces>()
  for (const [role, places] of Object.entries(reader.members(value, 'slots'))) {
    const where = `slots.${role}`
    if (!isRole(role)) throw reader.wrong(`the role "${role}" has to be made of small letters, digits and dashes`)
    const { A, B, bytesMax } = reader.members(places, where, ['A', 'B', 'bytesMax'])
    const [a, b] = [reader.path(A, `${where}.A`), reader.path(B, `${where}.B`)]
    const sizes = [a, b].flatMap(path => sizeOf(reader, path, kernel) ?? [])
    const given = bytesMax === undefined ? [] : [reader.count(bytesMax, `${where}.bytesMax`, 1, Number.MAX_SAFE_INTEGER)]
    if (sizes.length < 2 && given.length === 0) throw reader.wrong(`${where} needs "bytesMax": a file has no size of its own`)
    if (given.some(size => sizes.some(device => size > device)))
      throw reader.wrong(`${where}.bytesMax is more than the ${Math.min(...sizes)} bytes of the device`)
    layout.set(role, { A: a, B: b, bytesMax: Math.min(...sizes, ...given) })
  }
  if (!layout.has('rootfs')) throw reader.wrong('slots needs the role "rootfs", which is what boots')
  return layout
}

/** Bytes of a block device; undefined for a file. */
function sizeOf(reader: Reader, path: string, kernel: Kernel): number | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (found === undefined) throw reader.wrong(`${path} does not exist: make the file, or correct the name of the device`)
  if (found.isFile()) return undefined
  if (!found.isBlockDevice()) throw reader.wrong(`${path} is neither a file nor a block device`)
  return deviceBytes(found.rdev, kernel.devices)
}

/** Of a block device by its number (makedev(3)); the kernel counts it in sectors of 512 bytes, whatever the device has. */
export function deviceBytes(device: bigint, devices: string): number {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
  return Number(readFileSync(join(devices, `${major}:${minor}`, 'size'), 'utf8')) * 512
}

function copiesOf(reader: Reader, value: unknown): readonly [RecordCopy, RecordCopy] {
  if (!Array.isArray(value) || value.length !== 2) throw reader.wrong('bootRecord needs its two copies, like the lines of fw_env.config')
  const copy = (given: unknown, where: string): RecordCopy => {
    const { path, offset = 0, bytes } = reader.members(given, where, ['path', 'offset', 'bytes'])
    return {
      path: reader.path(path, `${where}.path`),
      offset: reader.count(offset, `${where}.offset`, 0, Number.MAX_SAFE_INTEGER - limits.bootRecordBytesMax),
      bytes: reader.count(bytes, `${where}.bytes`, 512, limits.bootRecordBytesMax),
    }
  }
  const [first, second] = [copy(value[0], 'bootRecord[0]'), copy(value[1], 'bootRecord[1]')]
  if (first.bytes !== second.bytes) throw reader.wrong('the copies of bootRecord differ in "bytes": U-Boot wants them alike')
  if (first.path === second.path && Math.abs(first.offset - second.offset) < first.bytes)
    throw reader.wrong('the copies of bootRecord overlap: what damages one damages the other')
  return [first, second]
}

function runningOf(reader: Reader, value: unknown, kernel: Kernel): Slot | undefined {
  if (value === undefined || value === 'A' || value === 'B') return value
  if (value !== 'kernel') throw reader.wrong('running has to be "A", "B" or "kernel"')
  const words = readFileSync(kernel.commandLine, 'utf8').trim().split(/\s+/)
  const named = words.flatMap(word => /^(?:rauc|onvifd)\.slot=(.*)$/.exec(word)?.[1] ?? [])
  const [slot] = named
  if ((slot === 'A' || slot === 'B') && named.every(other => other === slot)) return slot
  throw reader.wrong(
    `the command line of the kernel says ${named.length === 0 ? 'no slot' : named.join(', ')}: the boot loader has to give it rauc.slot=A or rauc.slot=B`,
  )
}

function swupdateOf(reader: Reader, value: unknown): MachineDescription['swupdate'] {
  const { sockets, command } = reader.members(value, 'swupdate', ['sockets', 'command'])
  if (command !== undefined && !(Array.isArray(command) && command.length > 0))
    throw reader.wrong('swupdate.command is the program and its arguments, as a list of texts')
  return {
    sockets: sockets === undefined ? undefined : reader.path(sockets, 'swupdate.sockets'),
    command: command?.map((word: unknown, index) => reader.text(word, `swupdate.command[${index}]`)),
  }
}

function raucOf(reader: Reader, value: unknown): MachineDescription['rauc'] {
  const names = ['bus', 'staging', 'plain', 'bundleBytesMax']
  const { bus = 'system', staging, plain = false, bundleBytesMax } = reader.members(value, 'rauc', names)
  if (typeof plain !== 'boolean') throw reader.wrong('rauc.plain has to be true or false')
  return {
    bus: reader.text(bus, 'rauc.bus'),
    staging: reader.path(staging, 'rauc.staging'),
    plain,
    bundleBytesMax: reader.count(bundleBytesMax, 'rauc.bundleBytesMax', 1, limits.uploadBytesMax),
  }
}

type Reader = ReturnType<typeof createReader>

function createReader(wrong: (why: string) => StateError) {
  const text = (value: unknown, where: string): string => {
    if (typeof value !== 'string' || value.length === 0 || value.length > limits.machineTextCharactersMax || value.includes('\0'))
      throw wrong(`${where} has to be a text`)
    return value
  }
  return {
    wrong,
    text,

    /** Without `known`, any name will do. */
    members(value: unknown, where: string, known?: readonly string[]): Readonly<Record<string, unknown>> {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${where} has to be an object`)
      const unknown = known && Object.keys(value).find(name => !known.includes(name))
      if (unknown !== undefined) throw wrong(`${where} has "${unknown}", which nothing here knows; there is ${known?.join(', ')}`)
      return Object.fromEntries(Object.entries(value))
    },

    path(value: unknown, where: string): string {
      const path = text(value, where)
      if (!isAbsolute(path)) throw wrong(`${where} has to be a whole path, from the root on`)
      return path
    },

    count(value: unknown, where: string, least: number, most: number): number {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most)
        throw wrong(`${where} has to be a whole number from ${least} to ${most}`)
      return value
    },
  }
}
