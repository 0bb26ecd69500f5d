import { limits } from '../../limits.ts'
import type { Seal } from '../seal.ts'
import {
  type Content,
  type Dot1XStage,
  type KeyStatus,
  type Kind,
  referencesTo,
  type StoredKey,
  type StoredTls,
  type TlsVersion,
  tlsVersions,
} from './content.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * What the store gives back. Every secret is opened once, so that what was sealed with another key is refused before it replaces
 * what is good, and every reference is followed.
 */
export function parseContent(stored: unknown, seal: Seal): Content {
  const all = fieldsOf(stored)
  const content: Content = {
    keys: listOf(all.keys, limits.keysMax + limits.certificatesMax, parseKey),
    certificates: listOf(all.certificates, limits.certificatesMax, fields => ({
      ...entryOf(fields),
      keyId: textOf(fields.keyId),
      der: textOf(fields.der),
      token: optionalOf(fields.token),
    })),
    paths: listOf(all.paths, limits.certificationPathsMax, fields => ({
      ...entryOf(fields),
      ...madeOf(fields),
      certificateIds: textsOf(fields.certificateIds, limits.certificationPathLengthMax),
    })),
    crls: listOf(all.crls, limits.crlsMax, fields => ({
      ...entryOf(fields),
      der: textOf(fields.der),
      issuerId: optionalOf(fields.issuerId),
    })),
    passphrases: listOf(all.passphrases, limits.passphrasesMax, fields => ({
      ...entryOf(fields),
      ...madeOf(fields),
      sealed: textOf(fields.sealed),
    })),
    policies: listOf(all.policies, limits.validationPoliciesMax, fields => ({
      ...entryOf(fields),
      ...madeOf(fields),
      requireClientAuthUsage: fields.requireClientAuthUsage === true,
      useDeltaCrls: fields.useDeltaCrls === true,
      anchorIds: textsOf(fields.anchorIds, limits.trustAnchorsMax),
    })),
    tls: parseTls(fieldsOf(all.tls)),
    dot1x: listOf(all.dot1x, limits.dot1xConfigurationsMax, fields => ({
      ...entryOf(fields),
      outer: parseStage(fields.outer, limits.dot1xStagesMax),
      token: optionalOf(fields.token),
    })),
    dot1xInterfaces: Object.fromEntries(Object.entries(fieldsOf(all.dot1xInterfaces)).map(([token, id]) => [token, textOf(id)])),
  }
  assertWhole(content)
  for (const { id, privateKey } of content.keys) if (privateKey !== undefined) seal.open(privateKey, `key:${id}`)
  for (const { id, sealed } of content.passphrases) seal.open(sealed, `passphrase:${id}`)
  return content
}

const kinds: readonly Kind[] = ['keys', 'certificates', 'paths', 'crls', 'passphrases', 'policies', 'dot1x']

function assertWhole(content: Content): void {
  for (const kind of kinds) {
    const ids = new Set(content[kind].map(({ id }) => id))
    if (ids.size < content[kind].length) throw new Error(`an ID stands twice among the ${kind}`)
    for (const id of referencesTo(content, kind))
      if (id !== undefined && !ids.has(id)) throw new Error(`${id} is missing among the ${kind}`)
  }
  for (const list of [content.certificates, content.dot1x]) {
    const tokens = list.map(({ id, token }) => token ?? id)
    if (new Set(tokens).size < tokens.length) throw new Error('a token stands twice')
  }
}

function parseKey(fields: Fields): StoredKey {
  const status = statusOf(fields.status)
  const key = {
    ...entryOf(fields),
    algorithm: textOf(fields.algorithm),
    status,
    external: fields.external === true,
    publicKey: optionalOf(fields.publicKey),
    privateKey: optionalOf(fields.privateKey),
  }
  if (status === 'ok' && fields.publicKey === undefined) throw new Error('a key is missing')
  return key
}

function statusOf(value: unknown): KeyStatus {
  if (value === 'ok' || value === 'generating' || value === 'corrupt') return value
  throw new Error('no status of a key')
}

function parseTls(fields: Fields): StoredTls {
  const versions = textsOf(fields.versions, tlsVersions.length)
  const known = tlsVersions.filter((version: TlsVersion) => versions.includes(version))
  if (known.length === 0 || known.length < versions.length) throw new Error('no TLS versions')
  return {
    pathIds: textsOf(fields.pathIds, limits.tlsPathsMax),
    policyIds: textsOf(fields.policyIds, limits.tlsPoliciesMax),
    versions: known,
    clientAuthenticationRequired: fields.clientAuthenticationRequired === true,
    cnMapsToUser: fields.cnMapsToUser === true,
  }
}

function parseStage(stored: unknown, depth: number): Dot1XStage {
  if (depth === 0) throw new Error('too many stages')
  const fields = fieldsOf(stored)
  return {
    method: textOf(fields.method),
    identity: optionalOf(fields.identity),
    pathId: optionalOf(fields.pathId),
    passphraseId: optionalOf(fields.passphraseId),
    policyId: optionalOf(fields.policyId),
    ...(fields.inner !== undefined && { inner: parseStage(fields.inner, depth - 1) }),
  }
}

const entryOf = (fields: Fields) => ({ id: textOf(fields.id), alias: optionalOf(fields.alias) })

const madeOf = (fields: Fields) => (fields.isMade === true ? { isMade: true } : {})

const optionalOf = (value: unknown): string | undefined => (value === undefined ? undefined : textOf(value))

function listOf<T>(stored: unknown, max: number, parse: (fields: Fields) => T): readonly T[] {
  if (!Array.isArray(stored) || stored.length > max) throw new Error('no list, or too long')
  return stored.map(each => parse(fieldsOf(each)))
}

function textsOf(stored: unknown, max: number): readonly string[] {
  if (!Array.isArray(stored) || stored.length > max) throw new Error('no list of texts')
  return stored.map(textOf)
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('no text')
  return value
}

function fieldsOf(stored: unknown): Fields {
  if (typeof stored !== 'object' || stored === null) throw new Error('no part of a keystore')
  return { ...stored }
}
