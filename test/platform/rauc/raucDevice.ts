import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import type { Clock, InstallContext } from '../../../src/platform/platform.ts'
import { createRaucEngine, type RaucEngineParts } from '../../../src/platform/rauc/raucEngine.ts'
import type { Pki, Signer } from '../../conformance/pki.ts'
import { sha256 } from '../../device/firmware/workbench.ts'

const tools = {
  rauc: 'rauc',
  'dbus-daemon': 'dbus-daemon',
  gdbus: 'libglib2.0-bin',
  fw_setenv: 'libubootenv-tool',
  mksquashfs: 'squashfs-tools',
  gcc: 'gcc',
  openssl: 'openssl',
}
const missing = Object.entries(tools).filter(([tool]) => spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status !== 0)
/** For `skip` of a test. */
export const lacksRauc =
  missing.length > 0 &&
  `${missing.map(([tool]) => tool).join(', ')} not found: apt-get install ${missing.map(([, name]) => name).join(' ')}`

export const clock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  async set() {},
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs)
    return () => clearTimeout(timer)
  },
}

export const context: InstallContext = {
  transaction: '01J',
  signal: new AbortController().signal,
  onHead() {},
  onProgress() {},
  async beforeActivation() {},
}

/** Built once for all tests of a process. It is removed at the very end: a service without it would mount bundles for real. */
let shim: string | undefined
after(() => {
  if (shim) rmSync(dirname(shim), { recursive: true, force: true })
})
function buildShim(): string {
  if (shim) return shim
  const built = join(mkdtempSync(join(tmpdir(), 'onvifd-noloop-')), 'noloop.so')
  const source = fileURLToPath(new URL('noloop.c', import.meta.url))
  execFileSync('gcc', ['-shared', '-fPIC', '-U_FORTIFY_SOURCE', '-Wall', '-Wextra', '-Werror', '-o', built, source, '-ldl'])
  shim = built
  return shim
}

export interface BundleOrder {
  readonly payload: Buffer
  readonly version?: string
  readonly compatible?: string
  readonly format?: 'plain' | 'verity'
  readonly signer?: Signer | undefined
}

/** The manifest as `rauc bundle` completes it. */
export function manifestOf({ payload, version = '1.1.0', compatible = 'onvifd-virtual', format = 'plain' }: BundleOrder): string {
  const image = `filename=rootfs.img\nsha256=${sha256(payload)}\nsize=${payload.length}\n`
  return `[update]\ncompatible=${compatible}\nversion=${version}\n[bundle]\nformat=${format}\n[image.rootfs]\n${image}`
}

/** A machine of plain files: a bus and a RAUC service of its own, two slots, and the boot loader's environment in two copies. */
export async function makeRaucDevice(t: TestContext, pki: Pki, { slotBytes = 262_144, formats = 'plain verity' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-rauc-'))
  const at = (...names: string[]): string => join(folder, ...names)
  const children: ChildProcess[] = []
  t.after(async () => {
    await Promise.all(children.map(kill))
    rmSync(folder, { recursive: true, force: true })
  })
  for (const name of ['bin', 'mnt', 'data', 'bundles', 'upgrade']) mkdirSync(at(name))
  chmodSync(at('upgrade'), 0o700)
  const slots = { A: at('a.img'), B: at('b.img') }
  for (const file of Object.values(slots)) {
    writeFileSync(file, '')
    truncateSync(file, slotBytes)
  }

  // The boot loader: the real tools on two plain files. A file `hold-NAME-VALUE` makes a write of NAME wait.
  const copies = [at('env0.bin'), at('env1.bin')]
  for (const file of copies) writeFileSync(file, Buffer.alloc(8192))
  writeFileSync(at('fw_env.config'), copies.map(file => `${file} 0x0 0x2000\n`).join(''))
  writeFileSync(at('factory.env'), 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\n')
  for (const tool of ['fw_printenv', 'fw_setenv']) {
    const hold = `while [ -e "${folder}/hold-$1-$2" ]; do : > "${folder}/held"; sleep 0.02; done`
    writeFileSync(at('bin', tool), `#!/bin/sh\n${hold}\nexec /usr/bin/${tool} -c ${at('fw_env.config')} -f ${at('factory.env')} "$@"\n`)
    chmodSync(at('bin', tool), 0o755)
  }
  execFileSync(at('bin', 'fw_setenv'), ['FACTORY', '1'], { stdio: 'ignore' })

  writeFileSync(
    at('system.conf'),
    `[system]\ncompatible=onvifd-virtual\nbootloader=uboot\nmountprefix=${at('mnt')}\ndata-directory=${at('data')}\nbundle-formats=${formats}
[keyring]\npath=${pki.authority}\ncheck-purpose=codesign
[slot.rootfs.0]\ndevice=${slots.A}\ntype=raw\nbootname=A\n[slot.rootfs.1]\ndevice=${slots.B}\ntype=raw\nbootname=B\n`,
  )
  // What the factory leaves: RAUC's own record of the slot that runs.
  writeFileSync(at('data', 'central.raucs'), '[slot.rootfs.0]\nbundle.version=1.0.0\nstatus=ok\nsha256=00\nsize=1\n')
  writeFileSync(
    at('bus.conf'),
    `<busconfig><type>session</type><listen>unix:path=${at('bus')}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  )
  const bus = `unix:path=${at('bus')}`
  const env = { ...process.env, PATH: `${at('bin')}:${process.env.PATH}`, DBUS_SESSION_BUS_ADDRESS: bus, DBUS_STARTER_BUS_TYPE: 'session' }

  function start(command: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}): ChildProcess {
    // A group of its own, so that what RAUC has called ends with it.
    const child = spawn(command, args, { env: { ...env, ...extra }, stdio: 'ignore', detached: true })
    children.push(child)
    return child
  }

  const gdbus = (...args: string[]): string =>
    execFileSync('gdbus', args, { env, encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] })

  let service: ChildProcess | undefined
  async function boot(slot: 'A' | 'B'): Promise<void> {
    if (service) await kill(service)
    service = start('rauc', ['--conf', at('system.conf'), 'service', `--override-boot-slot=${slot}`], { LD_PRELOAD: buildShim() })
    gdbus('wait', '--session', '--timeout', '10', 'de.pengutronix.rauc')
    assert.match(readFileSync(`/proc/${service.pid}/maps`, 'utf8'), /noloop\.so/)
  }

  start('dbus-daemon', ['--config-file', at('bus.conf'), '--nofork', '--nopidfile'])
  while (!existsSync(at('bus'))) await new Promise(resolve => setTimeout(resolve, 10))
  await boot('A')

  let bundles = 0
  const storage = createFileStorage()
  return {
    folder,
    bus,
    storage,
    /** Where the engine keeps its files. */
    upgrade: at('upgrade'),
    staged: at('upgrade', 'bundle.raucb'),
    content: (slot: 'A' | 'B'): Buffer => readFileSync(slots[slot]),
    environment: (name: string): string =>
      execFileSync(at('bin', 'fw_printenv'), ['-n', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim(),
    setEnvironment: (name: string, value: string) => execFileSync(at('bin', 'fw_setenv'), [name, value], { stdio: 'ignore' }),
    damageEnvironment: () => {
      for (const file of copies) writeFileSync(file, Buffer.alloc(8192, 1))
      writeFileSync(at('factory.env'), '')
    },
    /** RAUC waits before it writes this into the environment: `reached` when it does, until `release`. */
    hold(name: string, value: string): { reached(): Promise<void>; release(): void } {
      const [file, mark] = [at(`hold-${name}-${value}`), at('held')]
      writeFileSync(file, '')
      rmSync(mark, { force: true })
      return {
        async reached() {
          while (!existsSync(mark)) await new Promise(resolve => setTimeout(resolve, 10))
        },
        release: () => rmSync(file),
      }
    },
    boot,
    /** Ends RAUC and all that it has called, as a crash does. */
    async killService() {
      if (service) await kill(service)
    },
    /** RAUC is there, and does nothing until it may go on. */
    freezeService(): { thaw(): void } {
      const { pid = assert.fail('RAUC does not run') } = service ?? {}
      process.kill(pid, 'SIGSTOP')
      return { thaw: () => void process.kill(pid, 'SIGCONT') }
    },
    property: (name: string): string =>
      gdbus(
        ...['call', '--session', '-d', 'de.pengutronix.rauc', '-o', '/', '-m', 'org.freedesktop.DBus.Properties.Get'],
        ...['de.pengutronix.rauc.Installer', name],
      ),
    gdbus,
    call: (method: string, ...args: string[]): string =>
      gdbus('call', '--session', '-d', 'de.pengutronix.rauc', '-o', '/', '-m', `de.pengutronix.rauc.Installer.${method}`, ...args),
    engine: (parts: Partial<RaucEngineParts> = {}) =>
      createRaucEngine({
        ...{ bus, storage, folder: at('upgrade'), bundleBytesMax: slotBytes + 131_072, plain: true, trust: pki.trust },
        ...{ downgrade: 'deny', clock },
        ...parts,
      }),

    /** A bundle as `rauc bundle` makes it. */
    bundle(order: BundleOrder): Buffer {
      const { payload, signer = pki.good } = order
      const work = at('bundles', String(bundles++))
      mkdirSync(work)
      writeFileSync(join(work, 'rootfs.img'), payload)
      writeFileSync(join(work, 'manifest.raucm'), manifestOf(order))
      const who = [`--cert=${signer.certificate}`, `--key=${signer.key}`]
      execFileSync('rauc', [...who, 'bundle', work, `${work}.raucb`], { stdio: ['ignore', 'ignore', 'pipe'] })
      return readFileSync(`${work}.raucb`)
    },

    /** A plain bundle made with mksquashfs and openssl alone, for what `rauc bundle` would not make. */
    bundleByHand(files: Readonly<Record<string, string | Buffer>>, signer: Signer | undefined = pki.good, digest = 'sha256'): Buffer {
      const work = at('bundles', String(bundles++))
      mkdirSync(work)
      for (const [name, content] of Object.entries(files)) writeFileSync(join(work, name), content)
      execFileSync('mksquashfs', [work, `${work}.squashfs`, '-all-root', '-noappend', '-quiet', '-no-progress'], { stdio: 'ignore' })
      const content = readFileSync(`${work}.squashfs`)
      const sign = ['cms', '-sign', '-binary', '-nosmimecap', '-outform', 'DER', '-md', digest, '-in', `${work}.squashfs`]
      const signature = execFileSync('openssl', [...sign, '-signer', signer.certificate, '-inkey', signer.key])
      return Buffer.concat([content, signature, lengthOf(signature)])
    },
  }
}

export type RaucDevice = Awaited<ReturnType<typeof makeRaucDevice>>

/** The last eight bytes of a bundle. */
export function lengthOf(signature: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(signature.length))
  return length
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  process.kill(-child.pid, 'SIGKILL')
  await gone
}
