import { arch, release, type, uptime } from 'node:os'
import type { Clock, Identity, Logs, Network, UpdateBackend } from '../platform/platform.ts'

interface Parts {
  readonly identity: Identity
  readonly clock: Clock
  readonly network: Network
  readonly update: UpdateBackend
  readonly logs: Logs
  /** What clients set, by name, without any secret. */
  readonly settings: () => Readonly<Record<string, unknown>>
  /** Every firmware upgrade and how it ended. */
  readonly upgrades: () => unknown
}

export type SupportInformation = ReturnType<typeof createSupportInformation>

/** What the maker's support wants to see first (Core 8.3.12). Passwords, keys and tickets are never part of it. */
export function createSupportInformation({ identity, clock, network, update, logs, settings, upgrades }: Parts) {
  async function sheets(): Promise<readonly (readonly [name: string, content: unknown])[]> {
    const [hostname, interfaces, dns, ntp] = await Promise.all([network.hostname(), network.interfaces(), network.dns(), network.ntp()])
    const memory = process.memoryUsage()
    const host = { system: `${type()} ${release()} ${arch()}`, uptimeSeconds: Math.round(uptime()) }
    const service = {
      node: process.version,
      uptimeSeconds: Math.round(process.uptime()),
      residentBytes: memory.rss,
      heapBytes: memory.heapUsed,
    }
    return [
      ['device', { time: clock.now().toISOString(), ...identity, slots: await update.slots(), host, service }],
      ['settings', { ...settings(), network: { hostname, interfaces, dns, ntp } }],
      ['upgrades', upgrades()],
    ]
  }

  return {
    /** For GetSystemSupportInformation, which clients show as it is. */
    async text(): Promise<string> {
      return (await sheets()).map(([name, content]) => `== ${name} ==\n${JSON.stringify(content, null, 2)}\n`).join('\n')
    },

    /** The same with both logs, as a tar file. */
    async archive(): Promise<Buffer> {
      const { packTar } = await import('modern-tar')
      const folder = `onvifd-${identity.serialNumber.replace(/[^A-Za-z0-9-]/g, '_')}`
      const files: readonly (readonly [name: string, content: Buffer])[] = [
        ...(await sheets()).map(([name, content]) => [`${name}.json`, Buffer.from(`${JSON.stringify(content, null, 2)}\n`)] as const),
        ['system.log', await logs.read('System')],
        ['access.log', await logs.read('Access')],
      ]
      const mtime = clock.now()
      const entries = files.map(([name, body]) => ({ header: { name: `${folder}/${name}`, size: body.length, mode: 0o600, mtime }, body }))
      return Buffer.from(await packTar(entries))
    },
  }
}
