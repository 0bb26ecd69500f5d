import type { GeoLocation, GeoLocationRequest, GeoLocations } from '../../device/geoLocations.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { LocationEntity } from '../../onvif/types.generated.ts'

/** Core 8.3.20 to 8.3.22. */
export function geoLocation({ geoLocations }: { readonly geoLocations: GeoLocations }): Chapter<'geoLocation'> {
  return {
    async GetGeoLocation() {
      return { Location: geoLocations.list().map(toWire) }
    },

    async SetGeoLocation({ Location }) {
      geoLocations.set(Location.map(fromWire))
      return {}
    },

    async DeleteGeoLocation({ Location }) {
      geoLocations.delete(Location.map(fromWire))
      return {}
    },
  }
}

function toWire({ entity, token, fixed, source, ...components }: GeoLocation): LocationEntity {
  return {
    Entity: entity,
    Token: token,
    Fixed: fixed,
    GeoSource: source,
    GeoLocation: components.geoLocation,
    GeoOrientation: components.geoOrientation,
    LocalLocation: components.localLocation,
    LocalOrientation: components.localOrientation,
  }
}

/** Elements of others inside of a component are left out: they could not be given back. */
function fromWire({ Entity, Token, Fixed, GeoSource, AutoGeo, ...components }: LocationEntity): GeoLocationRequest {
  const { GeoLocation: place, GeoOrientation: heading, LocalLocation: offset, LocalOrientation: turn } = components
  return {
    entity: Entity,
    token: Token,
    fixed: Fixed,
    source: GeoSource,
    auto: AutoGeo,
    geoLocation: place && { lon: place.lon, lat: place.lat, elevation: place.elevation },
    geoOrientation: heading && { roll: heading.roll, pitch: heading.pitch, yaw: heading.yaw },
    localLocation: offset && { x: offset.x, y: offset.y, z: offset.z },
    localOrientation: turn && { pan: turn.pan, tilt: turn.tilt, roll: turn.roll },
  }
}
