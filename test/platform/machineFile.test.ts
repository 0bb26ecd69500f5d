import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { deviceBytes, readMachineFile } from '../../src/platform/machineFile.ts'

const folder = mkdtempSync(join(tmpdir(), 'onvifd-machine-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
for (const name of ['a.img', 'b.img', 'app-a.img', 'app-b.img']) writeFileSync(at(name), '')

const board = { name: 'acme-cam', revision: '2' }
const slots = {
  rootfs: { A: at('a.img'), B: at('b.img'), bytesMax: 1_000 },
  app: { A: at('app-a.img'), B: at('app-b.img'), bytesMax: 100 },
}
const bootRecord = [
  { path: at('env'), offset: 0, bytes: 8_192 },
  { path: at('env'), offset: 8_192, bytes: 8_192 },
]

function read(machine: unknown, commandLine = 'console=ttyS0 rauc.slot=B quiet') {
  const file = at('machine.json')
  writeFileSync(file, typeof machine === 'string' ? machine : JSON.stringify(machine))
  writeFileSync(at('cmdline'), `${commandLine}\n`)
  return readMachineFile(file, { commandLine: at('cmdline'), devices: at('block') })
}

test('a machine says where its slots, its boot record and its engines are', () => {
  const machine = read({
    board,
    slots,
    bootRecord: [
      { path: at('env0'), bytes: 8_192 },
      { path: at('env1'), bytes: 8_192 },
    ],
    running: 'kernel',
    swupdate: { sockets: '/run/swupdate', command: ['swupdate', '-k', 'ca.pem'] },
    rauc: { staging: '/data/staging', bundleBytesMax: 1_000 },
  })
  assert.deepEqual(machine, {
    board,
    slots: new Map(Object.entries(slots)),
    bootRecord: [
      { path: at('env0'), offset: 0, bytes: 8_192 },
      { path: at('env1'), offset: 0, bytes: 8_192 },
    ],
    running: 'B',
    swupdate: { sockets: '/run/swupdate', command: ['swupdate', '-k', 'ca.pem'] },
    rauc: { bus: 'system', staging: '/data/staging', plain: false, bundleBytesMax: 1_000 },
  })
  assert.deepEqual(read({ board }), {
    board,
    slots: undefined,
    bootRecord: undefined,
    running: undefined,
    swupdate: undefined,
    rauc: undefined,
  })
  assert.equal(read({ board, running: 'A' }).running, 'A')
  assert.equal(read({ board, running: 'kernel' }, 'onvifd.slot=A').running, 'A')
})

test('what is wrong with a machine file is said with what to mend', () => {
  const withRootfs = (places: object) => ({ board, bootRecord, slots: { rootfs: { ...slots.rootfs, ...places } } })
  const withCopies = (first: object, second: object = {}) => ({
    board,
    slots,
    bootRecord: [
      { ...bootRecord[0], ...first },
      { ...bootRecord[1], ...second },
    ],
  })
  const cases: readonly (readonly [machine: unknown, message: RegExp, commandLine?: string])[] = [
    ['{', /this is not JSON/],
    [[], /the machine has to be an object/],
    [{}, /board has to be an object/],
    [{ board: { name: 'x' } }, /board\.revision has to be a text/],
    [{ board: { ...board, name: 'x'.repeat(limits.machineTextCharactersMax + 1) } }, /board\.name has to be a text/],
    [{ board, slot: {} }, /has "slot", which nothing here knows; there is board, slots/],
    [{ board, slots }, /"slots" and "bootRecord" together/],
    [{ board, bootRecord }, /"slots" and "bootRecord" together/],
    [{ board, bootRecord, slots: { app: slots.app } }, /needs the role "rootfs"/],
    [{ board, bootRecord, slots: { ...slots, 'My App': slots.app } }, /role "My App" has to be made of small letters/],
    [withRootfs({ A: 'a.img' }), /slots\.rootfs\.A has to be a whole path/],
    [withRootfs({ A: at('none.img') }), /none\.img does not exist: make the file/],
    [withRootfs({ A: folder }), /is neither a file nor a block device/],
    [withRootfs({ A: '/dev/null' }), /is neither a file nor a block device/],
    [withRootfs({ bytesMax: undefined }), /slots\.rootfs needs "bytesMax"/],
    [withRootfs({ bytesMax: 0 }), /whole number from 1/],
    [withRootfs({ size: 1 }), /slots\.rootfs has "size"/],
    [withRootfs({ B: at('a.img') }), /a\.img has two uses/],
    [{ board, bootRecord, slots: { ...slots, data: slots.app } }, /app-a\.img has two uses/],
    [withCopies({ path: at('a.img') }), /a\.img has two uses/],
    [{ board, slots, bootRecord: bootRecord.slice(1) }, /needs its two copies/],
    [withCopies({ bytes: 4_096 }), /differ in "bytes"/],
    [withCopies({ bytes: 2_097_152 }), /bootRecord\[0\]\.bytes has to be a whole number from 512 to 1048576/],
    [withCopies({}, { offset: 8_191 }), /overlap/],
    [withCopies({ offset: -1 }), /bootRecord\[0\]\.offset/],
    [{ board, running: 'C' }, /running has to be "A", "B" or "kernel"/],
    [{ board, running: 'kernel' }, /says no slot: the boot loader has to give it rauc\.slot=A/, 'quiet xrauc.slot=A'],
    [{ board, running: 'kernel' }, /says rootfs\.0/, 'rauc.slot=rootfs.0'],
    [{ board, running: 'kernel' }, /says A, B/, 'rauc.slot=A onvifd.slot=B'],
    [{ board, swupdate: { command: 'swupdate -k ca' } }, /swupdate\.command is the program and its arguments/],
    [{ board, swupdate: { command: [1] } }, /swupdate\.command\[0\] has to be a text/],
    [{ board, swupdate: { sockets: 'run' } }, /swupdate\.sockets has to be a whole path/],
    [{ board, rauc: {} }, /rauc\.staging has to be a text/],
    [{ board, rauc: { bus: 1, staging: '/x' } }, /rauc\.bus has to be a text/],
    [{ board, rauc: { staging: '/x', plain: 'yes' } }, /rauc\.plain has to be true or false/],
    [{ board, rauc: { staging: '/x' } }, /rauc\.bundleBytesMax has to be a whole number/],
  ]
  for (const [machine, message, commandLine] of cases) assert.throws(() => read(machine, commandLine), { name: 'StateError', message })
  const longest = 'x'.repeat(limits.machineTextCharactersMax)
  assert.equal(read({ board: { ...board, name: longest } }).board.name, longest)
  assert.throws(() => readMachineFile(at('nowhere.json')), { code: 'ENOENT' })
})

test('beyond bootRecordBytesMax a copy of the boot record is refused, and so is one that begins where its end cannot be counted', () => {
  const inFiles = ({ bytes, offset = 0 }: { bytes: number; offset?: number }) => ({
    board,
    slots,
    bootRecord: ['env0', 'env1'].map(name => ({ path: at(name), offset, bytes })),
  })
  const most = limits.bootRecordBytesMax
  const last = Number.MAX_SAFE_INTEGER - most
  assert.equal(read(inFiles({ bytes: most })).bootRecord?.[1].bytes, most)
  assert.throws(() => read(inFiles({ bytes: most + 1 })), { name: 'StateError', message: /bootRecord\[0\]\.bytes.* to 1048576/ })
  assert.equal(read(inFiles({ bytes: most, offset: last })).bootRecord?.[0].offset, last)
  assert.throws(() => read(inFiles({ bytes: most, offset: last + 1 })), { name: 'StateError', message: /bootRecord\[0\]\.offset/ })
})

test('beyond uploadBytesMax no bundle can be allowed', () => {
  const taking = (bundleBytesMax: number) => ({ board, rauc: { staging: '/data/staging', bundleBytesMax } })
  assert.equal(read(taking(limits.uploadBytesMax)).rauc?.bundleBytesMax, limits.uploadBytesMax)
  assert.throws(() => read(taking(limits.uploadBytesMax + 1)), { name: 'StateError', message: /rauc\.bundleBytesMax.* to 1099511627776/ })
})

test('the size of a block device is what the kernel says', () => {
  for (const [device, name, sectors] of [
    [0x0801n, '8:1', 2_048],
    [0xb302n, '179:2', 4_194_304],
    // 259:300: a minor number of more than eight bits (makedev(3)).
    [0x11032cn, '259:300', 16],
  ] as const) {
    mkdirSync(at(`block/${name}`), { recursive: true })
    writeFileSync(at(`block/${name}/size`), `${sectors}\n`)
    assert.equal(deviceBytes(device, at('block')), sectors * 512)
  }
})
