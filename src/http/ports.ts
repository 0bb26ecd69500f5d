import { createServer } from 'node:net'
import type { Ports, Scheme, WantedPorts } from '../device/network/protocols.ts'
import type { Log } from '../platform/platform.ts'
import { type HttpServer, portOf } from './server.ts'

interface Operators {
  readonly host: string
  readonly port: number
  readonly httpsPort?: number
}

const schemes = ['http', 'https'] as const

/** On which TCP ports the device is, from one boot to the next: the operator's, unless a client has set others. */
export function createPorts({ host, port, httpsPort = 0 }: Operators) {
  /** The operator's, with the real one where it was 0 and has been open. */
  const own: Record<Scheme, number> = { http: port, https: httpsPort }
  let current: Ports = { http: [port], https: [] }
  /** As the socket gives it; a name until the first one is open. */
  let address = host
  let server: HttpServer | undefined

  /** All of them or none. */
  async function openAll(door: HttpServer, wanted: Ports): Promise<{ readonly origins: readonly URL[]; readonly opened: Ports }> {
    const origins: URL[] = []
    const opened: Record<Scheme, number[]> = { http: [], https: [] }
    try {
      for (const scheme of schemes) {
        for (const each of wanted[scheme]) {
          const origin = await door.listen(host, each, scheme)
          origins.push(origin)
          opened[scheme].push(portOf(origin))
          if (each === 0) own[scheme] = portOf(origin)
        }
      }
    } catch (error) {
      for (const origin of origins) void door.release(portOf(origin))
      throw error
    }
    return { origins, opened }
  }

  async function openFirst(door: HttpServer, wanted: Ports): Promise<URL> {
    const { origins, opened } = await openAll(door, wanted)
    const [first] = origins
    if (!first) throw new Error('there is no port to listen on')
    current = opened
    address = first.hostname.replace(/^\[|\]$/g, '')
    return first
  }

  return {
    ports: (): Ports => current,

    own: (): Readonly<Record<Scheme, number>> => own,

    address: (): string => address,

    /**
     * Opens the server on the ports that a client has set, if any; where one of them cannot be had any more, on the operator's, so
     * that the device can be reached and told otherwise. Resolves to the origin of the first, HTTP before HTTPS. Rejects with a
     * ListenError.
     */
    async attach(door: HttpServer, { http, https }: WantedPorts, log: Log): Promise<URL> {
      server = door
      const operators = { http: http?.length === 0 ? [] : [own.http], https: https?.length === 0 ? [] : [own.https] }
      if (!http?.length && !https?.length) return openFirst(door, operators)
      try {
        return await openFirst(door, { http: http ?? operators.http, https: https ?? operators.https })
      } catch (error) {
        log.error({ error, ports: { http, https }, instead: operators }, 'the ports that were set cannot be listened on')
        return openFirst(door, operators)
      }
    },

    detach(): void {
      server = undefined
    },

    /** Listens on these as well. All or nothing: rejects with a ListenError. A device without an open door only tries. */
    async open(wanted: Ports): Promise<void> {
      const isNew = (scheme: Scheme) => wanted[scheme].filter(each => !current[scheme].includes(each))
      const more = { http: isNew('http'), https: isNew('https') }
      let opened: Ports = more
      if (server) opened = (await openAll(server, more)).opened
      else for (const each of [...more.http, ...more.https]) await tryOut(host, each)
      current = { http: [...current.http, ...opened.http], https: [...current.https, ...opened.https] }
    },

    /**
     * Listens on no others any more; where it listens on none of these, everything stays, because a device is never without a door.
     * What still runs on the others ends in its own time.
     */
    async keep(wanted: Ports): Promise<void> {
      const kept = (scheme: Scheme) => current[scheme].filter(each => wanted[scheme].includes(each))
      const next = { http: kept('http'), https: kept('https') }
      if (next.http.length + next.https.length === 0) return
      const leaving = schemes.flatMap(scheme => current[scheme].filter(each => !next[scheme].includes(each)))
      current = next
      for (const each of leaving) void server?.release(each)
    },

    /** Ends the connections of addresses that are not admitted any more. */
    expel: (): void => server?.expel(),
  }
}

async function tryOut(host: string, port: number): Promise<void> {
  const attempt = createServer()
  await new Promise<void>((resolve, reject) => attempt.once('error', reject).listen(port, host, resolve))
  await new Promise<void>(resolve => attempt.close(() => resolve()))
}
