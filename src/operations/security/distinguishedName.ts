import type { DistinguishedName as Order } from '../../device/certificates/x509/names.ts'
import type { DistinguishedName } from '../../onvif/types.generated.ts'

/** The lists of tas:DistinguishedName from the most general part of a name to the most special, each with its keyword (RFC 4514, X.520). */
const keywords = [
  ['Country', 'C'],
  ['StateOrProvinceName', 'ST'],
  ['Locality', 'L'],
  ['Organization', 'O'],
  ['OrganizationalUnit', 'OU'],
  ['Title', 'title'],
  ['Surname', 'SN'],
  ['GivenName', 'GN'],
  ['Initials', 'initials'],
  ['Pseudonym', 'pseudonym'],
  ['GenerationQualifier', 'generationQualifier'],
  ['DistinguishedNameQualifier', 'dnQualifier'],
  ['SerialNumber', 'serialNumber'],
  ['CommonName', 'CN'],
] as const

/** Security 5.2.6.3.1: every value is a part of the name of its own, but for those that the client puts together. */
export function readSubject(subject: DistinguishedName): Order {
  const { GenericAttribute = [], MultiValuedRDN = [], anyAttribute } = subject
  return [
    ...(anyAttribute?.DomainComponent ?? []).map(value => [{ type: 'DC', value }]),
    ...keywords.flatMap(([list, type]) => (subject[list] ?? []).map(value => [{ type, value }])),
    ...GenericAttribute.map(({ Type, Value }) => [{ type: Type, value: Value }]),
    ...MultiValuedRDN.map(({ Attribute = [] }) => Attribute.map(({ Type, Value }) => ({ type: Type, value: Value }))),
  ]
}
