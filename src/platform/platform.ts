/**
 * What the service needs from the machine it runs on. A port that is absent is a capability that the device does not have:
 * GetServiceCapabilities says so, and its operations answer ActionNotSupported.
 */
export interface Platform {
  readonly identity: Identity
  readonly clock: Clock
  readonly storage: Storage
  readonly network: Network
  readonly power: Power
  readonly update: UpdateBackend
}

/** What is written on the type plate (Core 8.3.1), and what tells this device from every other (Core 7.3.1). */
export interface Identity {
  readonly manufacturer: string
  readonly model: string
  readonly serialNumber: string
  readonly hardwareId: string
  /** Stable over reboots, upgrades and factory defaults; without the `urn:uuid:`. */
  readonly uuid: string
}

export interface Clock {
  /** The device's idea of UTC, which may be wrong. Never used to measure a span. */
  now(): Date
  /** Milliseconds of a clock that only runs forward; its zero is arbitrary. */
  monotonicMs(): number
  /** Sets the device's UTC. */
  set(utc: Date): Promise<void>
  /** Runs `act` once after `delayMs` of monotonic time; the returned function calls it off. */
  after(delayMs: number, act: () => void): () => void
}

/**
 * The eight operations by which the upgrade path touches the disk, so that one test can cut the power at each of them.
 * Paths are absolute. Errors are Node's, with their `code`.
 */
export interface Storage {
  /** Makes the file, or empties it, and gives it this size (zeroes). */
  create(path: string, sizeBytes?: number): Promise<void>
  pwrite(path: string, offset: number, bytes: Uint8Array): Promise<void>
  /** When it returns, the bytes of the file survive a power cut. */
  fsync(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** When it returns, the names in the folder survive a power cut. */
  fsyncDir(path: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Fills `into` from `offset` on and returns what was filled of it: less at the end of the file. */
  read(path: string, offset: number, into: Buffer): Promise<Buffer>
  exists(path: string): Promise<boolean>
}

export interface Hostname {
  readonly name: string
  readonly fromDHCP: boolean
}

export interface NetworkInterface {
  readonly token: string
  readonly name: string
  /** Colon-separated, lower case. */
  readonly hwAddress: string
  readonly mtu: number
  readonly enabled: boolean
  readonly ipv4: { readonly fromDHCP: boolean; readonly addresses: readonly InterfaceAddress[] }
  readonly ipv6: { readonly addresses: readonly InterfaceAddress[] }
}

export interface InterfaceAddress {
  readonly address: string
  readonly prefixLength: number
}

export interface Network {
  hostname(): Promise<Hostname>
  setHostname(name: string): Promise<void>
  interfaces(): Promise<readonly NetworkInterface[]>
  dns(): Promise<{ readonly fromDHCP: boolean; readonly servers: readonly string[]; readonly searchDomains: readonly string[] }>
  /** Addresses or names of time servers. */
  ntp(): Promise<{ readonly fromDHCP: boolean; readonly servers: readonly string[] }>
  /** Everything back to what the factory set; hostname included. */
  reset(): Promise<void>
}

export interface Power {
  /** Orders the machine to restart. It returns when the order is given; the process may end any moment after. */
  reboot(reason: string): Promise<void>
  /** How long a restart takes from the order to the first answer: the longest of the last ones. */
  readonly bootTimeMs: number
}

/** A log that a person reads. Fields are data, never part of the text; none of them is ever a secret. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The two logs of Core 8.3.11, newest entries last, bounded by `limits.logBytesMax` each. */
export interface Logs {
  /** What the device did and what went wrong. */
  readonly system: Log
  /** Who asked for what, and what he got. */
  readonly access: Log
  read(type: 'System' | 'Access'): Promise<Buffer>
}

export type SlotId = string

export interface SlotInfo {
  readonly id: SlotId
  readonly running: boolean
  /** The last one that passed its self-check. */
  readonly confirmed: boolean
  /** What the next boot takes, as things stand. */
  readonly next: boolean
  /** Undefined where the slot holds no complete image. */
  readonly version: string | undefined
  readonly sha256: string | undefined
  readonly triesLeft: number
  /** The upgrade that put the image there, as long as it is not confirmed. */
  readonly transaction: string | undefined
}

/** What the signed head of an image says, once its signature has been verified. */
export interface ImageHead {
  readonly version: string
  readonly description: string
  readonly securityEpoch: number | undefined
  readonly signers: readonly string[]
  readonly payloads: readonly { readonly name: string; readonly role: string; readonly sha256: string }[]
}

export interface InstallContext {
  readonly transaction: string
  readonly signal: AbortSignal
  /** Called once, when the head has been verified and before anything is written. */
  onHead(head: ImageHead): void
}

/**
 * One way to put an image into the inactive slot and to boot it. Every method may be repeated; the order is
 * install → activate → reboot → confirm or reject. An image that is refused throws ImageError, a failing device BackendError.
 */
export interface UpdateBackend {
  readonly name: string
  /** The largest image that a slot can take. */
  readonly slotBytesMax: number
  slots(): Promise<readonly SlotInfo[]>
  /**
   * Verifies the head before the first payload byte is written, writes the inactive slot, makes it durable, reads it back and
   * records it. What `image` throws is thrown on. When it rejects, nothing of it is under way any more.
   */
  install(image: AsyncIterable<Uint8Array>, context: InstallContext): Promise<{ readonly target: SlotId; readonly head: ImageHead }>
  /** The one atomic step after which the next boot tries `target`. */
  activate(target: SlotId, transaction: string): Promise<void>
  /** The running slot is good: it is booted from now on. */
  confirm(transaction: string): Promise<void>
  /** The running slot is bad: the next boot takes the other one. The caller reboots. */
  reject(transaction: string): Promise<void>
  /** What the slot that does not run holds is worth nothing: it is not booted. */
  discard(): Promise<void>
}

/** First word of the answer to an image that is refused or fails. */
export type ImageReason =
  | 'format'
  | 'signature'
  | 'expired'
  | 'revoked'
  | 'hash'
  | 'compatible'
  | 'version'
  | 'epoch'
  | 'truncated'
  | 'nospace'
  | 'io'
  | 'busy'
  | 'lost'
  | 'timeout'
  | 'aborted'

/** The image is at fault: HTTP 415, or 413 where the reason is `nospace`: it is larger than a slot. */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly reason: ImageReason

  constructor(reason: ImageReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** The device is at fault: HTTP 500, or 503 where trying again later may help. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  readonly reason: ImageReason

  constructor(reason: ImageReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
