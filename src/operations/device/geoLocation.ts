import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from './notImplemented.ts'

/** Core 8.3.20 to 8.3.22. */
export function geoLocation(): Chapter<'geoLocation'> {
  return {
    GetGeoLocation: notImplemented('GetGeoLocation'),
    SetGeoLocation: notImplemented('SetGeoLocation'),
    DeleteGeoLocation: notImplemented('DeleteGeoLocation'),
  }
}
