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
  /** A MessageID goes back as RelatesTo: 45 characters where it is a urn:uuid. */
  messageIdCharactersMax: 1_024,
  /** So do the reference parameters of an address, with every message to it: an id or two, with their namespaces. */
  referenceParametersCharactersMax: 4_096,
  /** The reason text of a fault quotes what the client sent; more than this helps nobody. */
  faultReasonCharactersMax: 400,

  // MTOM
  /** A backup in a message of its own, or in base64, with the envelope around it. */
  packageBytesMax: 6_291_456,
  /** As many of those are in memory at a time; the envelope, which says who sends them, is part of the message. */
  packagesMax: 4,
  /** The envelope and one attachment; a backup of another maker may have a few files. */
  partsMax: 32,
  /** Three or four headers of a part. */
  partHeadBytesMax: 4_096,

  // Attachments that are passed on while they arrive
  /** The largest image (cpio ends below 4 GiB) in base64 with a line break after every 76 characters. */
  arrivingBytesMax: 6_442_450_944,
  /** A text of nothing but base64 that is as long is an attachment: a certificate chain takes 10 KB. */
  inlineTextBytesMin: 65_536,
  /** How often a message that grows is searched for such a text. */
  inlineSearchBytes: 16_384,
  /** The end tags behind it: five, with their line breaks. */
  inlineTailBytesMax: 4_096,

  // HTTP
  /** Node's own default; Authorization with SHA-256 takes about 500 bytes. */
  headerBytesMax: 16_384,
  /** On all ports together: a thousand held open by those who wait for events, and some hundred more; each takes 25 KB. */
  connectionsMax: 1_536,
  /** What one source may have, as a multiple of what is left for everybody: three quarters for one alone, and never the last one. */
  connectionShare: 3,
  /** Of the files that the process may have open; the rest is for slots, settings, logs and programs. */
  descriptorShare: 0.5,
  /** Requests that wait for the answer to an earlier one to go out on their connection, whose own answers take 100 KB each. */
  pipelinedMax: 4,
  /** A client that waits for events and has vanished without a word is asked after by TCP, and given up ten seconds later. */
  keepAliveMs: 30_000,
  /** A request head that takes longer is a slow attack. */
  headersTimeoutMs: 10_000,
  /** A whole SOAP request: 1 MB at 35 KB/s. */
  requestTimeoutMs: 30_000,
  /** Bodies of all requests in memory whose senders are not known yet, one message with attachments of each kind and some more. */
  bodiesBytesMax: 33_554_432,
  /** Bodies up to this are not counted: ordinary requests have 1 to 5 KB, so that a crowd of large ones keeps nobody else out. */
  bodyFreeBytes: 16_384,
  /** The Retry-After of a 503 for want of that: large bodies have come or gone by then. */
  bodyRetryAfterSeconds: 10,
  /** A connection on which nothing moves, idle or not. Longer than the 4 s for which python-onvif-zeep-async keeps an idle one. */
  silenceTimeoutMs: 30_000,
  /** How long running requests may go on when the device stops. */
  drainTimeoutMs: 2_000,
  /** After a TLS alert: until the client has read it, and closes by itself. */
  alertLingerMs: 500,
  /** How often a port that is being given up is looked over for connections that have become idle. */
  idleCheckMs: 250,
  /** A name of DNS, or an IPv6 literal, with its port. */
  hostCharactersMax: 262,
  /** Clients reach a device by a handful of names and addresses. */
  originsRememberedMax: 64,
  /** After an early answer the rest of the body is read and forgotten: as much as the largest image (cpio ends below 4 GiB), … */
  lingerBytesMax: 4_294_967_296,
  /** … until the client is silent this long (one that waits for `100 Continue` in vain sends nothing), … */
  lingerIdleTimeoutMs: 5_000,
  /** … or slower than this, after that time: no network by which images are sent, … */
  lingerBytesPerSecondMin: 16_384,
  /** … and no longer than half a gigabyte takes at 1 MB/s. */
  lingerTotalTimeoutMs: 600_000,

  // Log-in
  /** WSS UsernameToken Profile 1.1.1 recommends five minutes. */
  tokenWindowMs: 300_000,
  /** Longest part of a UsernameToken: names, digests and times stay under 100, the nonces of some clients do not. */
  tokenTextCharactersMax: 1_024,
  /** Tokens remembered against replay: 400 a second over twice the window, 25 MB; more is refused rather than forgotten. */
  tokensRememberedMax: 250_000,
  /** Tokens of one generation, kept beyond the window against a clock that is set back: at one a second nine hours, and 4 MB. */
  tokensKept: 32_768,
  /** Spans of time in which forgotten tokens were made: one for each time that the clock was elsewhere, and room for quiet days. */
  tokenSpansMax: 64,
  /** A process takes longer to start, so a token that is ahead of the clock by no more lies before the next start. NTP keeps clocks closer. */
  tokenAheadMs: 100,
  /** A client whose clock is ahead by more costs one sync of the disk in this time; after a power cut tokens are doubted for as much longer. */
  tokenMarkStepMs: 30_000,
  /** A server nonce of HTTP Digest: long enough for a session of a client, short enough to bound its table. */
  nonceLifetimeMs: 300_000,
  /** Nonces that were used, about 100 bytes each; where there are more, the oldest are refused as stale. */
  noncesMax: 10_000,
  /** How far a request may come in behind a later one with the same nonce: parallel connections, in the bits of one word. */
  nonceCountsMax: 32,
  /** Wrong passwords from one address that cost no time: a person's typing errors, a client's first round. */
  guessesFree: 3,
  /** The pause between attempts from an address after those: it doubles with every wrong password … */
  guessPauseMinMs: 250,
  /** … up to this: 21,600 guesses a day, and shorter than what clients wait for an answer. Whoever would wait longer is refused. */
  guessPauseMaxMs: 4_000,
  /** As many as the pause needs to grow to its longest. */
  guessesCountedMax: 8,
  /** An address that gave no wrong password for so long begins anew. */
  guessMemoryMs: 600_000,
  /** Addresses remembered, about 500 bytes each; the one that has been quiet for longest makes room. */
  guessSourcesMax: 1_000,
  /** Attempts of all addresses that wait for their turn, each with a request of up to 1 MB. */
  guessesWaitingMax: 64,
  /** Longest Authorization header: the Digest fields with a long user name and URI. */
  authorizationCharactersMax: 4_096,
  /** A JSON Web Token with a dozen roles takes 1,000; the head of a request has room for this and little more. */
  bearerCharactersMax: 12_288,
  /** How far the clocks of an issuer and of the device may be apart. */
  jwtSkewSeconds: 60,
  /** The own one, the old one while it is replaced, and a few partners. */
  jwtIssuersMax: 8,
  /** Keys of one issuer: the present one, the next, and some for other uses. */
  jwtKeysMax: 16,
  /** A file of issuers, or the keys of one, or what one says of itself. */
  jwtFileBytesMax: 262_144,
  /** Names of the device and of groups that it belongs to. */
  jwtAudiencesMax: 32,
  /** Claims that a token needs beside the usual ones, and the values of each. */
  jwtClaimsMax: 16,
  /** Groups or sites that one device belongs to. */
  jwtClaimValuesMax: 32,
  /** An audience, or the name or a value of a claim. */
  jwtTextCharactersMax: 256,
  /** An issuer that changes its keys publishes the new one in good time; one that takes a key back wants to be heard. */
  jwtKeysFreshMs: 600_000,
  /** As long as the issuer cannot be reached. */
  jwtKeysStaleMaxMs: 3_600_000,
  /** So that tokens with invented keys do not make the device ask all the time. */
  jwtFetchPauseMs: 30_000,
  /** A log-in waits for it, twice at most. */
  jwtFetchTimeoutMs: 5_000,

  // Authorization servers
  /** One for each storage configuration. */
  authorizationServersMax: 8,
  /** Identifiers of clients, their secrets, and scopes; what servers of large clouds give away takes some hundred. */
  authorizationTextCharactersMax: 1_024,
  /** RFC 7518 3.2: as many bytes as HMAC with SHA-256 gives. */
  hmacSecretBytesMin: 32,

  // Users
  /** The people and programs that one device serves. */
  usersMax: 32,
  /** A mail address of ordinary length, which is what long user names are. */
  userNameCharactersMax: 64,
  /** Core 8.4.4 recommends at least 28 bytes. */
  passwordCharactersMax: 128,
  /** NIST SP 800-63B (revision 3) 5.1.1.2 asks for as many. */
  passwordCharactersMin: 8,
  /** The longest minimum that a client can ask for: half of what fits, so that there is always a password that obeys every rule … */
  passwordMinLenMax: 64,
  /** … with as many as this of each of three kinds. */
  passwordKindMax: 16,
  /** Passwords of a user that cannot come again, the present one counted: a year or two of changes every month. */
  passwordHistoryMax: 24,
  /** The three that ONVIF defines counted (Core 8.4.10). */
  userRolesMax: 16,
  /** As long as the name of a user. */
  userRoleCharactersMax: 64,
  /** Seven access classes with up to three levels each, written with room. */
  accessPolicyBytesMax: 16_384,
  /** Name and password on another device, which has its own limits. */
  remoteUserCharactersMax: 256,
  /** Failed log-ins that are worth a warning, and the time in which they come: from a person's second slip to a slow guesser's day. */
  authFailuresMax: 1_000,
  /** A day. */
  authFailurePeriodSecondsMax: 86_400,

  // Scopes
  /** Fixed and configurable ones together; devices have ten, large installations some more. */
  scopesMax: 64,
  /** A URI with a name or a place, of which each character may take nine when it is escaped. */
  scopeCharactersMax: 512,

  // Discovery
  /** WS-Discovery 2.4: a Hello or ProbeMatches waits a random time up to this, so that not all devices speak at once. */
  discoveryDelayMaxMs: 500,
  /** The largest probes come from programs that declare every namespace of ONVIF: 5 KB. */
  discoveryPacketBytesMax: 8_192,
  /** Such a message nests 5 deep and has about ten elements; those programs declare some 60 prefixes. */
  discoveryDepthMax: 10,
  /** Six times as many as a probe with all its headers has. */
  discoveryElementsMax: 64,
  /** Twice as many as those programs declare. */
  discoveryNamespacesMax: 128,
  /** Sent back in the answer; a UUID takes 45. */
  discoveryMessageIdCharactersMax: 256,
  /** An answer names the scopes that fit; GetScopes has all. Ordinary devices have ten, of 50 characters each. */
  discoveryScopesCharactersMax: 4_096,
  /** Answers to one source: as many as a few programs on one machine ask for at once, … */
  discoveryAnswersBurst: 20,
  /** … then this many a second. A forged sender gets no more of our answers than that. */
  discoveryAnswersPerSecond: 2,
  /** All sources together, for whoever forges many. */
  discoveryAnswersBurstOfAll: 200,
  /** … and then this many a second. */
  discoveryAnswersPerSecondOfAll: 50,
  /** Sources remembered, about 150 bytes each; the one that asked least lately makes room. */
  discoverySourcesMax: 1_000,
  /** SOAP over UDP repeats a message up to four times within this (MULTICAST_UDP_REPEAT, UDP_UPPER_DELAY); a person presses again later. */
  discoveryRepeatMs: 2_000,
  /** Questions remembered meanwhile: all that may be answered in this time. */
  discoveryRepeatsMax: 400,
  /** How often the addresses of the machine are looked at. */
  discoveryAddressPollMs: 2_000,
  /** Network interfaces on which discovery is heard, and addresses of each that it names. */
  discoveryLinksMax: 32,
  /** … of both families, with some of each scope. */
  discoveryAddressesMax: 8,

  // Events
  /** Properties of one topic that are alive: as many as relays. */
  eventPropertiesMax: 64,
  /** Pull points of one user; a VMS has one or two, and a client that was cut off leaves one behind. Without a connection one takes 3 KB, … */
  eventPullPointsPerUserMax: 1_024,
  /** … and all users together, so that one user does not take them all. */
  eventPullPointsMax: 2_048,
  /** Consumers to which the device delivers; each may cost a connection. */
  eventConsumersMax: 32,
  /** Messages that wait for a reader: four minutes of an upgrade at one a second; the oldest makes room. */
  eventQueueMax: 256,
  /** Messages of one answer, about 1 KB each; what is left over comes with the next. */
  eventMessagesMax: 100,
  /** The longest expression that means something names every topic: 600 characters. */
  topicExpressionCharactersMax: 4_096,
  /** A life that is shorter is made so long (WS-BaseNotification 4.2 allows it): a first pull has to be in time. */
  eventLifeMinMs: 10_000,
  /** What a pull leaves beyond its own timeout: a client may pull without waiting, and every minute. */
  eventPullGraceMs: 60_000,
  /** Where the client does not say. */
  eventLifeDefaultMs: 600_000,
  /** A subscription whose reader has vanished costs no more than a day. */
  eventLifeMaxMs: 86_400_000,
  /** Core 9.2.2 asks for a minute at least; most clients take between 5 and 60 seconds. */
  eventPullTimeoutMaxMs: 600_000,
  /** Before a reboot, for those who are between two pulls: a request and its answer, on a slow network. */
  eventLastWordsMs: 1_000,
  /** A client that has not pulled for so long is not waited for. */
  eventAttentiveMs: 30_000,
  /** One delivery, from the connection to the answer. */
  eventDeliveryTimeoutMs: 10_000,
  /** What a consumer answers is of no interest but for its status; a SOAP fault takes 2 KB. */
  notifyAnswerBytesMax: 65_536,
  /** The pause after a failed one: it doubles with every further one … */
  eventRetryPauseMinMs: 1_000,
  /** … up to this. */
  eventRetryPauseMaxMs: 60_000,
  /** Failures in a row after which the subscription ends: four minutes, in which a consumer can be restarted. */
  eventDeliveryFailuresMax: 8,

  // State
  /** A process that was just ended may hold the lock of the state for another moment. */
  storeLockTimeoutMs: 1_000,

  // Settings
  /** RFC 1035 2.3.4: 255 bytes with the length bytes, hence 253 characters. */
  hostnameCharactersMax: 253,
  // Network interfaces
  /** A recorder with four ports, two radios and some to spare. */
  interfacesMax: 8,
  /** Settings of interfaces that the device had once are kept: they may be there again after the next start. */
  interfacesStoredMax: 64,
  /** Manual addresses of one interface and family, and wireless networks. */
  interfaceAddressesMax: 16,
  /** Networks between which a device moves. */
  dot11NetworksMax: 8,
  /** Default gateways of one family. */
  gatewaysMax: 4,
  /** Every IPv4 host takes a datagram of this size (RFC 791 3.1); no link in use today has less. */
  mtuBytesMin: 576,
  /** RFC 8200 5. */
  mtuBytesMinIPv6: 1_280,
  /** Jumbo frames as switches carry them. */
  mtuBytesMax: 9_000,
  /** The largest MSDU (IEEE 802.11 9.2.4.8). */
  mtuBytesMaxDot11: 2_304,

  /** The longest zone of the tz database takes 45. */
  timeZoneCharactersMax: 128,

  // Network services
  /** The resolvers of most systems ask three; no network has more than a handful. */
  nameServersMax: 4,
  /** What resolv.conf took for decades. */
  searchDomainsMax: 6,
  /** Four are what it takes to outvote one that is wrong (RFC 5905 11.2.1 calls it a falseticker). */
  timeServersMax: 4,
  /** RFC 2181 8: 31 bits. */
  dnsTtlSecondsMax: 2_147_483_647,
  /** The usual one, an alternative, and two to spare; `connectionsMax` is for all of them together. */
  httpPortsMax: 4,
  /** Ranges of the address filter, IPv4 and IPv6 together: every connection is held against all of them. */
  addressFilterMax: 64,

  // Location, relays, storage
  /** The device and a few sources. */
  geoLocationsMax: 16,
  /** As many as the largest I/O boxes have. */
  relaysMax: 64,
  /** A day: what is to last longer is bistable. */
  relayDelayMsMax: 86_400_000,
  /** ONVIF names four; the rest is for names of the maker’s own. */
  auxiliaryFunctionsMax: 32,
  /** Local places, network shares and clouds of one recorder. */
  storageConfigurationsMax: 8,
  /** Regions, paths and user names of a storage place, … */
  storageTextCharactersMax: 1_024,
  /** … and its passwords and tokens: a SAS of Azure takes about 300, a JSON Web Token up to 8,000. */
  storageSecretCharactersMax: 8_192,
  /** Discovery proxies that a device asks. */
  discoveryProxiesMax: 4,
  /** Any address that a client may set; browsers and servers take about as much. */
  uriCharactersMax: 2_048,

  // Uploads
  /** Time in which a client has to begin its upload after StartFirmwareUpgrade or StartSystemRestore. */
  ticketLifetimeMs: 600_000,
  /** Silence after which an upload counts as broken. */
  uploadIdleTimeoutMs: 60_000,
  /** 4 GiB, the largest image in cpio, at 600 KB/s. */
  uploadTotalTimeoutMs: 7_200_000,
  /** The largest image that an operator can allow: what two hours take at 150 MB/s. */
  uploadBytesMax: 1_099_511_627_776,
  /** The Retry-After of a 503: what BMCs say. */
  uploadRetryAfterSeconds: 30,
  /** A broken connection may come back with the same URI this often. */
  uploadAttemptsMax: 3,
  /** A client that sends nothing at all after its request head. */
  uploadFirstByteTimeoutMs: 30_000,
  /** Below this average, counted over the time in which the device waited for the client, an upload is an attack or hopeless. */
  uploadBytesPerSecondMin: 1_024,
  /** The average means nothing before. */
  uploadRateGraceMs: 120_000,
  /** How often a running upload is looked at. */
  uploadCheckMs: 1_000,
  /** Tickets remembered after their end, so that they answer 410 and not 404. */
  ticketsRetiredMax: 16,
  /** A backup holds users, scopes and settings: kilobytes. */
  backupBytesMax: 4_194_304,
  /** RFC 7914: 32 MB and a tenth of a second for each try at the passphrase of a backup. */
  backupScryptCost: 32_768,
  /** It guards a file that can be tried in peace: four random words, or twelve random characters. */
  backupPassphraseCharactersMin: 12,
  /** Devices that a backup went through, each of which left the key of its secrets. */
  foreignKeysMax: 16,

  // Time
  /** The longest delay that setTimeout takes. */
  timerMsMax: 2_147_483_647,

  // Firmware images
  /** An image of a product with many parts has about ten files. */
  imageEntriesMax: 64,
  /** A file name inside of an image, with its NUL; names are never paths. */
  imageNameBytesMax: 256,
  /** JSON with a few hundred bytes for each file. */
  imageDescriptionBytesMax: 1_048_576,
  /** A few signers with their chains, 2 KB for each certificate. */
  imageSignatureBytesMax: 65_536,
  /** Zeroes after the trailer: cpio fills its last block, 512 bytes unless told otherwise. */
  imagePaddingBytesMax: 65_536,
  /** A version of semver with a long name of the build. */
  imageVersionCharactersMax: 128,
  /** A maker, an integrator, an operator, and as many again while keys are changed. */
  imageSignersMax: 8,
  /** Two for each of those. */
  imageCertificatesMax: 16,
  /** Certificates between leaf and root, both counted. */
  certificatePathMax: 6,
  /** A certificate nests 15 deep and has some hundred nodes. */
  derDepthMax: 40,
  /** Some ten times what a signature with all its certificates has. */
  derNodesMax: 10_000,
  /** A CRL with some ten thousand entries: far more signers than any firmware ever had. */
  revocationNodesMax: 50_000,
  /** One for every CA, and the one before. */
  revocationListsMax: 32,
  /** `sw-description` in libconfig: SWUpdate's own nest 8 deep, … */
  libconfigDepthMax: 32,
  /** … and have some ten settings for each file. */
  libconfigValuesMax: 10_000,
  /** A role is a word. */
  imageRoleCharactersMax: 32,

  // Keystore: more than the minimums of Security 5.5.7.7, for a recorder with several names and networks
  /** Key pairs with a private key; a rotation of every one of them, while the old ones are still in use. */
  keysMax: 64,
  /** Own ones with what stands above them, and trust anchors. */
  certificatesMax: 128,
  /** One for each name and network, and those that replace them. */
  certificationPathsMax: 32,
  /** Certificates of one path; three is the rule. */
  certificationPathLengthMax: 10,
  /** With the largest of everything a backup has to stay below `backupBytesMax`. */
  crlsMax: 8,
  /** One for each network and file that is imported. */
  passphrasesMax: 32,
  /** Security 5.5.7.7 asks for 40 characters. */
  passphraseCharactersMax: 128,
  /** One for each kind of peer. */
  validationPoliciesMax: 16,
  /** Of one policy: the CAs of several makers and sites. */
  trustAnchorsMax: 32,
  /** One for each name under which clients come. */
  tlsPathsMax: 8,
  /** Each is tried in turn, with every handshake. */
  tlsPoliciesMax: 8,
  /** One for each interface, or network. */
  dot1xConfigurationsMax: 8,
  /** Outer and inner method; three would be a chain that no supplicant knows. */
  dot1xStagesMax: 2,
  /** An alias, or a name of a person or host; 253 characters are the longest name of DNS. */
  keystoreTextCharactersMax: 256,
  /** tas:KeyID and the other identifiers; what clients of the Device service choose is bounded like them. */
  keystoreIdCharactersMax: 64,
  /** A certificate with a hundred names takes 4 KB; a chain of three EC certificates 2 KB. */
  certificateBytesMax: 8_192,
  /** An RSA key of 4096 bits takes 2.4 KB, encrypted as well. */
  privateKeyBytesMax: 16_384,
  /** A key and the ten certificates of the longest path, with room. */
  pkcs12BytesMax: 65_536,
  /** Twice the key and certificates of the longest path. */
  pkcs12BagsMax: 32,
  /** About 1,600 revoked certificates: what is read in 40 ms. */
  crlBytesMax: 49_152,
  /** … with room for those that have extensions. */
  crlNodesMax: 20_000,
  /** People use five or six. */
  certificateSubjectPartsMax: 32,
  /** The richest certificates have about fifteen. */
  certificateExtensionsMax: 32,
  /** Shorter ones are within reach of whoever wants to forge (NIST SP 800-131A). */
  rsaBitsMin: 2_048,
  /** Longer ones make a verification a matter of seconds. */
  rsaBitsMax: 8_192,
  /** Of the device's own: what is done with them takes the cube of their length. */
  privateRsaBitsMax: 4_096,
  /** Rounds of PBKDF2 in one file: OWASP recommends 600,000; they run on another thread, half a second for a million. */
  pbkdf2RoundsMax: 2_000_000,
  /** Rounds of the derivation in PKCS #12 (RFC 7292 B.2), which runs on the event loop: 18 ms. Java takes 10,000, OpenSSL 2,048. */
  pkcs12RoundsMax: 10_000,
  /** Key pairs made at the same time: the other cores are for the clients. */
  keyGenerationsMax: 1,

  // Firmware slots
  /** A slot of the virtual device: room for the root file system of a camera or recorder. */
  virtualSlotBytesMax: 1_073_741_824,
  /** Its application: a quarter of that. */
  virtualAppBytesMax: 268_435_456,
  /** A boot record of a machine; U-Boot's environments have 8 to 128 KB. */
  bootRecordBytesMax: 1_048_576,
  /** A path of Linux (PATH_MAX), and every other text of a machine file. */
  machineTextCharactersMax: 4_096,
  /** One write: large enough that calls do not count, small enough that three of them are nothing. */
  slotChunkBytes: 262_144,
  /** Made durable, read back and compared together, while the next bytes arrive; kept in memory until then, twice at the most. */
  slotSyncBytes: 4_194_304,
  /** What fw_printenv and U-Boot use by habit. */
  bootRecordBytes: 8_192,
  /** Boots that a new image gets to prove itself. */
  bootTriesMax: 3,

  // Engines that are other programs
  /** An engine that does nothing and says nothing for so long is given up; one that erases a large flash is silent for minutes. */
  engineSilentTimeoutMs: 600_000,
  /** The largest image on the slowest flash. */
  engineTotalTimeoutMs: 3_600_000,
  /** An engine that is told to break off ends its present write, and says so. */
  engineStopTimeoutMs: 10_000,
  /** SWUpdate has its sockets after some 30 ms. */
  engineStartTimeoutMs: 10_000,
  /** Less than that start takes, so that no time is lost. */
  engineStartPollMs: 20,
  /** Questions for the state of an installation: each costs the engine one connection. */
  enginePollMs: 50,
  /** Reasons of one failed installation, and what an engine that does not start said last. */
  engineComplaintsMax: 32,
  /** … the last page of it. */
  engineOutputCharactersMax: 4_096,
  /** Whether an engine is there at all. */
  engineProbeTimeoutMs: 3_000,

  // RAUC
  /** D-Bus waits so long for an answer unless it is told otherwise. */
  busAnswerTimeoutMs: 25_000,
  /** CVE-2026-34155: from there on RAUC verifies only a part of a plain bundle. */
  raucPlainBytesMax: 2_147_483_648,
  /** How long RAUC may say nothing before it is asked whether it still installs. */
  raucSilenceMs: 10_000,

  // Processor
  /** A look takes a fifth of a millisecond on two cores, and more on more. */
  processorLookMs: 10_000,
  /** Enough of the host's ticks, which are of 10 ms, for a first value. */
  processorFirstLookMs: 1_000,
  /** What differs by less is no news. */
  processorStepPercent: 5,

  // Firmware upgrade
  /** Whoever watches an upgrade learns once a second how far it is: as often as a person looks. */
  progressTellingMs: 1_000,
  /** Restarts of one upgrade: three tries, the way back, and two for mishaps. */
  upgradeBootsMax: 6,
  /** A reboot that was ordered happens within this time, or is ordered again. */
  rebootDeadlineMs: 60_000,
  /** How often the device tries to take an image out of the boot record that was refused after the record was written: a disk that takes nothing may recover. */
  discardRetryMs: 5_000,
  /** Share added to the measured boot time in ExpectedDownTime. */
  downTimeMargin: 0.2,
  /** Years of a product's life. */
  upgradeHistoryMax: 200,
  /** Those, each with a long reason and eight signers. */
  historyBytesMax: 524_288,
  /** The clock of a device is not doubted where it is behind that of a build machine by less than a day. */
  clockDoubtMs: 86_400_000,
  /** How long an upload waits for its installation before it is told that it goes on. */
  uploadAnswerHoldMs: 300_000,
  /** A device that goes down waits so long for a write of the boot record. */
  activationWaitMs: 2_000,
  /** A start waits so long for the verdict on a new image, where that can be had at once. */
  resumeWaitMs: 10_000,
  /** Snapshot of all settings before a new image is activated: kilobytes; the longest lists that clients can set take about 2 MB. */
  settingsBytesMax: 16_777_216,
  /** The line in front of it: a slot, a transaction and a digest. */
  settingsHeadBytesMax: 1_024,
  /** Given up where the disk is full, so that the journal can still be written: some hundred times what that takes. */
  journalReserveBytes: 262_144,

  // Trial of a new image
  /** Pause before checks that failed are done again: a service that is late gets dozens of chances before the deadline. */
  healthRetryMs: 5_000,
  /** One check that does not say otherwise: longer than one call of the own client may take. */
  healthCheckTimeoutMs: 30_000,
  /** One program of the health hooks, … */
  healthHookTimeoutMs: 10_000,
  /** … its output after its end, … */
  healthHookLastWordsMs: 250,
  /** … what it may write, of which the end is logged when it fails, … */
  healthHookOutputBytesMax: 65_536,
  /** … half a page of it, … */
  healthHookLoggedCharactersMax: 2_048,
  /** … and how many there may be: together they take less than the deadline of five minutes. */
  healthHooksMax: 16,
  /** A reboot command that has not failed by then has been accepted. */
  rebootCommandTimeoutMs: 2_000,
  /** Restarts whose time is remembered, … */
  bootTimesMax: 5,
  /** … if they took no longer than this; otherwise the clock was set meanwhile, or the machine was switched off. */
  bootTimeMsMax: 1_800_000,

  /** What went wrong, for a person; it may quote the image. */
  failureDetailCharactersMax: 400,
  /** A transaction takes about a kilobyte. */
  journalBytesMax: 65_536,

  // Logs
  /** Each of the two logs, in memory-friendly pieces: half is kept when it is full. */
  logBytesMax: 1_048_576,
  /** Lines of the access log are written together, because one write for each request would cost as much as the request. */
  logDelayMs: 200,
  /** … and no more than this waits: about a hundred requests. */
  logWaitingCharactersMax: 16_384,
  /** What a client sent may be long and deep; a line of the log stays readable. */
  logFieldCharactersMax: 4_096,
  /** … of a list or an object, … */
  logFieldEntriesMax: 100,
  /** … and of what is nested. */
  logFieldDepthMax: 5,
  /** A line with a few fields of the greatest length, and an error with its causes. */
  logLineCharactersMax: 65_536,
  /** Names of fields that need not be judged again whether they are secret; the code has some sixty. */
  logFieldNamesRememberedMax: 500,

  // Client
  /** One call from connecting to the last byte of the answer; a slow camera takes a few seconds. */
  clientTimeoutMs: 20_000,
  /** The largest honest answer is a system log inside of a SOAP message. */
  clientAnswerBytesMax: 16_777_216,
  /** A host that does not take the connection by then is another host than the one meant, or none. */
  clientConnectTimeoutMs: 10_000,
  /** How long an upload waits for `100 Continue` before it sends the image anyway (RFC 9110 10.1.1: not for ever). */
  clientContinueTimeoutMs: 3_000,
  /** The device verifies and writes the whole image before it answers the upload. */
  clientInstallTimeoutMs: 900_000,
  /** How often the client goes on with an upload that broke: as often as the device keeps it. */
  clientResumesMax: 3,
  /** Pause between two questions where to go on. */
  clientResumePauseMs: 1_000,
  /** How long a device may be out of reach after the connection broke, … */
  clientResumeAwayMs: 15_000,
  /** … and how long it may take to notice that: its own patience with a silent upload, and some more. */
  clientResumeBusyMs: 90_000,
  /** A device that asks for a longer UploadDelay than this means something else. */
  clientUploadDelayMaxMs: 3_600_000,
  /** What is assumed where a device does not say how long it is away. */
  clientDownTimeMs: 120_000,
  /** ExpectedDownTime is an estimate (Core 8.3.9): the client waits this many times as long, within the bounds that follow. */
  clientDownTimeFactor: 4,
  /** A device that says too little: two minutes. */
  clientDownTimeMinMs: 120_000,
  /** A device that says too much: an hour. */
  clientDownTimeMaxMs: 3_600_000,
  /** Bare or with an old nonce, with the challenge answered, with a stale nonce replaced: nothing is gained by a fourth time. */
  clientLoginAttemptsMax: 3,
  /** A device that booted with other passwords must not be asked until it locks the account. */
  clientRefusalsMax: 3,
  /** Pause between two questions whether the device is back. */
  clientPollMs: 250,
  /** How long a pull waits for events. A device that vanished without a word is missed by the end of it. */
  clientPullMs: 20_000,
  /** More wait for the next pull. */
  clientPullMessagesMax: 100,
  /** How long a device keeps the subscription of a client that pulls no more. */
  clientSubscriptionMs: 120_000,
  /** A subscription that would end this soon after the next pull is renewed before it. */
  clientRenewMarginMs: 10_000,
  /** Pause before another subscription after a loss: at first, and when it has doubled again and again. */
  clientRetryMs: 250,
  /** … as long as a person who looks on stays patient. */
  clientRetryMaxMs: 5_000,
  /** A pull that ends sooner without an event was not waited out; if that goes on, this much is waited here. */
  clientEmptyPullMs: 1_000,
  /** How long devices may answer a probe: their random delay, and some more for slow ones. */
  searchMs: 3_000,
  /** UDP loses packets: the same probe again after this time. */
  searchRepeatMs: 700,
  /** More than one network has; whoever forges answers gets no further. */
  searchDevicesMax: 10_000,
  /** An answer with its scopes and addresses: the largest datagram. */
  searchAnswerElementsMax: 2_000,
  /** One such question: a host that is down takes the packet and says nothing. */
  clientPollTimeoutMs: 5_000,
  /** A device is up in a second; a loaded machine takes longer. */
  demoStartTimeoutMs: 30_000,
  /** A device ends in less than 5 s. */
  demoStopTimeoutMs: 10_000,
  /** Longest that a person can tell a command to wait. */
  commandWaitSecondsMax: 86_400,
  /** A line from a device on somebody's terminal. */
  terminalLineCharactersMax: 500,
} as const
