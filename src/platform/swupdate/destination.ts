import { parseLibconfig } from '../../device/firmware/libconfig.ts'
import { ImageError, type Payload } from '../platform.ts'
import type { Slot } from '../slots/bootRecord.ts'
import type { Place } from '../slots/targetWriter.ts'
import type { Selection } from './ipc.ts'

/** The names that images give to the two slots in `software.stable`. */
const modes: Readonly<Record<Slot, readonly string[]>> = { A: ['copy-a', 'copy-1', 'copy1'], B: ['copy-b', 'copy-2', 'copy2'] }

/** What a client may ask for; an engine has to be told to accept it. */
export const selections = (slot: Slot): readonly Selection[] => modes[slot].map(mode => ({ set: 'stable', mode }))

/**
 * SWUpdate writes where the image says, and the built-in engine where the device says. So an image is taken only where both
 * mean the same: every file goes to the place of its role in the slot to write, and nothing else is written. Gives what to ask
 * SWUpdate for. Throws ImageError `compatible` for other places, `format` for more than files. The description has been
 * verified and parsed before: here it is read once more for what only SWUpdate acts on.
 */
export function assertDestination(
  description: Buffer,
  { board, slot, payloads, placeOf }: { board: string; slot: Slot; payloads: readonly Payload[]; placeOf: (payload: Payload) => Place },
): Selection {
  const software = members(members(parse(description)).software)
  const section = Object.hasOwn(software, board) ? members(software[board]) : software
  const stable = section.stable ?? software.stable
  const alternatives = stable === undefined ? {} : members(stable)
  const mode = modes[slot].find(name => alternatives[name] !== undefined)
  const copy = mode === undefined ? { images: section.images ?? software.images } : members(alternatives[mode])

  for (const part of [software, section, alternatives, copy]) {
    // A boot environment would be changed before the slot is durable and read back.
    for (const more of ['bootenv', 'uboot', 'ref', 'update-type', 'hooks']) {
      if (part[more] !== undefined) throw new ImageError('format', `the image has "${more}", which is not for SWUpdate to decide here`)
    }
  }
  const images = Array.isArray(copy.images) ? copy.images.map(members) : []
  if (images.length !== payloads.length) throw new ImageError('format', 'the image does not say what goes where')
  for (const payload of payloads) {
    const { name } = payload
    const image = images.find(({ filename }) => filename === name) ?? {}
    if (
      image.ref !== undefined ||
      image.hook !== undefined ||
      image['install-if-different'] === true ||
      image['install-if-higher'] === true
    )
      throw new ImageError('format', `whether and how ${name} is installed is not for SWUpdate to decide here`)
    const wanted = placeOf(payload).path
    const given = image.type === 'rawfile' ? image.path : image.device
    if (given !== wanted || (image.type === 'rawfile' && image.device !== undefined))
      throw new ImageError(
        'compatible',
        `the image puts ${name} into ${typeof given === 'string' ? given : 'no place'}, not into ${wanted}`,
      )
  }
  return { set: 'stable', mode: mode ?? modes[slot][0] ?? '' }
}

function parse(description: Buffer): unknown {
  const text = description.toString()
  return /^\s*\{/.test(text) ? JSON.parse(text) : parseLibconfig(text)
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ImageError('format', 'sw-description is of another form')
  return Object.fromEntries(Object.entries(value))
}
