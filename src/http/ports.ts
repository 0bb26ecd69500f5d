import { createServer } from 'node:net'
import type { Log } from '../platform/platform.ts'
import type { HttpServer } from './server.ts'

/** On which TCP ports the device is, from one boot to the next: the operator's, unless a client has set others. */
export function createPorts({ host, port }: { readonly host: string; readonly port: number }) {
  /** The operator's, with the real one where it was 0. */
  let own = port
  let current: readonly number[] = [own]
  /** As the socket gives it; a name until the first one is open. */
  let address = host
  let server: HttpServer | undefined

  /** All of them or none. */
  async function openAll(door: HttpServer, wanted: readonly number[]): Promise<URL[]> {
    const origins: URL[] = []
    try {
      for (const each of wanted) origins.push(await door.listen(host, each))
    } catch (error) {
      for (const origin of origins) void door.release(portOf(origin))
      throw error
    }
    return origins
  }

  async function openFirst(door: HttpServer, wanted: readonly number[]): Promise<URL> {
    const origins = await openAll(door, wanted)
    const [first] = origins
    if (!first) throw new Error('there is no port to listen on')
    if (wanted[0] === 0) own = portOf(first)
    current = origins.map(portOf)
    address = first.hostname.replace(/^\[|\]$/g, '')
    return first
  }

  return {
    ports: (): readonly number[] => current,

    address: (): string => address,

    /**
     * Opens the server on the ports that a client has set, if any; where one of them cannot be had any more, on the operator's, so
     * that the device can be reached and told otherwise. Resolves to the origin of the first. Rejects with a ListenError.
     */
    async attach(door: HttpServer, set: readonly number[] | undefined, log: Log): Promise<URL> {
      server = door
      if (!set) return openFirst(door, [own])
      try {
        return await openFirst(door, set)
      } catch (error) {
        log.error({ error, ports: set, instead: own }, 'the HTTP ports that were set cannot be listened on')
        return openFirst(door, [own])
      }
    },

    detach(): void {
      server = undefined
    },

    /** Listens on these as well. All or nothing: rejects with a ListenError. A device without an open door only tries. */
    async open(wanted: readonly number[]): Promise<void> {
      const more = wanted.filter(each => !current.includes(each))
      if (server) await openAll(server, more)
      else for (const each of more) await tryOut(host, each)
      current = [...current, ...more]
    },

    /** Listens on no others any more; where it listens on none of these, everything stays, because a device is never without a door. */
    async keep(wanted: readonly number[]): Promise<void> {
      if (!wanted.some(each => current.includes(each))) return
      const leaving = current.filter(each => !wanted.includes(each))
      current = current.filter(each => wanted.includes(each))
      await Promise.all(leaving.map(each => server?.release(each)))
    },

    /** Ends the connections of addresses that are not admitted any more. */
    expel: (): void => server?.expel(),
  }
}

/** A URL leaves out the port that its scheme has anyway. */
const portOf = ({ port }: URL): number => Number(port || 80)

async function tryOut(host: string, port: number): Promise<void> {
  const attempt = createServer()
  await new Promise<void>((resolve, reject) => attempt.once('error', reject).listen(port, host, resolve))
  await new Promise<void>(resolve => attempt.close(() => resolve()))
}
