import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Store } from '../store.ts'

export type Scheme = 'http' | 'https'
/** TCP ports by what is spoken there. */
export type Ports = Readonly<Record<Scheme, readonly number[]>>

/** The doors of the device, as far as their ports go. */
export interface Listener {
  /** Those that are answered on. */
  ports(): Ports
  /** What the operator gave, for as long as no client sets others. */
  own(): Readonly<Record<Scheme, number>>
  /** Answers on these ports as well. All or nothing: rejects with an error that has the `code` of the port that cannot be had. */
  open(ports: Ports): Promise<void>
  /** Closes all ports but these; what runs there may end. */
  keep(ports: Ports): Promise<void>
}

export interface ProtocolRequest {
  readonly name: 'HTTP' | 'HTTPS' | 'RTSP'
  readonly enabled: boolean
  readonly ports: readonly number[]
}

/** Undefined: those that the operator gave. Empty: the protocol is off. */
export type WantedPorts = Readonly<Record<Scheme, readonly number[] | undefined>>

interface Parts {
  readonly store: Store
  readonly listener: Listener
  readonly tls?: TlsSwitch | undefined
  /** Told when the device is reached by others. */
  readonly changed?: () => void
}

interface TlsSwitch {
  /** Whether there is a certificate to show. */
  readonly isReady: () => boolean
  /** `--require-tls`: it cannot be switched off. */
  readonly required: boolean
  /** `--tls self-signed`: it is on until a client switches it off. */
  readonly onAtFirst: boolean
}

const names = { http: 'HTTP', https: 'HTTPS' } as const
const usualPorts = { http: 80, https: 443 } as const
const schemes = ['http', 'https'] as const

type Switches = Readonly<Record<Scheme, boolean>>

export type Protocols = ReturnType<typeof createProtocols>

/** By which protocols and ports the device is reached (Core 8.2.12, 8.2.13). Without `tls` there is HTTP, and no other. */
export function createProtocols({ store, listener, tls, changed = () => {} }: Parts) {
  /** Null: those that the operator gave. */
  const ports = {
    http: store.document<readonly number[] | null>('httpPorts', parsePorts, () => null),
    https: store.document<readonly number[] | null>('httpsPorts', parsePorts, () => null),
  }
  /** Null as long as no client has switched anything. */
  const switches = store.document<Switches | null>('protocolSwitches', parseSwitches, () => null)

  /** A certificate that is gone, as after a restore, leaves a device that is reached without. */
  function enabled(): Switches {
    const https = tls?.isReady() === true && (tls.required || (switches.get()?.https ?? tls.onAtFirst))
    return { https, http: !https || (switches.get()?.http ?? true) }
  }

  const isEnabled = (scheme: Scheme) => enabled()[scheme]

  const portsOf = (scheme: Scheme) => ports[scheme].get() ?? [listener.own()[scheme]]

  const wanted = (): Ports => ({ http: isEnabled('http') ? portsOf('http') : [], https: isEnabled('https') ? portsOf('https') : [] })

  return {
    /** For the start. */
    wantedPorts(): WantedPorts {
      const of = (scheme: Scheme) => (isEnabled(scheme) ? (ports[scheme].get() ?? undefined) : [])
      return { http: of('http'), https: of('https') }
    },

    /** Whether HTTPS is on. */
    isTlsEnabled: (): boolean => isEnabled('https'),

    list() {
      return schemes
        .filter(scheme => scheme === 'http' || tls !== undefined)
        .map(scheme => {
          const open = listener.ports()[scheme]
          const set = portsOf(scheme)
          const both = set.filter(port => open.includes(port))
          // Where it is on, but not by the ports that were set, it is the others that count.
          const shown = !isEnabled(scheme) || both.length > 0 || open.length === 0 ? set : open
          // A free one that nobody has picked yet: the answer needs a number, and clients send it back.
          return { name: names[scheme], enabled: isEnabled(scheme), ports: shown.map(port => port || usualPorts[scheme]) }
        })
    },

    /**
     * All or nothing; what is not named stays. The new ports are open when it returns; the returned function, for when the answer
     * has left, closes those that are not wanted any more. One way in has to stay.
     * Throws ServiceNotSupported, EnablingTlsFailed, PortAlreadyInUse, OperationProhibited, InvalidArgVal.
     */
    async set(requests: readonly ProtocolRequest[]): Promise<() => Promise<void>> {
      const before = { enabled: enabled(), open: listener.ports() }
      const next: Record<Scheme, boolean> = { ...before.enabled }
      const set: Partial<Record<Scheme, readonly number[]>> = {}
      for (const { name, enabled, ports: given } of requests) {
        const scheme = schemes.find(each => names[each] === name)
        if (scheme === undefined) throw fault('ServiceNotSupported', `this device has no ${name}`)
        if (scheme === 'https' && !tls)
          throw enabled ? fault('EnablingTlsFailed', 'this device has no TLS') : fault('ServiceNotSupported', 'this device has no HTTPS')
        if (set[scheme]) throw fault('InvalidArgVal', `${name} is given more than once`)
        set[scheme] = assertPorts(given, name)
        next[scheme] = enabled
      }
      if (next.https && !tls?.isReady())
        throw fault('EnablingTlsFailed', 'no certification path is assigned to the TLS server (AddServerCertificateAssignment)')
      if (!next.https && tls?.required) throw fault('OperationProhibited', 'this device answers over HTTPS only')
      if (!next.http && !next.https) throw fault('OperationProhibited', 'the device needs one of HTTP and HTTPS to be reached')
      const portsAfter = (scheme: Scheme) => (set[scheme]?.length ? set[scheme] : portsOf(scheme))
      const opening = { http: next.http ? portsAfter('http') : [], https: next.https ? portsAfter('https') : [] }
      if (opening.http.some(port => port > 0 && opening.https.includes(port)))
        throw fault('PortAlreadyInUse', 'HTTP and HTTPS cannot have the same port')
      await listener.open(opening).catch(explain)
      try {
        store.transaction(() => {
          // Switching something off says nothing about its ports, unless it names some.
          for (const scheme of schemes) if (set[scheme]?.length) ports[scheme].set(set[scheme])
          if (next.http !== before.enabled.http || next.https !== before.enabled.https) switches.set({ ...next })
        })
      } catch (error) {
        await listener.keep(before.open)
        throw error
      }
      // Another request may have set others by then.
      return async () => {
        await listener.keep(wanted())
        changed()
      }
    },
  }
}

function assertPorts(given: readonly number[], name = 'HTTP'): readonly number[] {
  const ports = [...new Set(given)]
  const wrong = ports.find(port => port < 1 || port > 65_535)
  if (wrong !== undefined) throw fault('InvalidArgVal', `${wrong} is no TCP port`)
  if (ports.length > limits.httpPortsMax) throw fault('InvalidArgVal', `${name} has at most ${limits.httpPortsMax} ports`)
  return ports
}

function explain(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') throw fault('PortAlreadyInUse', 'something else on this device listens on the port', { cause: error })
  if (code === 'EACCES') throw fault('InvalidArgVal', 'the device may not listen on this port', { cause: error })
  throw error
}

function parsePorts(stored: unknown): readonly number[] | null {
  if (stored === null) return null
  if (!Array.isArray(stored) || stored.length === 0) throw new Error('no list of ports')
  return assertPorts(
    stored.map(port => {
      if (typeof port !== 'number' || !Number.isInteger(port)) throw new Error('no port')
      return port
    }),
  )
}

function parseSwitches(stored: unknown): Switches | null {
  if (stored === null) return null
  if (typeof stored !== 'object') throw new Error('no switches')
  const { http, https }: { http?: unknown; https?: unknown } = stored
  if (typeof http !== 'boolean' || typeof https !== 'boolean' || !(http || https)) throw new Error('no switches')
  return { http, https }
}
