/** Every number that bounds something: bytes, milliseconds or a count, as its name says, and the reason for it. */
export const limits = {
  // SOAP requests
  /** The largest legitimate request is a certificate chain or a full scope list: well under 100 KB. */
  requestBytesMax: 1_048_576,
  /** The contract nests 12 deep at the most; WS-Security and WS-Addressing headers stay under 8. */
  xmlDepthMax: 40,
  /** Twice what the largest list that the device accepts needs. */
  xmlElementsMax: 20_000,
  /** The richest element of the contract has 21 attributes; namespace declarations come on top (some clients declare 25). */
  xmlAttributesMax: 64,
  /** Namespace declarations in force at one element: onvif-rx makes 25, and every prefix is looked up among them. */
  xmlNamespacesMax: 128,
  /** Longest name of the contract: 45 characters. */
  xmlNameCharactersMax: 256,
  /** The reason text of a fault quotes what the client sent; more than this helps nobody. */
  faultReasonCharactersMax: 400,

  // HTTP
  /** Node's own default; Authorization with SHA-256 takes about 500 bytes. */
  headerBytesMax: 16_384,
  /** A VMS keeps one or two connections per camera; 256 leaves room for a hundred of them. */
  connectionsMax: 256,
  /** A request head that takes longer is a slow attack. */
  headersTimeoutMs: 10_000,
  /** A whole SOAP request: 1 MB at 35 KB/s. */
  requestTimeoutMs: 30_000,
  /** Longer than the 4 s for which python-onvif-zeep-async keeps an idle connection. */
  keepAliveTimeoutMs: 15_000,
  /** How long running requests may go on when the device stops. */
  drainTimeoutMs: 2_000,

  // Log-in
  /** WSS UsernameToken Profile 1.1.1 recommends five minutes. */
  tokenWindowMs: 300_000,
  /** Tokens remembered against replay: 100 a second over twice the window, more is refused rather than forgotten. */
  tokensRememberedMax: 60_000,
  /** A server nonce of HTTP Digest: long enough for a session of a client, short enough to bound its table. */
  nonceLifetimeMs: 300_000,
  noncesMax: 10_000,
  /** Longest Authorization header: the Digest fields with a long user name and URI. */
  authorizationCharactersMax: 4_096,

  // Users
  usersMax: 32,
  userNameCharactersMax: 64,
  /** Core 8.4.4 recommends at least 28 bytes. */
  passwordCharactersMax: 128,
  passwordCharactersMin: 8,

  // Scopes
  scopesMax: 64,
  scopeCharactersMax: 512,

  // Settings
  /** RFC 1035 2.3.4: 255 bytes with the length bytes, hence 253 characters. */
  hostnameCharactersMax: 253,
  /** The longest zone of the tz database takes 45. */
  timeZoneCharactersMax: 128,

  // Uploads
  /** Time in which a client has to begin its upload after StartFirmwareUpgrade or StartSystemRestore. */
  ticketLifetimeMs: 600_000,
  /** Silence after which an upload counts as broken. */
  uploadIdleTimeoutMs: 60_000,
  uploadTotalTimeoutMs: 7_200_000,
  /** A broken connection may come back with the same URI this often. */
  uploadAttemptsMax: 3,
  /** A backup holds users, scopes and settings: kilobytes. */
  backupBytesMax: 4_194_304,

  // Logs
  /** Each of the two logs, in memory-friendly pieces: half is kept when it is full. */
  logBytesMax: 1_048_576,
} as const
