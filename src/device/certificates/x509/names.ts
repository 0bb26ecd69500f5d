import 'reflect-metadata'
import { type GeneralName, Name as NameSyntax } from '@peculiar/asn1-x509'
import { type JsonName, Name } from '@peculiar/x509'
import { limits } from '../../../limits.ts'
import { parseDer } from '../../der.ts'
import { X509Error } from './x509Error.ts'

/** One part of a distinguished name: a keyword of RFC 4514 such as `CN`, or an OID, and what it says. */
export interface NamePart {
  readonly type: string
  readonly value: string
}

/** Relative distinguished names from the most general one on; each has one part, or several that belong together. */
export type DistinguishedName = readonly (readonly NamePart[])[]

/** The keywords of RFC 4514, RFC 4519 and X.520 that tas:DistinguishedName names. */
const oids: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  initials: '2.5.4.43',
  generationQualifier: '2.5.4.44',
  dnQualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  E: '1.2.840.113549.1.9.1',
}
const byUpperCase = new Map(Object.entries({ ...oids, S: '2.5.4.8' }).map(([name, oid]) => [name.toUpperCase(), oid]))
const dotted = /^[0-2](?:\.(?:0|[1-9][0-9]{0,9})){1,15}$/
/** RFC 5280 A.1: upper bounds; the widest of them for the rest. */
const charactersMax: Readonly<Record<string, number>> = { '2.5.4.3': 64, '2.5.4.10': 64, '2.5.4.11': 64, '2.5.4.5': 64 }

/** Control characters end a name early for some readers, and others turn its direction: two names that look like one. */
const treacherous = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

/** Throws where the order is no name that can be in a certificate. */
export function nameOf(order: DistinguishedName): Name {
  const refuse = (reason: string) => new X509Error('subject', reason)
  const parts = order.flat()
  if (parts.length === 0) throw refuse('the subject is empty')
  if (parts.length > limits.certificateSubjectPartsMax) throw refuse(`a subject has at most ${limits.certificateSubjectPartsMax} parts`)
  const json: JsonName = order
    .filter(together => together.length > 0)
    .map(together => {
      const all: Record<string, string[]> = {}
      for (const { type, value } of together) {
        const oid = dotted.test(type) ? type : byUpperCase.get(type.toUpperCase())
        if (oid === undefined) throw refuse('a part of the subject has an unknown type')
        if (value === '' || value.length > (charactersMax[oid] ?? 128) || treacherous.test(value))
          throw refuse('a part of the subject is empty, too long, or has characters that are not drawn')
        if (oid === oids.C && !/^[A-Za-z]{2}$/.test(value)) throw refuse('a country has two letters (ISO 3166)')
        all[oid] = [...(all[oid] ?? []), value]
      }
      return all
    })
  try {
    const name = new Name(json)
    // Hexadecimal values (RFC 4514 2.4) are taken as they are: what comes out has to be a name still.
    parseDer(name.toArrayBuffer(), NameSyntax)
    return name
  } catch (cause) {
    throw new X509Error('subject', 'the subject is no distinguished name', { cause })
  }
}

/** A text such as `CN=camera,O=Company` (RFC 4514: the most general part comes last, and many clients write it the other way round). */
export function parseNameText(text: string): DistinguishedName {
  if (text.length > limits.keystoreTextCharactersMax * 4 || treacherous.test(text))
    throw new X509Error('subject', 'the subject is too long, or has characters that are not drawn')
  try {
    return new Name(text).toJSON().map(together =>
      Object.entries(together).flatMap(([type, values]) =>
        values.map(value => {
          if (typeof value !== 'string') throw new Error('no text')
          return { type, value }
        }),
      ),
    )
  } catch (cause) {
    throw new X509Error('subject', 'the subject is no text such as CN=camera,O=Company', { cause })
  }
}

/** As RFC 4514 writes it, for people; characters that are not drawn are not in it, because no such certificate is taken. */
export const nameText = (name: NameSyntax): string => new Name(name).toString()

/** The common names, for the mapping to users (Security 5.3.2). */
export const commonNames = (name: NameSyntax): readonly string[] =>
  [...name]
    .flatMap(part => [...part])
    .filter(({ type }) => type === oids.CN)
    .map(({ value }) => value.toString())

export function assertHonestName(name: NameSyntax): void {
  const parts = [...name].flatMap(part => [...part])
  if (parts.length > limits.certificateSubjectPartsMax) throw new X509Error('format', 'a name in the certificate has too many parts')
  for (const { value } of parts)
    if (treacherous.test(value.toString())) throw new X509Error('format', 'a name in the certificate has characters that are not drawn')
}

export function assertHonestAlternatives(names: readonly GeneralName[]): void {
  for (const { dNSName, rfc822Name, uniformResourceIdentifier } of names)
    if ([dNSName, rfc822Name, uniformResourceIdentifier].some(text => text !== undefined && treacherous.test(text)))
      throw new X509Error('format', 'a name in the certificate has characters that are not drawn')
}
