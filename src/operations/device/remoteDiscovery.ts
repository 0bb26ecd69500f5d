import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from './notImplemented.ts'

/** Withdrawn from Core (Annex D). */
export function remoteDiscovery(): Chapter<'remoteDiscovery'> {
  return {
    GetRemoteDiscoveryMode: notImplemented('GetRemoteDiscoveryMode'),
    SetRemoteDiscoveryMode: notImplemented('SetRemoteDiscoveryMode'),
    GetDPAddresses: notImplemented('GetDPAddresses'),
    SetDPAddresses: notImplemented('SetDPAddresses'),
  }
}
