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
  /** Undefined where the machine does not tell how busy it is. */
  readonly processor: Processor | undefined
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
  /** Sets the device's UTC by its time servers, which from now on keep it right. Absent where the machine has no NTP. */
  synchronize?(): Promise<void>
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

/** An interface as it is set and as it came out. Its token says which one it is, for good. */
export interface NetworkInterface {
  readonly token: string
  readonly name: string
  /** Colon-separated, lower case. */
  readonly hwAddress: string
  /** Bytes. */
  readonly mtu: number
  readonly enabled: boolean
  /** Undefined for IEEE 802.11, which has no cable. */
  readonly link: { readonly set: Link; readonly operating: Link; readonly speedsMbps: readonly number[] } | undefined
  readonly ipv4: {
    readonly enabled: boolean
    readonly dhcp: boolean
    readonly manual: readonly InterfaceAddress[]
    /** What a DHCP server gave. */
    readonly fromDHCP: InterfaceAddress | undefined
    /** Whether a link-local address is wanted (RFC 3927), and which it is. */
    readonly zeroConfiguration: boolean
    readonly linkLocal: InterfaceAddress | undefined
  }
  readonly ipv6: {
    readonly enabled: boolean
    readonly acceptRouterAdvert: boolean
    readonly dhcp: DHCPv6Mode
    readonly manual: readonly InterfaceAddress[]
    readonly linkLocal: readonly InterfaceAddress[]
    readonly fromDHCP: readonly InterfaceAddress[]
    readonly fromRouterAdvert: readonly InterfaceAddress[]
  }
  /** The wireless networks that it may join; undefined for an interface with a cable. */
  readonly dot11: readonly Dot11Network[] | undefined
}

export interface Link {
  readonly autoNegotiation: boolean
  readonly speedMbps: number
  readonly duplex: 'Full' | 'Half'
}

/** Stateful is not among them: no platform has a DHCPv6 client that asks for addresses. */
export type DHCPv6Mode = 'Auto' | 'Stateless' | 'Off'

/** What a client wants of an interface, already checked. What is absent stays; a list replaces the whole list. */
export interface InterfaceChange {
  readonly enabled?: boolean | undefined
  readonly mtu?: number | undefined
  readonly link?: Link | undefined
  readonly ipv4?:
    | {
        readonly enabled?: boolean | undefined
        readonly dhcp?: boolean | undefined
        readonly manual?: readonly InterfaceAddress[] | undefined
        readonly zeroConfiguration?: boolean | undefined
      }
    | undefined
  readonly ipv6?:
    | {
        readonly enabled?: boolean | undefined
        readonly acceptRouterAdvert?: boolean | undefined
        readonly dhcp?: DHCPv6Mode | undefined
        readonly manual?: readonly InterfaceAddress[] | undefined
      }
    | undefined
  readonly dot11?: readonly Dot11Change[] | undefined
}

/** A wireless network by the name that the client gave it, its alias. The key goes in and never comes out. */
export interface Dot11Network {
  readonly alias: string
  /** The bytes of the name that is in the air, as lower-case hex digits. */
  readonly ssid: string
  /** 0 to 31; of the networks in reach, the one with the highest is joined. */
  readonly priority: number
  readonly security: { readonly mode: 'None' } | { readonly mode: 'PSK'; readonly cipher: 'CCMP' | 'Any' }
}

export interface Dot11Change extends Dot11Network {
  /** 64 hex digits, or a passphrase of 8 to 63 characters. Absent: the network of this alias keeps the one that it has. */
  readonly key?: string | undefined
}

/** An access point in reach. */
export interface Dot11Cell {
  readonly ssid: string
  readonly bssid: string
  readonly security: 'None' | 'PSK'
  readonly signal: 'Very Bad' | 'Bad' | 'Good' | 'Very Good'
}

/** IEEE 802.11 in station mode. Both throw for a token that is none of its interfaces. */
export interface Wifi {
  scan(token: string): Promise<readonly Dot11Cell[]>
  /** Undefined where the interface is in no network. */
  status(token: string): Promise<{ readonly cell: Dot11Cell; readonly alias: string } | undefined>
}

export interface Gateways {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

export interface InterfaceAddress {
  readonly address: string
  readonly prefixLength: number
}

/** Addresses of name servers, the one that is asked first in front. */
export interface NameServers {
  readonly fromDHCP: boolean
  readonly servers: readonly string[]
  readonly searchDomains: readonly string[]
}

/** Addresses or names of time servers. */
export interface TimeServers {
  readonly fromDHCP: boolean
  readonly servers: readonly string[]
}

/** Who keeps the entry of the device in DNS: nobody, the device (RFC 2136), or its DHCP server (RFC 4702). */
export interface DynamicDns {
  readonly type: 'NoUpdate' | 'ClientUpdates' | 'ServerUpdates'
  readonly name?: string | undefined
  /** As xs:duration. */
  readonly ttl?: string | undefined
}

export interface Network {
  hostname(): Promise<Hostname>
  /** This name, and no longer the one of DHCP. */
  setHostname(name: string): Promise<void>
  /** The name that DHCP gives, or again the last one that was set. */
  setHostnameFromDHCP(fromDHCP: boolean): Promise<{ readonly rebootNeeded: boolean }>
  /** The one by which the device is reached comes first. */
  interfaces(): Promise<readonly NetworkInterface[]>
  /** Durable when it returns. `rebootNeeded`: in force only after a reboot, until which the device is reached as before (Core 8.2.11). */
  setInterface(token: string, change: InterfaceChange): Promise<{ readonly rebootNeeded: boolean }>
  gateways(): Promise<Gateways>
  setGateways(gateways: Gateways): Promise<void>
  /** Undefined where no interface is an IEEE 802.11 one. */
  readonly wifi: Wifi | undefined
  /** What is in force: with `fromDHCP` what DHCP gave. */
  dns(): Promise<NameServers>
  /** With `fromDHCP` there are no servers of one's own; without search domains of one's own those of DHCP are taken. */
  setDns(wanted: NameServers): Promise<void>
  ntp(): Promise<TimeServers>
  setNtp(wanted: TimeServers): Promise<void>
  /** The time servers that DHCP gives, whether they are used or not. */
  ntpFromDHCP(): Promise<readonly string[]>
  dynamicDns(): Promise<DynamicDns>
  setDynamicDns(wanted: DynamicDns): Promise<void>
  /** Everything back to what the factory set; hostname included. */
  reset(): Promise<void>
}

export interface Power {
  /** Orders the machine to restart. It returns when the order is given; the process may end any moment after. */
  reboot(reason: string): Promise<void>
  /** How long a restart takes from the order to the first answer: the longest of the last ones. */
  readonly bootTimeMs: number
}

export interface Processor {
  /** What all cores together have spent since some moment in the past, and how much of it they were busy. */
  times(): { readonly busyMs: number; readonly totalMs: number }
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
  /** A moment that had passed when it was built. */
  readonly buildTime?: Date | undefined
  readonly signers: readonly string[]
  readonly payloads: readonly Payload[]
}

/** One file of an image, as the signed head names it. */
export interface Payload {
  /** Name in the image; never a path. */
  readonly name: string
  /** What it is for; which place of the slot that is, is the device's choice. */
  readonly role: string
  /** Of the file as it stands in the image. Lower-case hexadecimal. */
  readonly sha256: string
  /** Of this file, where it has a version of its own. */
  readonly version: string | undefined
  readonly compression: 'none' | 'gzip'
}

export interface InstallContext {
  readonly transaction: string
  readonly signal: AbortSignal
  /** Called once, when the head has been verified and before anything is written. */
  onHead(head: ImageHead): void
  /** How far the installation is, 0 to 100, for an engine that knows it better than the count of received bytes. */
  onProgress(percent: number): void
  /** An engine that activates with the installation waits for this before it lets that happen. */
  beforeActivation(): Promise<void>
}

/**
 * The lowest security epoch that may still be installed, kept where no disk image can take it back: the NV index of a TPM, the
 * RPMB of an eMMC, fuses. It stands beside the one of the boot record, and the higher of the two counts. It is raised when a
 * slot is confirmed, never before: a new image that has to be given up must not shut out the old one.
 */
export interface AntiRollbackStore {
  /** 0 where nothing was ever raised. Throws where it cannot be read, and then nothing is installed. */
  lowest(): Promise<number>
  /** Durable when it returns. Repeated, or with less than is there, it changes nothing. */
  raise(epoch: number): Promise<void>
}

/** Of the two copies of the boot record: `half` where one is damaged, `lost` where both are. */
export type RecordState = 'whole' | 'half' | 'lost'

/**
 * One way to put an image into the inactive slot and to boot it. Every method may be repeated; the order is
 * install → activate → reboot → confirm or reject. An image that is refused throws ImageError, a failing device BackendError.
 */
export interface UpdateBackend {
  readonly name: 'builtin' | 'swupdate' | 'rauc'
  /** The largest upload that can be worth taking: everything that a slot holds, and the head of the image. */
  readonly imageBytesMax: number
  /** Whether an installation can be broken off; if not, `install` goes on when its signal is aborted. */
  readonly canAbort: boolean
  /** Ends, or waits for, what an earlier start left under way. Called once, before anything is changed. */
  recover(): Promise<void>
  slots(): Promise<readonly SlotInfo[]>
  record(): Promise<RecordState>
  /**
   * Verifies the head before the first payload byte is written, writes the inactive slot, makes it durable, reads it back and
   * records it. The pieces of `image` are given away with their memory. What it throws is thrown on. When `install` rejects,
   * nothing of it is under way any more.
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
