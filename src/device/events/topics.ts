/** The types of items: what a client finds in the description of a topic. */
interface ItemValues {
  'xs:string': string
  'xs:float': number
  'xs:int': number
  'xs:boolean': boolean
  'xs:dateTime': Date
  'tt:ReferenceToken': string
  'tt:IPv4Address': string
  'tt:IPv6Address': string
  'tt:RelayLogicalState': 'active' | 'inactive'
  'tas:KeyID': string
  'tas:KeyStatus': 'ok' | 'generating' | 'corrupt'
}

export type ItemType = keyof ItemValues

export type ItemDescription = ItemType | { readonly type: ItemType; readonly optional: true }

export interface TopicDescription {
  /** It has a state, which somebody who comes later is told first; otherwise it is an occurrence, and gone. */
  readonly isProperty: boolean
  /** What tells several of a kind from one another. */
  readonly source: Readonly<Record<string, ItemType>>
  readonly data: Readonly<Record<string, ItemDescription>>
}

/** The prefixes in the names of topics. The second is ours, for what no topic of ONVIF says. */
export const topicNamespaces = {
  tns1: 'http://www.onvif.org/ver10/topics',
  ofd: 'http://onvifd.org/ver10/topics',
} as const

/** Every topic that the product can emit. Core 8.9 unless noted; items of ours in one of ONVIF's carry our prefix (Core 9.4.1). */
export const topics = {
  'tns1:Monitoring/ProcessorUsage': { isProperty: true, source: { Token: 'tt:ReferenceToken' }, data: { Value: 'xs:float' } },
  'tns1:Monitoring/UploadStatus': { isProperty: true, source: {}, data: { Status: 'xs:float' } },
  'tns1:Monitoring/OperatingTime/LastReset': { isProperty: true, source: {}, data: { Status: 'xs:dateTime' } },
  'tns1:Monitoring/OperatingTime/LastReboot': { isProperty: true, source: {}, data: { Status: 'xs:dateTime' } },
  'tns1:Monitoring/OperatingTime/LastClockSynchronization': { isProperty: true, source: {}, data: { Status: 'xs:dateTime' } },
  'tns1:Monitoring/Backup/Last': { isProperty: true, source: {}, data: { Status: 'xs:dateTime' } },
  'tns1:Monitoring/AsynchronousOperationStatus': {
    isProperty: true,
    source: { Token: 'tt:ReferenceToken', OperationName: 'xs:string', ServiceName: 'xs:string' },
    data: {
      Progress: 'xs:float',
      'ofd:State': 'xs:string',
      'ofd:Version': { type: 'xs:string', optional: true },
      'ofd:Reason': { type: 'xs:string', optional: true },
    },
  },
  // These two have no description in Core: they happen.
  'tns1:Device/OperationMode/ShutdownInitiated': { isProperty: false, source: {}, data: {} },
  'tns1:Device/OperationMode/UploadInitiated': { isProperty: false, source: {}, data: {} },
  // Core 8.5.6
  'tns1:Device/SecurityPolicy/AuthFailed': {
    isProperty: false,
    source: { NetworkInterface: 'tt:ReferenceToken' },
    data: { SourceIPv4: { type: 'tt:IPv4Address', optional: true }, SourceIPv6: { type: 'tt:IPv6Address', optional: true } },
  },
  // DeviceIO 5.10.2
  'tns1:Device/Trigger/Relay': {
    isProperty: true,
    source: { RelayToken: 'tt:ReferenceToken' },
    data: { LogicalState: 'tt:RelayLogicalState' },
  },
  // Security 5.6
  'tns1:Advancedsecurity/Keystore/KeyStatus': {
    isProperty: false,
    source: { KeyID: 'tas:KeyID' },
    data: { OldStatus: { type: 'tas:KeyStatus', optional: true }, NewStatus: 'tas:KeyStatus' },
  },
  // A reader was too slow, and so many messages are lost to him. He is told whatever his filter.
  'ofd:Events/Lost': { isProperty: false, source: {}, data: { Count: 'xs:int' } },
} as const satisfies Readonly<Record<string, TopicDescription>>

export type TopicName = keyof typeof topics

type Topics = typeof topics

type RequiredItems<D> = { readonly [K in keyof D as D[K] extends ItemType ? K : never]: D[K] extends ItemType ? ItemValues[D[K]] : never }

type OptionalItems<D> = {
  readonly [K in keyof D as D[K] extends ItemType ? never : K]?:
    | (D[K] extends { readonly type: infer T extends ItemType } ? ItemValues[T] : never)
    | undefined
}

export type SourceOf<T extends TopicName> = RequiredItems<Topics[T]['source']>
export type DataOf<T extends TopicName> = RequiredItems<Topics[T]['data']> & OptionalItems<Topics[T]['data']>

/** Topics with a state. */
export type PropertyName = { [T in TopicName]: Topics[T]['isProperty'] extends true ? T : never }[TopicName]
