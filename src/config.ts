import { resolve } from 'node:path'
import { isAuxiliary } from './device/auxiliary.ts'
import { limits } from './limits.ts'

/** A setting that the operator has to correct; the message says how. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

interface Option<T> {
  /** As commander spells it: `--name <value>`. */
  readonly flag: string
  readonly environment: string
  readonly fallback: T
  readonly meaning: string
  /** Text of the command line or the environment to value; throws ConfigError. */
  readonly parse: (text: string) => T
}

const option = <T>(definition: Option<T>) => definition

/** Every option of a device: its default, where it comes from, what it means. The `--help` of `serve` and the README's table are made from this. */
export const options = {
  host: option({
    flag: '--host <address>',
    environment: 'ONVIFD_HOST',
    fallback: '127.0.0.1',
    meaning: 'address to listen on; 0.0.0.0 or :: for every interface',
    parse: text => (/^[A-Za-z0-9.:%_-]{1,255}$/.test(text) ? text : refuse('--host', text, 'an IP address or a host name')),
  }),
  port: option({
    flag: '--port <number>',
    environment: 'ONVIFD_PORT',
    fallback: 8080,
    meaning: 'TCP port; 0 picks a free one and prints it',
    parse: text => wholeNumber('--port', text, 0, 65_535),
  }),
  tls: option<'off' | 'self-signed' | 'keystore'>({
    flag: '--tls <mode>',
    environment: 'ONVIFD_TLS',
    fallback: 'keystore',
    meaning:
      'HTTPS: off, keystore for certificates that clients load and assign before they enable it, or self-signed, which makes one on first start and enables it at once',
    parse: text => oneOf('--tls', text, ['off', 'self-signed', 'keystore'] as const),
  }),
  httpsPort: option({
    flag: '--https-port <number>',
    environment: 'ONVIFD_HTTPS_PORT',
    fallback: 8443,
    meaning: 'TCP port of HTTPS, where it is enabled; 0 picks a free one',
    parse: text => wholeNumber('--https-port', text, 0, 65_535),
  }),
  requireTls: option({
    flag: '--require-tls',
    environment: 'ONVIFD_REQUIRE_TLS',
    fallback: false,
    meaning: 'answer over HTTP only what is for everybody (class PRE_AUTH); needs --tls self-signed, whose certificate can be replaced',
    parse: text => oneOf('--require-tls', text, ['true', 'false']) === 'true',
  }),
  legacyCrypto: option({
    flag: '--legacy-crypto',
    environment: 'ONVIFD_LEGACY_CRYPTO',
    fallback: false,
    meaning: 'also take SHA-1 signatures, PKCS #12 files with 3DES, and TLS 1.0 and 1.1, which stay off until a client enables them',
    parse: text => oneOf('--legacy-crypto', text, ['true', 'false']) === 'true',
  }),
  jwtIssuers: option<string | undefined>({
    flag: '--jwt-issuers <file>',
    environment: 'ONVIFD_JWT_ISSUERS',
    fallback: undefined,
    meaning: 'JSON file of the issuers whose JSON Web Tokens are taken over HTTPS',
    parse: text => resolve(text),
  }),
  publicUrl: option<string | undefined>({
    flag: '--public-url <url>',
    environment: 'ONVIFD_PUBLIC_URL',
    fallback: undefined,
    meaning:
      'scheme, host and port by which clients reach the device behind a proxy or NAT; without it addresses in answers have the name that the client used, where it is one of the device, or the address that the connection came in on',
    parse: text => parseOrigin(text).origin,
  }),
  state: option({
    flag: '--state <folder>',
    environment: 'ONVIFD_STATE',
    fallback: './.onvifd',
    meaning: 'folder for everything that outlives a restart',
    parse: text => text,
  }),
  adminUser: option({
    flag: '--admin-user <name>',
    environment: 'ONVIFD_ADMIN_USER',
    fallback: 'admin',
    meaning: 'name of the first Administrator',
    parse: text => text,
  }),
  adminPasswordFile: option<string | undefined>({
    flag: '--admin-password-file <file>',
    environment: 'ONVIFD_ADMIN_PASSWORD_FILE',
    fallback: undefined,
    meaning:
      'file whose first line is the password of the first Administrator (or give it in ONVIFD_ADMIN_PASSWORD); without either a random one is printed once',
    parse: text => resolve(text),
  }),
  firmwareCa: option<string | undefined>({
    flag: '--firmware-ca <file>',
    environment: 'ONVIFD_FIRMWARE_CA',
    fallback: undefined,
    meaning: 'PEM file of the CAs whose firmware images are taken; without it a development CA is made in the state folder',
    parse: text => resolve(text),
  }),
  firmwareCrl: option<string | undefined>({
    flag: '--firmware-crl <file>',
    environment: 'ONVIFD_FIRMWARE_CRL',
    fallback: undefined,
    meaning: 'PEM file of the CRLs of those CAs; read anew with every image',
    parse: text => resolve(text),
  }),
  firmwareSigners: option({
    flag: '--firmware-signers <number>',
    environment: 'ONVIFD_FIRMWARE_SIGNERS',
    fallback: 1,
    meaning: 'how many signers an image has to have, each with a key of its own',
    parse: text => wholeNumber('--firmware-signers', text, 1, limits.imageSignersMax),
  }),
  firmwareTime: option<'clock' | 'signing-time'>({
    flag: '--firmware-time <policy>',
    environment: 'ONVIFD_FIRMWARE_TIME',
    fallback: 'clock',
    meaning: 'where the clock is known to be wrong: clock refuses every image, signing-time goes by the time in the signature',
    parse: text => oneOf('--firmware-time', text, ['clock', 'signing-time'] as const),
  }),
  downgrade: option<'deny' | 'allow' | 'signed'>({
    flag: '--downgrade <policy>',
    environment: 'ONVIFD_DOWNGRADE',
    fallback: 'deny',
    meaning: 'older versions: deny, allow, or signed for images whose signed head allows it; a lower security epoch is refused in any case',
    parse: text => oneOf('--downgrade', text, ['deny', 'allow', 'signed'] as const),
  }),
  engine: option<'builtin' | 'swupdate' | 'rauc' | 'auto'>({
    flag: '--engine <name>',
    environment: 'ONVIFD_ENGINE',
    fallback: 'builtin',
    meaning: 'who writes firmware: builtin, swupdate, rauc, or auto for the first of rauc, swupdate, builtin that is there',
    parse: text => oneOf('--engine', text, ['builtin', 'swupdate', 'rauc', 'auto'] as const),
  }),
  machine: option<string | undefined>({
    flag: '--machine <file>',
    environment: 'ONVIFD_MACHINE',
    fallback: undefined,
    meaning:
      'JSON file that says where the slots, the boot record and the engines of this machine are; without it they are files in the state folder',
    parse: text => resolve(text),
  }),
  activate: option<'auto' | 'manual'>({
    flag: '--activate <when>',
    environment: 'ONVIFD_ACTIVATE',
    fallback: 'auto',
    meaning: 'auto restarts into a new image at once, manual waits for `onvifd firmware activate`',
    parse: text => oneOf('--activate', text, ['auto', 'manual'] as const),
  }),
  confirm: option<'auto' | 'operator' | 'both'>({
    flag: '--confirm <by>',
    environment: 'ONVIFD_CONFIRM',
    fallback: 'auto',
    meaning: 'who keeps a new image: auto by the checks of the device, operator by `onvifd firmware confirm`, both for one after the other',
    parse: text => oneOf('--confirm', text, ['auto', 'operator', 'both'] as const),
  }),
  settle: option({
    flag: '--settle <seconds>',
    environment: 'ONVIFD_SETTLE',
    fallback: 0,
    meaning: 'how long a new image has to run before it is checked; 30 is good for a product',
    parse: text => seconds('--settle', text),
  }),
  healthDeadline: option({
    flag: '--health-deadline <seconds>',
    environment: 'ONVIFD_HEALTH_DEADLINE',
    fallback: 300,
    meaning: 'how long after its start a new image may take to be confirmed before the old one comes back',
    parse: text => seconds('--health-deadline', text),
  }),
  healthHooks: option<string | undefined>({
    flag: '--health-hooks <folder>',
    environment: 'ONVIFD_HEALTH_HOOKS',
    fallback: undefined,
    meaning: 'folder of programs that all have to end with 0 before a new image is confirmed',
    parse: text => resolve(text),
  }),
  rebootCommand: option<string | undefined>({
    flag: '--reboot-command <program>',
    environment: 'ONVIFD_REBOOT_COMMAND',
    fallback: undefined,
    meaning: 'program, with its arguments by blanks, that restarts the machine; without it the device restarts only itself',
    parse: text => text,
  }),
  bootTime: option({
    flag: '--boot-time <seconds>',
    environment: 'ONVIFD_BOOT_TIME',
    fallback: 2,
    meaning: 'how long a reboot of the virtual device takes',
    parse: text => seconds('--boot-time', text),
  }),
  model: option({
    flag: '--model <text>',
    environment: 'ONVIFD_MODEL',
    fallback: 'Virtual Device',
    meaning: 'Model in GetDeviceInformation and in the name scope',
    parse: text => text,
  }),
  serial: option<string | undefined>({
    flag: '--serial <text>',
    environment: 'ONVIFD_SERIAL',
    fallback: undefined,
    meaning: 'SerialNumber in GetDeviceInformation; one is made on first start',
    parse: text => (/^[\x21-\x7e]{1,64}$/.test(text) ? text : refuse('--serial', text, '1 to 64 printable characters without blanks')),
  }),
  relays: option({
    flag: '--relays <number>',
    environment: 'ONVIFD_RELAYS',
    fallback: 0,
    meaning: 'how many relay outputs the virtual device has',
    parse: text => wholeNumber('--relays', text, 0, limits.relaysMax),
  }),
  auxiliary: option<readonly string[] | undefined>({
    flag: '--auxiliary <names>',
    environment: 'ONVIFD_AUXILIARY',
    fallback: undefined,
    meaning: 'auxiliary functions of the virtual device, such as tt:IRLamp,tt:Wiper',
    parse: text => auxiliaryFunctions('--auxiliary', text),
  }),
  backupPassphraseFile: option<string | undefined>({
    flag: '--backup-passphrase-file <file>',
    environment: 'ONVIFD_BACKUP_PASSPHRASE_FILE',
    fallback: undefined,
    meaning: 'file whose first line opens the backups, so that another device can take them; without it they open on this device alone',
    parse: text => resolve(text),
  }),
  discovery: option<'on' | 'off'>({
    flag: '--discovery <switch>',
    environment: 'ONVIFD_DISCOVERY',
    fallback: 'on',
    meaning: 'whether clients find the device by WS-Discovery; on a loopback --host it stays on the loopback interface',
    parse: text => oneOf('--discovery', text, ['on', 'off'] as const),
  }),
  discoveryInterface: option<readonly string[] | undefined>({
    flag: '--discovery-interface <names>',
    environment: 'ONVIFD_DISCOVERY_INTERFACE',
    fallback: undefined,
    meaning: 'network interfaces of the machine, by commas, on which it is found; without it all that lead to --host',
    parse: parseLinks,
  }),
  legacyRemoteDiscovery: option({
    flag: '--legacy-remote-discovery',
    environment: 'ONVIFD_LEGACY_REMOTE_DISCOVERY',
    fallback: false,
    meaning: 'keep a remote discovery mode and discovery proxies, which ONVIF has withdrawn',
    parse: text => oneOf('--legacy-remote-discovery', text, ['true', 'false']) === 'true',
  }),
  notifyLocal: option({
    flag: '--notify-local',
    environment: 'ONVIFD_NOTIFY_LOCAL',
    fallback: false,
    meaning: 'also deliver events (Subscribe) to consumers at loopback and link-local addresses and at those of this machine',
    parse: text => oneOf('--notify-local', text, ['true', 'false']) === 'true',
  }),
  interfaces: option<readonly string[]>({
    flag: '--interfaces <names>',
    environment: 'ONVIFD_INTERFACES',
    fallback: ['eth0'],
    meaning: 'network interfaces, by commas; the first is the wired one by which the device is reached, wlan… are IEEE 802.11',
    parse: parseInterfaces,
  }),
  strict: option({
    flag: '--strict',
    environment: 'ONVIFD_STRICT',
    fallback: false,
    meaning: 'refuse requests that write tds: for tt: or leave optional elements empty, as some clients do',
    parse: text => oneOf('--strict', text, ['true', 'false']) === 'true',
  }),
  logLevel: option<'debug' | 'info' | 'warn' | 'error' | 'silent'>({
    flag: '--log-level <level>',
    environment: 'ONVIFD_LOG_LEVEL',
    fallback: 'info',
    meaning: 'debug, info, warn, error or silent',
    parse: text => oneOf('--log-level', text, ['debug', 'info', 'warn', 'error', 'silent'] as const),
  }),
  logFormat: option<'json' | 'pretty'>({
    flag: '--log-format <format>',
    environment: 'ONVIFD_LOG_FORMAT',
    fallback: 'pretty',
    meaning: 'json (one object a line) or pretty (for people)',
    parse: text => oneOf('--log-format', text, ['json', 'pretty'] as const),
  }),
} as const

export type OptionName = keyof typeof options
export type Config = { readonly [K in OptionName]: ReturnType<(typeof options)[K]['parse']> }

const {
  host,
  port,
  tls,
  httpsPort,
  requireTls,
  legacyCrypto,
  jwtIssuers,
  publicUrl,
  state,
  adminUser,
  adminPasswordFile,
  firmwareCa,
  firmwareCrl,
  firmwareSigners,
  firmwareTime,
  downgrade,
  engine,
  machine,
  activate,
  confirm,
  settle,
  healthDeadline,
  healthHooks,
  rebootCommand,
  bootTime,
  model,
  serial,
  interfaces,
  strict,
  logLevel,
  logFormat,
  relays,
  auxiliary,
  backupPassphraseFile,
  legacyRemoteDiscovery,
  discovery,
  discoveryInterface,
  notifyLocal,
} = options

export const defaults: Config = {
  host: host.fallback,
  port: port.fallback,
  tls: tls.fallback,
  httpsPort: httpsPort.fallback,
  requireTls: requireTls.fallback,
  legacyCrypto: legacyCrypto.fallback,
  jwtIssuers: jwtIssuers.fallback,
  publicUrl: publicUrl.fallback,
  state: state.fallback,
  adminUser: adminUser.fallback,
  adminPasswordFile: adminPasswordFile.fallback,
  firmwareCa: firmwareCa.fallback,
  firmwareCrl: firmwareCrl.fallback,
  firmwareSigners: firmwareSigners.fallback,
  firmwareTime: firmwareTime.fallback,
  downgrade: downgrade.fallback,
  engine: engine.fallback,
  machine: machine.fallback,
  activate: activate.fallback,
  confirm: confirm.fallback,
  settle: settle.fallback,
  healthDeadline: healthDeadline.fallback,
  healthHooks: healthHooks.fallback,
  rebootCommand: rebootCommand.fallback,
  bootTime: bootTime.fallback,
  model: model.fallback,
  serial: serial.fallback,
  interfaces: interfaces.fallback,
  relays: relays.fallback,
  auxiliary: auxiliary.fallback,
  backupPassphraseFile: backupPassphraseFile.fallback,
  legacyRemoteDiscovery: legacyRemoteDiscovery.fallback,
  discovery: discovery.fallback,
  discoveryInterface: discoveryInterface.fallback,
  notifyLocal: notifyLocal.fallback,
  strict: strict.fallback,
  logLevel: logLevel.fallback,
  logFormat: logFormat.fallback,
}

function refuse(flag: string, text: string, wanted: string): never {
  throw new ConfigError(`${flag}: ${JSON.stringify(text.slice(0, 100))} is not ${wanted}`)
}

/** The value of `--public-url`. It has no path: clients sign the path that they send, so a proxy cannot change it. Throws ConfigError. */
export function parseOrigin(text: string): URL {
  const url = URL.parse(text)
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/` && url.port !== '0'
  return isOrigin ? url : refuse('--public-url', text, 'an address such as https://camera.example.org:8443, without a path')
}

/** Names as Linux takes them: 15 characters at the most. */
function parseInterfaces(text: string): readonly string[] {
  const names = text.split(',')
  const isList = names.every(name => /^[a-z][a-z0-9]{0,14}$/.test(name)) && new Set(names).size === names.length
  return isList && names.length <= limits.interfacesMax && !names[0]?.startsWith('wlan')
    ? names
    : refuse('--interfaces', text, `a list such as eth0,eth1,wlan0: up to ${limits.interfacesMax} names, and not a wlan… first`)
}

/** Any name that Linux takes: br-lan, enp0s31f6, eth0.100. */
function parseLinks(text: string): readonly string[] {
  const names = text.split(',')
  return names.every(name => /^[^\s/,:%]{1,15}$/.test(name))
    ? [...new Set(names)]
    : refuse('--discovery-interface', text, 'a list of interfaces of this machine, such as eth0,lo')
}

function seconds(flag: string, text: string): number {
  return /^\d{1,4}(\.\d{1,3})?$/.test(text) && Number(text) <= 3600 ? Number(text) : refuse(flag, text, 'seconds from 0 to 3600')
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  return /^\d{1,10}$/.test(text) && value >= min && value <= max ? value : refuse(flag, text, `a whole number from ${min} to ${max}`)
}

function auxiliaryFunctions(flag: string, text: string): readonly string[] {
  const names = [...new Set(text.split(',').map(name => name.trim()))].filter(name => name !== '')
  const isGood = names.every(isAuxiliary) && names.length <= limits.auxiliaryFunctionsMax
  return isGood ? names : refuse(flag, text, 'a list of tt:Wiper, tt:Washer, tt:WashingProcedure, tt:IRLamp and names of your own')
}

function oneOf<const T extends string>(flag: string, text: string, values: readonly T[]): T {
  return values.find(value => value === text) ?? refuse(flag, text, `one of ${values.join(', ')}`)
}
