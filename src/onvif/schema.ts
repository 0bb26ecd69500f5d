/**
 * The shape of the compiled contract (`contract.generated.ts`): plain data that the codec, the client and the tests read.
 * Names are qualified with the fixed prefix of their namespace, as in `tt:User`; built-in types are `xs:…`.
 */

/** Fixed prefixes of the contract, on the wire and in the tables. */
export type Prefix = string

/** `prefix:LocalName`. An anonymous type is named by the path to its element, as in `tds:GetHostnameResponse` or `tt:NetworkHost/Extension`. */
export type QualifiedName = string

export interface SimpleType {
  readonly kind: 'simple'
  /** Local name of the built-in type that the restriction chain ends in; absent for lists and unions. */
  readonly primitive?: string
  readonly list?: QualifiedName
  readonly union?: readonly QualifiedName[]
  readonly enumeration?: readonly string[]
  readonly pattern?: string
  readonly length?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minInclusive?: number
  readonly maxInclusive?: number
}

export interface ElementParticle {
  readonly kind: 'element'
  /** Prefix of its namespace; '' for an unqualified element. */
  readonly prefix: Prefix
  readonly name: string
  readonly type: QualifiedName
  readonly min: number
  /** Absent means unbounded. */
  readonly max?: number
  /** What an empty element means; an absent one means nothing. */
  readonly default?: string
  /** It may say of itself that it is not given (`xsi:nil`), which reads as if it were absent. */
  readonly nillable?: true
}

export interface AnyParticle {
  readonly kind: 'any'
  /** As written in the schema: `##any`, `##other`, `##targetNamespace` or namespace names. */
  readonly namespace: string
  /** Prefix of the schema's target namespace, which `##other` excludes. */
  readonly target: Prefix
  readonly processContents: 'lax' | 'skip' | 'strict'
  readonly min: number
  readonly max?: number
  /** Elements that the contract does not know are kept as they are, and not dropped; or all of them are. */
  readonly raw?: 'unknown' | 'all'
}

export interface ChoiceParticle {
  readonly kind: 'choice'
  readonly min: number
  readonly max?: number
  readonly alternatives: readonly (readonly Particle[])[]
}

export type Particle = ElementParticle | AnyParticle | ChoiceParticle

export interface Attribute {
  /** '' for an unqualified attribute, which is nearly all of them. */
  readonly prefix: Prefix
  readonly name: string
  readonly type: QualifiedName
  readonly required?: true
  readonly default?: string
}

/** Inheritance is already resolved: `content` and `attributes` hold the base type's first. */
export interface ComplexType {
  readonly kind: 'complex'
  readonly content: readonly Particle[]
  readonly attributes: readonly Attribute[]
  readonly anyAttribute?: true
  /** Type of the character content of a simpleContent type; it becomes the property `$value`. */
  readonly text?: QualifiedName
  /** Text may stand beside the elements: it becomes `$text`, and `$scope` says what the prefixes in it stand for. */
  readonly mixed?: true
}

export type Type = SimpleType | ComplexType

/**
 * One element that travels inside a wildcard, as its type's `$any` holds it: named in the contract, with its typed value.
 * Elements there that the contract does not know are dropped when decoding, but for those of events (`AnyOrRaw`).
 */
export interface AnyElement {
  readonly element: QualifiedName
  readonly value: unknown
}

/** An element as it is, whatever the contract knows of it. Its prefixes are the codec's business. */
export interface RawElement {
  /** Namespace name; '' for none. */
  readonly namespace: string
  readonly name: string
  readonly attributes: readonly RawAttribute[]
  readonly children: readonly RawElement[]
  /** The character data directly inside this element, joined. */
  readonly text: string
}

export interface RawAttribute {
  readonly namespace: string
  readonly name: string
  readonly value: string
}

/** An element in a wildcard that is kept as it is. */
export interface Raw {
  readonly xml: RawElement
}

/** What a wildcard of events holds: topic sets and filters are made of elements that nobody has declared. */
export type AnyOrRaw = AnyElement | Raw

/** The namespace that a prefix inside of a text stands for; '' asks for the default namespace. */
export type PrefixScope = (prefix: string) => string | undefined

export interface Contract {
  /** Namespace name of each prefix. */
  readonly namespaces: Readonly<Record<Prefix, string>>
  /** Type of each global element that a message, or a capability element inside a wildcard, needs. */
  readonly elements: Readonly<Record<QualifiedName, QualifiedName>>
  readonly types: Readonly<Record<QualifiedName, Type>>
  /**
   * Of each operation: request element, response element, its SOAPAction, which is also the wsa:Action of the request, and the wsa:Action
   * of the response. An operation of the Device service has its name for a key; those of other services have the prefix of their service
   * before it, as in `tas:GetDot1XConfiguration`, because services share names.
   */
  readonly operations: Readonly<
    Record<string, { readonly action: string; readonly request: QualifiedName; readonly response: QualifiedName; readonly reply: string }>
  >
  /** The messages that a device sends of its own accord, as `tev:Notify`: element and wsa:Action. Nothing answers them. */
  readonly notifications: Readonly<Record<string, { readonly action: string; readonly element: QualifiedName }>>
}
