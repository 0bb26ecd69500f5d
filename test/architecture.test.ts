import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The house: the first line that matches a file gives its floor and its room. Files of one room may know each other. */
const plan: readonly (readonly [pattern: RegExp, floor: number, room: string])[] = [
  [/^onvif\//, 0, 'onvif'],
  [/^limits\.ts$/, 0, 'limits'],
  [/^platform\/platform\.ts$/, 0, 'ports'],
  [/^device\/(store|seal|upload|der|httpsAddress)\.ts$/, 0.5, 'subjects’ ground'],
  [/^soap\//, 1, 'soap'],
  [/^auth\//, 1, 'auth'],
  [/^device\/([^/.]+)/, 1, 'device/$1'],
  [/^operations\//, 2, 'operations'],
  [/^service\.ts$/, 2, 'service'],
  [/^http\//, 3, 'http'],
  [/^discovery\//, 3, 'discovery'],
  [/^client\//, 3, 'client'],
  [/^platform\/slots\//, 2.5, 'platform/slots'],
  [/^platform\/([^/.]+)\//, 3, 'platform/$1'],
  [/^platform\//, 3, 'platform'],
  [/^config\.ts$/, 4, 'config'],
  [/^engine\.ts$/, 4.2, 'engine'],
  [/^accounts\.ts$/, 4.2, 'accounts'],
  [/^downloads\.ts$/, 4.2, 'downloads'],
  [/^eventSources\.ts$/, 4.2, 'event sources'],
  [/^healthChecks\.ts$/, 4.2, 'health checks'],
  [/^boot\.ts$/, 4.3, 'boot'],
  [/^createDevice\.ts$/, 4.5, 'createDevice'],
  [/^index\.ts$/, 4.6, 'index'],
  [/^cli\//, 5, 'cli'],
]

/** Third-party packages, each with its one door. */
const doors: Readonly<Record<string, RegExp>> = {
  '@peculiar/asn1-cms': /^device\/firmware\//,
  '@peculiar/asn1-schema': /^device\/(der\.ts$|firmware\/|certificates\/x509\/)/,
  '@peculiar/asn1-x509': /^device\/(firmware|certificates\/x509)\//,
  '@peculiar/x509': /^device\/(firmware|certificates\/x509)\//,
  'reflect-metadata': /^device\/(firmware|certificates\/x509)\//,
  'node-forge': /^device\/certificates\/x509\//,
  jose: /^auth\/bearer\.ts$/,
  pkijs: /^device\/certificates\/x509\//,
  semver: /^device\/firmware\//,
  busboy: /^http\/upload\.ts$/,
  express: /^http\/app\.ts$/,
  pino: /^platform\/logs\.ts$/,
  'pino-pretty': /^platform\/logs\.ts$/,
  'modern-tar': /^device\/supportInformation\.ts$/,
  '@jellybrick/dbus-next': /^platform\/rauc\//,
  soap: /^client\//,
  'cli-progress': /^cli\//,
  commander: /^cli\//,
}

/** Node modules that reach the outside world, and the rooms that may. */
const effects = new Set([
  'fs',
  'fs/promises',
  'net',
  'tls',
  'dgram',
  'http',
  'https',
  'http2',
  'dns',
  'dns/promises',
  'child_process',
  'worker_threads',
  'cluster',
])
const effectRooms = /^(platform\/|http\/|discovery\/|client\/|cli\/)/

const root = fileURLToPath(new URL('../src', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))

interface Arrow {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const arrows: Arrow[] = files.flatMap(from =>
  [
    ...readFileSync(join(root, from), 'utf8').matchAll(
      /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map(match => ({
    from,
    to: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  })),
)

function place(file: string): { floor: number; room: string } {
  for (const [pattern, floor, room] of plan) {
    const match = pattern.exec(file)
    if (match) return { floor, room: room.replace('$1', match[1] ?? '') }
  }
  throw new Error(`${file} stands in no room of the plan`)
}

const inside = arrows
  .filter(arrow => arrow.to.startsWith('.'))
  .map(arrow => ({ ...arrow, to: relative(root, normalize(join(root, dirname(arrow.from), arrow.to))) }))

test('every arrow goes down or stays in its room', () => {
  const wrong = inside.filter(({ from, to }) => {
    if (to.startsWith('..')) return true
    const [above, below] = [place(from), place(to)]
    return above.room !== below.room && above.floor <= below.floor
  })
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
  assert.ok(inside.length > 50, 'the imports were found')
})

test('there is no circle of imports', () => {
  const targets = new Map<string, string[]>()
  for (const { from, to, typeOnly } of inside) if (!typeOnly) targets.set(from, [...(targets.get(from) ?? []), to])
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `circle: ${[...path, file].join(' → ')}`)
    if (done.has(file)) return
    for (const target of targets.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

test('every package has one door', () => {
  const builtin = new Set(builtinModules)
  const wrong = arrows
    .filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:'))
    .filter(({ from, to }) => {
      const name = to
        .split('/')
        .slice(0, to.startsWith('@') ? 2 : 1)
        .join('/')
      return builtin.has(name) || !doors[name]?.test(from)
    })
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  )
})

test('effects stay in their rooms', () => {
  const wrong = arrows.filter(({ from, to }) => effects.has(to.replace('node:', '')) && to.startsWith('node:') && !effectRooms.test(from))
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  )
  const database = arrows.filter(({ from, to }) => to === 'node:sqlite' && from !== 'device/store.ts')
  assert.deepEqual(database, [], 'node:sqlite belongs to device/store.ts')
})

/** A list in which one looks things up, and which nobody reads from end to end. */
const isList = (file: string): boolean => file.endsWith('.generated.ts') || file === 'limits.ts' || file === 'config.ts'

test('no file has grown beyond what one reads in a sitting', () => {
  const long = files.filter(file => !isList(file) && readFileSync(join(root, file), 'utf8').split('\n').length > 400)
  assert.deepEqual(long, [])
})
