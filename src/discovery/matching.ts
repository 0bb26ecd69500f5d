import type { MatchingRule, Probe } from './messages.ts'

/**
 * Whether a device with these scopes is meant (WS-Discovery 5.1, Core 7.3.3): every type and every scope of the Probe has to be one of
 * its own. NetworkVideoTransmitter is what many programs call every device of ONVIF, and the only type that some ever ask for: a
 * device without media answers them, and says truthfully what it is.
 */
export function isMeant({ types, scopes, rule }: Probe, own: readonly string[]): boolean {
  if (rule === 'unsupported' || types.includes('other')) return false
  return scopes.every(wanted => own.some(scope => comparisons[rule](wanted, scope)))
}

const comparisons: Readonly<Record<MatchingRule, (wanted: string, own: string) => boolean>> = {
  rfc3986: isWithin,
  strcmp0: (wanted, own) => wanted === own,
  uuid: (wanted, own) => {
    const [a, b] = [uuidOf(wanted), uuidOf(own)]
    return a !== undefined && a === b
  },
}

interface Parts {
  readonly scheme: string
  readonly authority: string
  readonly segments: readonly string[]
}

/**
 * Scheme and authority alike, whatever the case; then the path, in which case counts, segment by segment: `…/hardware/D1` has
 * `…/hardware/D1/x` within it, and not `…/hardware/D1-566`. Query and fragment do not count.
 */
function isWithin(wanted: string, own: string): boolean {
  const [outer, inner] = [partsOf(wanted), partsOf(own)]
  if (!outer || !inner || outer.scheme !== inner.scheme || outer.authority !== inner.authority) return false
  return outer.segments.every((segment, index) => segment === inner.segments[index])
}

/** Undefined where it is no URI, or has the segments that the rule leaves out. Escapes are undone first, within each segment. */
function partsOf(uri: string): Parts | undefined {
  const [, scheme, authority = '', path = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/.exec(uri) ?? []
  if (scheme === undefined) return undefined
  const segments = path.split('/').map(canonical)
  if (path.startsWith('/')) segments.shift()
  // `…/hardware/` means what is below `…/hardware`.
  if (segments.at(-1) === '') segments.pop()
  if (segments.some(segment => segment === '.' || segment === '..')) return undefined
  return { scheme: scheme.toLowerCase(), authority: canonical(authority).toLowerCase(), segments }
}

function canonical(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const uuidOf = (uri: string): string | undefined =>
  /^(?:urn:)?uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(uri)?.[1]?.toLowerCase()
