import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One folder below node_modules, as package-lock.json fixes it. */
export interface LockedPackage {
  /** `node_modules/soap/node_modules/debug` */
  readonly path: string
  readonly name: string
  readonly version: string
  /** Installed nowhere but in development. */
  readonly isDevelopment: boolean
  /** What the lock says, which may be anything. */
  readonly entry: Readonly<Record<string, unknown>>
}

export interface LockFile {
  /** The entry of onvifd itself. */
  readonly project: Readonly<Record<string, unknown>>
  readonly packages: readonly LockedPackage[]
}

export function readLockFile(path = `${root}package-lock.json`): LockFile {
  const { '': project, ...others } = recordOf(readJson(path).packages)
  return {
    project: recordOf(project),
    packages: Object.entries(others).map(([folder, value]) => {
      const entry = recordOf(value)
      // Where a package is installed under another name, the entry has its true one.
      const name = textOf(entry.name) ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return { path: folder, name, version: textOf(entry.version) ?? '', isDevelopment: entry.dev === true, entry }
    }),
  }
}

/** What `npm ci --omit=dev` installs. */
export const productionPackages = (lock: LockFile): readonly LockedPackage[] => lock.packages.filter(({ isDevelopment }) => !isDevelopment)

/** From the installed package, because some packages state it in a form that the lock leaves out: `"licenses": [{ "type": "MIT" }]`. */
export function licenceOf({ path }: LockedPackage): string | undefined {
  const { license, licenses } = readJson(`${root}${path}/package.json`)
  const all = Array.isArray(licenses) ? licenses : [license]
  const names = all.flatMap(one => textOf(one) ?? textOf(recordOf(one).type) ?? [])
  return names.length > 0 ? names.join(' OR ') : undefined
}

export const readJson = (path: string): Readonly<Record<string, unknown>> => recordOf(JSON.parse(readFileSync(path, 'utf8')))

export const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
