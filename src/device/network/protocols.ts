import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Store } from '../store.ts'

/** The doors of the device, as far as their ports go. */
export interface Listener {
  /** The TCP ports on which HTTP is answered. */
  ports(): readonly number[]
  /** Answers on these ports as well. All or nothing: rejects with an error that has the `code` of the port that cannot be had. */
  open(ports: readonly number[]): Promise<void>
  /** Closes all ports but these; what runs there may end. */
  keep(ports: readonly number[]): Promise<void>
}

export interface ProtocolRequest {
  readonly name: 'HTTP' | 'HTTPS' | 'RTSP'
  readonly enabled: boolean
  readonly ports: readonly number[]
}

export type Protocols = ReturnType<typeof createProtocols>

/** By which protocols and ports the device is reached (Core 8.2.12, 8.2.13). There is HTTP, and no other yet. */
export function createProtocols({ store, listener }: { readonly store: Store; readonly listener: Listener }) {
  /** Null: those that the operator gave. */
  const httpPorts = store.document<readonly number[] | null>('httpPorts', parsePorts, () => null)

  return {
    /** Undefined as long as no client has set them. */
    httpPorts: (): readonly number[] | undefined => httpPorts.get() ?? undefined,

    list() {
      const open = listener.ports()
      const wanted = httpPorts.get()?.filter(port => open.includes(port)) ?? []
      return [{ name: 'HTTP', enabled: true, ports: wanted.length > 0 ? wanted : open }] as const
    },

    /**
     * All or nothing; what is not named stays. The new ports are open when it returns; the returned function, for when the answer
     * has left, closes those that are not wanted any more. HTTP is the only way in, so it cannot be switched off.
     * Throws ServiceNotSupported, EnablingTlsFailed, PortAlreadyInUse, OperationProhibited, InvalidArgVal.
     */
    async set(requests: readonly ProtocolRequest[]): Promise<() => Promise<void>> {
      for (const { name, enabled } of requests) {
        if (name === 'HTTPS' && enabled) throw fault('EnablingTlsFailed', 'this device has no TLS')
        if (name !== 'HTTP') throw fault('ServiceNotSupported', `this device has no ${name}`)
        if (!enabled) throw fault('OperationProhibited', 'HTTP is the only way to this device, and cannot be switched off')
      }
      const [http, ...more] = requests
      if (more.length > 0) throw fault('InvalidArgVal', 'HTTP is given more than once')
      if (!http) return async () => {}
      const ports = assertPorts(http.ports)
      const before = listener.ports()
      await listener.open(ports).catch(explain)
      try {
        httpPorts.set(ports)
      } catch (error) {
        await listener.keep(before)
        throw error
      }
      // Another request may have set others by then.
      return () => listener.keep(httpPorts.get() ?? listener.ports())
    },
  }
}

function assertPorts(given: readonly number[]): readonly number[] {
  const ports = [...new Set(given)]
  const wrong = ports.find(port => port < 1 || port > 65_535)
  if (wrong !== undefined) throw fault('InvalidArgVal', `${wrong} is no TCP port`)
  if (ports.length > limits.httpPortsMax) throw fault('InvalidArgVal', `HTTP has at most ${limits.httpPortsMax} ports`)
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
