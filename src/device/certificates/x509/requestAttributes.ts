import { AsnArray, AsnType, AsnTypeTypes } from '@peculiar/asn1-schema'
import { Attribute } from '@peculiar/asn1-x509'
import { limits } from '../../../limits.ts'
import { parseDer } from '../../der.ts'
import { assertSize } from './der.ts'
import type { AttributeOrder } from './making.ts'
import { reading, X509Error } from './x509Error.ts'

class AttributeSet extends AsnArray<Attribute> {}
AsnType({ type: AsnTypeTypes.Set, itemType: Attribute })(AttributeSet)

const SEQUENCE = 0x30

/** Attributes for a certification request in DER: a SET OF Attribute (RFC 2986 4.1), or one Attribute by itself. Throws X509Error. */
export function readAttributes(der: Uint8Array): readonly AttributeOrder[] {
  assertSize(der, limits.certificateBytesMax, 'list of attributes')
  const attributes = reading('list of attributes', () =>
    der[0] === SEQUENCE ? [parseDer(der, Attribute)] : [...parseDer(der, AttributeSet)],
  )
  return attributes.map(({ type, values }) => {
    const [value, ...more] = values
    if (value === undefined || more.length > 0) throw new X509Error('attribute', 'an attribute of a request has one value')
    return { kind: 'attribute', oid: type, value: new Uint8Array(value) }
  })
}
