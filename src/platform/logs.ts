import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { limits } from '../limits.ts'
import type { Logs } from './platform.ts'

interface Options {
  /** The least that the terminal shows. The files keep `info` and above whatever the terminal shows. */
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'json' | 'pretty'
  /** Where `system.log` and `access.log` live on. */
  readonly folder: string
  readonly terminal: { write(text: string): unknown; readonly isTTY?: boolean | undefined }
  /** The clock of the device, so that its logs fit to what it answers. */
  readonly now: () => Date
}

/** Both logs of the device: one JSON object a line in two bounded files; the terminal shows the system log, at `debug` the access log too. */
export async function createLogs({ level, format, folder, terminal, now }: Options): Promise<Logs & { close(): void }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pretty = format === 'pretty' ? await prettyPrinter(terminal.isTTY === true) : undefined
  const print = pretty ?? escapeControls
  const files = {
    System: createBoundedFile(join(folder, 'system.log'), 0),
    Access: createBoundedFile(join(folder, 'access.log'), limits.logDelayMs),
  }

  let lastMs = Number.NaN
  let lastText = ''
  /** Written out once a millisecond: many requests share it. */
  function isoTime(): string {
    const time = now()
    if (time.getTime() !== lastMs) {
      lastMs = time.getTime()
      lastText = time.toISOString()
    }
    return lastText
  }

  function logger(file: BoundedFile, shown: boolean) {
    const fileLevel = level === 'debug' ? 'debug' : 'info'
    const stream = { write: (line: string) => file.write(bounded(escapeControls(line))) }
    const options = {
      level: fileLevel,
      base: null,
      timestamp: () => `,"time":"${isoTime()}"`,
      formatters: { level: (label: string) => ({ level: label }), log: (fields: object) => redactFields(fields) },
      // Errors have been written out by redactFields.
      serializers: { err: (error: unknown) => error },
    }
    if (!shown || level === 'silent') return pino(options, stream)
    return pino(
      options,
      pino.multistream([
        { level: fileLevel, stream },
        { level, stream: { write: line => void terminal.write(bounded(print(line))) } },
      ]),
    )
  }

  const system = logger(files.System, true)
  if (format === 'pretty' && !pretty) system.info('the terminal shows JSON: lines for people need another package, npm install pino-pretty')
  return {
    system,
    access: logger(files.Access, level === 'debug'),
    read: type => files[type].read(),
    close() {
      files.System.close()
      files.Access.close()
    },
  }
}

/**
 * Loaded only where a person reads along: it costs as much as pino itself. Undefined where it is not installed, as on a device, whose
 * lines are read by programs.
 */
async function prettyPrinter(colorize: boolean): Promise<((line: string) => string) | undefined> {
  const library = await import('pino-pretty').catch(() => undefined)
  if (!library) return undefined
  const { prettyFactory } = library
  // The text of a fault may quote what a client sent.
  const messageFormat = (log: Record<string, unknown>, key: string) => escaped(String(log[key] ?? ''), /[\u0000-\u001f]/g)
  const pretty = prettyFactory({ colorize, messageFormat, singleLine: true, translateTime: 'UTC:yyyy-mm-dd HH:MM:ss' })
  return line => escapeControls(pretty(line))
}

/** JSON leaves these as they are: C1 controls drive some terminals, and the others break lines, turn the reading direction or cannot be seen. */
const escapeControls = (line: string): string => escaped(line, /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g)

/** The fields of a line are bounded each; what many of them make together is told by its size alone. */
const bounded = (line: string): string =>
  line.length <= limits.logLineCharactersMax
    ? line
    : `${JSON.stringify({ level: 'warn', msg: `a line of ${line.length} characters was left out`, began: line.slice(0, 200) })}\n`

const escaped = (text: string, characters: RegExp): string =>
  text.replace(characters, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

const secretName = /pass(word|phrase)|digest|nonce|authorization|cookie|secret|ticket|private_?key/i

/** Names of fields are few and ours, but those of an error's properties may be anybody's. */
const judgedNames = new Map<string, boolean>()

function isSecret(name: string): boolean {
  let verdict = judgedNames.get(name)
  if (verdict === undefined) {
    verdict = secretName.test(name)
    if (judgedNames.size < limits.logFieldNamesRememberedMax) judgedNames.set(name, verdict)
  }
  return verdict
}

/** Fields as they are written: nothing whose name says that it is a secret, and nothing of a length that a client chose. */
function redactFields(fields: object): Record<string, unknown> {
  const written: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) written[name] = redacted(name, value, 0)
  return written
}

function redacted(name: string, value: unknown, depth: number): unknown {
  if (isSecret(name)) return '[redacted]'
  if (typeof value === 'string')
    return value.length > limits.logFieldCharactersMax ? `${value.slice(0, limits.logFieldCharactersMax)}…` : value
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (depth === limits.logFieldDepthMax) return '…'
  if (value instanceof Error)
    return { type: value.name, ...entries({ ...value, message: value.message, stack: value.stack, cause: value.cause }, depth) }
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (Array.isArray(value)) return value.slice(0, limits.logFieldEntriesMax).map(entry => redacted('', entry, depth + 1))
  return entries(value, depth)
}

function entries(value: object, depth: number): Record<string, unknown> {
  const kept = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(kept.slice(0, limits.logFieldEntriesMax).map(([name, entry]) => [name, redacted(name, entry, depth + 1)]))
}

type BoundedFile = ReturnType<typeof createBoundedFile>

/**
 * Text of at most `limits.logBytesMax` that grows at the end and forgets at the beginning: when the file holds half of that
 * it becomes the elder one, in the place of the elder one before. Lines wait for `delayMs` to be written together.
 */
function createBoundedFile(path: string, delayMs: number) {
  const elder = `${path}.1`
  const unfinished = `${path}.new`
  let handle = openSync(path, 'a+', 0o600)
  let bytes = fstatSync(handle).size
  let waiting = ''
  let timer: NodeJS.Timeout | undefined
  let closed = false

  // A line that a power cut tore must not swallow the next one.
  if (bytes > 0 && !endsWithNewline(handle, bytes)) waiting = '\n'

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const text = Buffer.from(waiting)
    waiting = ''
    if (text.length === 0) return
    try {
      if (bytes + text.length > limits.logBytesMax / 2) turnOver()
      const written = writeSync(handle, text)
      bytes += written
      // The disk took a part of it: the next line begins on its own.
      if (written < text.length) waiting = '\n'
    } catch {
      // A full or broken disk must not stop the device, and there is no log left to say it in.
    }
  }

  function turnOver(): void {
    // Opened first: where there is no room for it, everything stays as it is until there is.
    const younger = openSync(unfinished, 'w+', 0o600)
    try {
      if (existsSync(path)) renameSync(path, elder)
      renameSync(unfinished, path)
    } catch (error) {
      closeSync(younger)
      throw error
    }
    closeSync(handle)
    handle = younger
    bytes = 0
  }

  return {
    write(line: string): void {
      // The number of a closed handle may belong to another file by now.
      if (closed) return
      waiting += line
      if (delayMs === 0 || waiting.length > limits.logWaitingCharactersMax) flush()
      else timer ??= setTimeout(flush, delayMs).unref()
    },

    async read(): Promise<Buffer> {
      if (!closed) flush()
      return Buffer.concat(await Promise.all([readIfThere(elder), readIfThere(path)]))
    },

    close(): void {
      if (closed) return
      flush()
      closeSync(handle)
      closed = true
    },
  }
}

function endsWithNewline(handle: number, bytes: number): boolean {
  const last = Buffer.alloc(1)
  readSync(handle, last, 0, 1, bytes - 1)
  return last[0] === 0x0a
}

async function readIfThere(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
