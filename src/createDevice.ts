import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { boot, type Running } from './boot.ts'
import { connect } from './client/onvifClient.ts'
import { type Config, ConfigError, defaults, options as known } from './config.ts'
import { createPorts } from './http/ports.ts'
import { createHttpServer, type HttpServer } from './http/server.ts'
import type { AntiRollbackStore } from './platform/platform.ts'
import type { SoapAnswer, SoapRequest } from './soap/message.ts'

export interface DeviceOptions extends Partial<Config> {
  /** Password of the first Administrator; used when the state folder has no users. */
  readonly adminPassword?: string | undefined
  /** Told once the random password that was made because none was given. Without it, a password has to be given. */
  readonly onFirstPassword?: (name: string, password: string) => void
  /** Told when the device could not come up again after a reboot; it is down for good. By default the error is thrown, and nobody can catch it. */
  readonly onRestartFailed?: (error: unknown) => void
  /** Keeps the lowest security epoch where no disk image can take it back; without it the boot record does. */
  readonly antiRollback?: AntiRollbackStore | undefined
  /** For tests: another UDP port than that of WS-Discovery, 3702, so that nothing outside hears them. */
  readonly discoveryPort?: number | undefined
  /** Where the system log is shown; the files in the state folder are written in any case. */
  readonly terminal?: { write(text: string): unknown; readonly isTTY?: boolean | undefined }
}

export interface Device {
  /** Opens the door and finishes what a reboot left to do. Gives the address of the device service, with the real port. */
  start(): Promise<string>
  /** One SOAP message without a socket. Rejects while the device is down. */
  handle(request: SoapRequest): Promise<SoapAnswer>
  /** Ends everything within seconds; a running upload is broken off. No call is allowed after it. */
  stop(): Promise<void>
}

/**
 * A device made from the state folder. A reboot takes it down to that folder and builds it anew from what is there, as a power
 * cycle would. Throws ConfigError, StateError or StoreError, whose messages say what to do.
 */
export async function createDevice(options: DeviceOptions = {}): Promise<Device> {
  const {
    adminPassword,
    onFirstPassword,
    terminal = { write: () => {} },
    onRestartFailed = raise,
    antiRollback,
    discoveryPort,
    ...given
  } = options
  const config = configure(given)
  let running: Running | undefined
  let door: HttpServer | undefined
  const ports = createPorts(config)
  /** While the device asks itself whether it is well, neither the address filter nor a certificate that it lacks keeps it from that. */
  let asksItself = false
  const isOwn = (remote: string, local: string) => asksItself && remote === local
  let stopped = false
  /** The change between up and down that is under way, so that a second one waits for it. */
  let turn: Promise<void> = Promise.resolve()

  const up = async () => {
    running = await boot({ config, terminal, firstPassword, restart, listener: ports, antiRollback, discoveryPort })
  }

  async function down(): Promise<void> {
    const was = running
    was?.announceEnd()
    // After Bye, clients ask nothing more.
    await was?.discovery?.stop()
    await was?.interrupt('the device goes down')
    running = undefined
    ports.detach()
    await door?.close()
    door = undefined
    await was?.close()
  }

  async function open(): Promise<string> {
    if (!running) throw new Error('the device is down')
    const { service, servicePath, ports: wanted, admits, logs, resume, discovery, ...rest } = running
    door = createHttpServer({
      ...rest,
      logs,
      handle: service.handle,
      admits: (remote, local) => admits(remote) || isOwn(remote, local),
      isOwn,
    })
    const origin = await ports.attach(door, wanted, logs.system)
    const url = new URL(servicePath, origin).href
    await discovery?.start()
    await resume(async () => {
      asksItself = true
      try {
        await checkSelf(url)
      } finally {
        asksItself = false
      }
    })
    return url
  }

  /** Gives the order and returns; the reboot itself takes the device down with whoever ordered it. */
  async function restart(reason: string, downMs: number): Promise<void> {
    running?.logs.system.info({ reason, downMs }, 'restarting')
    const wasOpen = door !== undefined
    const again = async () => {
      if (stopped) return
      await down()
      await sleep(downMs)
      if (stopped) return
      await up()
      if (wasOpen) await open()
    }
    turn = turn.then(again).catch(async error => {
      // A device that came up by half would hold its state folder and answer nobody.
      await down().finally(() => onRestartFailed(error))
    })
  }

  function firstPassword(name: string): string {
    if (adminPassword !== undefined) return adminPassword
    if (!onFirstPassword) throw new ConfigError('a new device needs a password for its first Administrator: give adminPassword')
    const password = randomBytes(12).toString('base64url')
    onFirstPassword(name, password)
    return password
  }

  await up()
  return {
    async start() {
      try {
        return await open()
      } catch (error) {
        // As after a restart; and a process that stayed would keep whoever watches over it from starting another.
        await down().catch(() => {})
        throw error
      }
    },
    async handle(request) {
      if (!running) throw new Error('the device is down')
      const { service, logs } = running
      const answer = await service.handle(request)
      const { afterReply } = answer
      if (afterReply)
        setImmediate(() => {
          afterReply().catch(error => logs.system.error({ error }, 'what was to follow an answer failed'))
        })
      return answer
    },
    async stop() {
      stopped = true
      await turn
      await down()
    },
  }
}

const raise = (error: unknown): void =>
  void setImmediate(() => {
    throw error
  })

/** What every client does first, through the listener that they come through. Its own certificate need not name a loopback address. */
async function checkSelf(url: string): Promise<void> {
  const client = connect(url, { insecure: true })
  try {
    await client.call('GetSystemDateAndTime', {})
  } finally {
    client.close()
  }
}

function configure(given: Partial<Config>): Config {
  for (const name of Object.keys(given)) if (!Object.hasOwn(known, name)) throw new ConfigError(`there is no option ${name}`)
  return { ...defaults, ...given }
}
