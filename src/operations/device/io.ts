import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from './notImplemented.ts'

/** Core 8.6, 8.7. */
export function io(): Chapter<'io'> {
  return {
    GetRelayOutputs: notImplemented('GetRelayOutputs'),
    SetRelayOutputSettings: notImplemented('SetRelayOutputSettings'),
    SetRelayOutputState: notImplemented('SetRelayOutputState'),
    SendAuxiliaryCommand: notImplemented('SendAuxiliaryCommand'),
  }
}
