import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Store } from './store.ts'

/** Smallest and largest value of each part of a component: degrees or metres. */
const ranges = {
  /** WGS 84; from below the deepest sea to above every aircraft. */
  geoLocation: { lon: [-180, 180], lat: [-90, 90], elevation: [-12_000, 100_000] },
  geoOrientation: { roll: [-360, 360], pitch: [-360, 360], yaw: [-360, 360] },
  /** Offsets inside of a building or a site. */
  localLocation: { x: [-1_000_000, 1_000_000], y: [-1_000_000, 1_000_000], z: [-1_000_000, 1_000_000] },
  localOrientation: { pan: [-360, 360], tilt: [-360, 360], roll: [-360, 360] },
} as const satisfies Record<string, Record<string, readonly [min: number, max: number]>>

type Component = keyof typeof ranges
const components: readonly Component[] = ['geoLocation', 'geoOrientation', 'localLocation', 'localOrientation']

type Components = { readonly [C in Component]?: { readonly [Part in keyof (typeof ranges)[C]]?: number | undefined } | undefined }

/** What an entry is about: the device itself, or one of its sources. Both parts together are its key (Core 8.3.21). */
interface Subject {
  readonly entity?: string | undefined
  readonly token?: string | undefined
}

/** Where a part of the device is, and where it looks. */
export interface GeoLocation extends Subject, Components {
  /** It cannot be deleted, until somebody sets it without this. */
  readonly fixed?: boolean | undefined
  /** Address of another device that knows. */
  readonly source?: string | undefined
}

export interface GeoLocationRequest extends GeoLocation {
  /** The device shall find it out by itself. */
  readonly auto?: boolean | undefined
}

export type GeoLocations = ReturnType<typeof createGeoLocations>

/**
 * Core 8.3.20 to 8.3.22. Every change is for the whole list or none of it. There is no media service yet whose tokens an entry
 * could name, so a token is taken as it is.
 */
export function createGeoLocations({ store }: { readonly store: Store }) {
  const document = store.document<readonly GeoLocation[]>('geoLocations', parseLocations, () => [])
  return {
    list: (): readonly GeoLocation[] => document.get(),

    /**
     * What is not in the list stays; of what is, nothing of the old entry stays, not even a component that was not sent. Throws
     * NoAutoGeo, TooManyEntries, InvalidArgVal (no such entity, out of range, twice in the list).
     */
    set(requested: readonly GeoLocationRequest[]): void {
      const next = new Map(document.get().map(location => [keyOf(location), location]))
      assertOnce(requested)
      for (const { auto, ...location } of requested) {
        if (auto) throw fault('NoAutoGeo', 'the device does not know by itself where it is')
        assertLocation(location)
        next.set(keyOf(location), location)
      }
      if (next.size > limits.geoLocationsMax)
        throw fault('TooManyEntries', `the device keeps ${limits.geoLocationsMax} locations, with these it would be ${next.size}`)
      document.set([...next.values()])
    },

    /** Throws NoConfig, Fixed. What else than the key was sent with an entry does not matter. */
    delete(requested: readonly Subject[]): void {
      const next = new Map(document.get().map(location => [keyOf(location), location]))
      for (const subject of requested) {
        const present = document.get().find(location => keyOf(location) === keyOf(subject))
        if (!present) throw fault('NoConfig', `there is no location of ${nameOf(subject)}`)
        if (present.fixed) throw fault('Fixed', `the location of ${nameOf(subject)} is fixed`)
        next.delete(keyOf(subject))
      }
      document.set([...next.values()])
    },
  }
}

/** What is absent and what is empty name the same: nobody could tell two such entries apart. */
const keyOf = ({ entity = '', token = '' }: Subject): string => JSON.stringify([entity, token])

const nameOf = ({ entity = '', token = '' }: Subject): string => JSON.stringify(`${entity} ${token}`.trim().slice(0, 100))

function assertOnce(requested: readonly Subject[]): void {
  const keys = new Set<string>()
  for (const subject of requested) {
    if (keys.has(keyOf(subject))) throw fault('InvalidArgVal', `${nameOf(subject)} is in the list twice`)
    keys.add(keyOf(subject))
  }
}

/** tt:Entity, which the schema names but does not hold anybody to. */
const entities: ReadonlySet<string> = new Set(['', 'Device', 'VideoSource', 'AudioSource'])

function assertLocation(location: GeoLocation): void {
  const { entity = '', source = '' } = location
  if (!entities.has(entity)) throw fault('InvalidArgVal', 'the entity is Device, VideoSource or AudioSource')
  if (source.length > limits.uriCharactersMax) throw fault('InvalidArgVal', `an address has at most ${limits.uriCharactersMax} characters`)
  for (const component of components) {
    const values: Readonly<Record<string, unknown>> = location[component] ?? {}
    for (const [part, [min, max]] of Object.entries(ranges[component])) {
      const value = values[part]
      // NaN is in no range.
      if (value !== undefined && !(typeof value === 'number' && value >= min && value <= max))
        throw fault('InvalidArgVal', `${part} of ${component} is a number from ${min} to ${max}`)
    }
  }
}

function parseLocations(stored: unknown): readonly GeoLocation[] {
  if (!Array.isArray(stored) || stored.length > limits.geoLocationsMax) throw new Error('no list of locations')
  const locations = stored.map(parseLocation)
  assertOnce(locations)
  return locations
}

function parseLocation(stored: unknown): GeoLocation {
  if (typeof stored !== 'object' || stored === null) throw new Error('no location')
  const location: GeoLocation = { ...stored }
  const { entity = '', token = '', fixed = false, source = '' } = location
  const texts: readonly unknown[] = [entity, token, source]
  if (texts.some(text => typeof text !== 'string') || typeof fixed !== 'boolean') throw new Error('no location')
  assertLocation(location)
  return location
}
