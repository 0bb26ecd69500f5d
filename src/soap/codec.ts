import type { Contract, QualifiedName } from '../onvif/schema.ts'
import type { OperationName, Operations } from '../onvif/types.generated.ts'
import { Decoder } from './decode.ts'
import { Encoder } from './encode.ts'
import type { XmlElement } from './xml.ts'

/** Between the elements of messages and typed values, driven by the compiled contract. */
export interface Codec {
  /** The operation whose request an element is, or undefined. Nothing but the element decides. */
  operationOf(body: XmlElement): OperationName | undefined
  /** Throws the fault that names the element or attribute and the rule it breaks. */
  decodeRequest<O extends OperationName>(operation: O, body: XmlElement): Operations[O]['request']
  /** Throws an Error, not a fault, on a value that does not fit: that is a bug of ours. */
  encodeResponse<O extends OperationName>(operation: O, response: Operations[O]['response']): string
  /** Any global element of the contract, a response as well as a request: for clients and tests. */
  decode(name: QualifiedName, element: XmlElement): unknown
  encode(name: QualifiedName, value: unknown): string
}

export interface CodecOptions {
  /** Refuse what real clients get wrong, too; what is lenient otherwise is told at `Decoder`. */
  readonly strict?: boolean
}

export function createCodec(contract: Contract, { strict = false }: CodecOptions = {}): Codec {
  const decoder = new Decoder(contract, strict)
  const encoder = new Encoder(contract)
  const operations = new Map(Object.entries(contract.operations).map(([name, { request }]) => [request, name]))
  const isOperation = (name: string | undefined): name is OperationName => name !== undefined && Object.hasOwn(contract.operations, name)

  function row(operation: OperationName) {
    const names = contract.operations[operation]
    if (!names) throw new Error(`the contract has no operation ${operation}`)
    return names
  }

  return {
    operationOf(body) {
      const name = operations.get(decoder.nameOf(body) ?? '')
      return isOperation(name) ? name : undefined
    },

    decodeRequest<O extends OperationName>(operation: O, body: XmlElement): Operations[O]['request'] {
      // The one place where a type is claimed and not proven: tables and types come from the same run of the generator, and
      // test/property shows for every message that what is decoded by the table is what was encoded.
      return decoder.decode(row(operation).request, body) as Operations[O]['request']
    },

    encodeResponse(operation, response) {
      return encoder.encode(row(operation).response, response)
    },

    decode: (name, element) => decoder.decode(name, element),
    encode: (name, value) => encoder.encode(name, value),
  }
}
