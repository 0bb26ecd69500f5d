import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from './notImplemented.ts'

/** Core 8.8. */
export function storage(): Chapter<'storage'> {
  return {
    GetStorageConfigurations: notImplemented('GetStorageConfigurations'),
    CreateStorageConfiguration: notImplemented('CreateStorageConfiguration'),
    GetStorageConfiguration: notImplemented('GetStorageConfiguration'),
    SetStorageConfiguration: notImplemented('SetStorageConfiguration'),
    DeleteStorageConfiguration: notImplemented('DeleteStorageConfiguration'),
  }
}
