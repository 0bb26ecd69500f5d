import type { Auxiliary } from '../../device/auxiliary.ts'
import type { Relay, Relays } from '../../device/relays.ts'
import { limits } from '../../limits.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { RelayOutput } from '../../onvif/types.generated.ts'
import { absent } from '../notImplemented.ts'

/** Core 8.6, 8.7. */
export function io({ relays, auxiliary }: { readonly relays: Relays; readonly auxiliary: Auxiliary }): Chapter<'io'> {
  return { ...relayOutputs(relays), ...auxiliaryCommands(auxiliary) }
}

function relayOutputs(relays: Relays): Omit<Chapter<'io'>, 'SendAuxiliaryCommand'> {
  if (relays.list().length === 0) {
    const none = absent('this device has no relay outputs')
    return { GetRelayOutputs: none, SetRelayOutputSettings: none, SetRelayOutputState: none }
  }
  return {
    async GetRelayOutputs() {
      return { RelayOutputs: relays.list().map(toWire) }
    },

    async SetRelayOutputSettings({ RelayOutputToken, Properties: { Mode, DelayTime, IdleState } }) {
      relays.configure(RelayOutputToken, { mode: Mode, delayMs: delayMs(DelayTime), idle: IdleState })
      return {}
    },

    async SetRelayOutputState({ RelayOutputToken, LogicalState }) {
      relays.set(RelayOutputToken, LogicalState === 'active')
      return {}
    },
  }
}

function auxiliaryCommands(auxiliary: Auxiliary): Pick<Chapter<'io'>, 'SendAuxiliaryCommand'> {
  if (auxiliary.commands().length === 0) return { SendAuxiliaryCommand: absent('this device has no auxiliary functions') }
  return {
    async SendAuxiliaryCommand({ AuxiliaryCommand }) {
      auxiliary.send(AuxiliaryCommand)
      return {}
    },
  }
}

const toWire = ({ token, mode, delayMs: ms, idle }: Relay): RelayOutput => ({
  token,
  Properties: { Mode: mode, DelayTime: `PT${ms / 1000}S`, IdleState: idle },
})

const dayTime = /^P(?:(?<days>\d+)D)?(?:T(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>\d+(?:\.\d+)?)S)?)?$/

/** A duration of days and less as milliseconds; undefined where a relay cannot wait so long or so short, or a year has no fixed length. */
function delayMs(duration: string): number | undefined {
  const parts = dayTime.exec(duration)?.groups
  if (!parts) return undefined
  const { days = 0, hours = 0, minutes = 0, seconds = 0 } = parts
  const ms = Math.round((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000)
  return ms >= 1 && ms <= limits.relayDelayMsMax ? ms : undefined
}
