import { resolve } from 'node:path'

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
  bootTime: option({
    flag: '--boot-time <seconds>',
    environment: 'ONVIFD_BOOT_TIME',
    fallback: 2,
    meaning: 'how long a reboot of the virtual device takes',
    parse: text =>
      /^\d{1,4}(\.\d{1,3})?$/.test(text) && Number(text) <= 3600 ? Number(text) : refuse('--boot-time', text, 'seconds from 0 to 3600'),
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

const { host, port, state, adminUser, adminPasswordFile, firmwareCa, bootTime, model, serial, strict, logLevel, logFormat } = options

export const defaults: Config = {
  host: host.fallback,
  port: port.fallback,
  state: state.fallback,
  adminUser: adminUser.fallback,
  adminPasswordFile: adminPasswordFile.fallback,
  firmwareCa: firmwareCa.fallback,
  bootTime: bootTime.fallback,
  model: model.fallback,
  serial: serial.fallback,
  strict: strict.fallback,
  logLevel: logLevel.fallback,
  logFormat: logFormat.fallback,
}

function refuse(flag: string, text: string, wanted: string): never {
  throw new ConfigError(`${flag}: ${JSON.stringify(text.slice(0, 100))} is not ${wanted}`)
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  return /^\d{1,10}$/.test(text) && value >= min && value <= max ? value : refuse(flag, text, `a whole number from ${min} to ${max}`)
}

function oneOf<const T extends string>(flag: string, text: string, values: readonly T[]): T {
  return values.find(value => value === text) ?? refuse(flag, text, `one of ${values.join(', ')}`)
}
