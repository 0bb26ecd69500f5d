/** `npm run compare-contract [-- folder]`: compares what wsdl/ says with ONVIF's own files, documentation aside. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Attribute, Particle, QualifiedName } from '../src/onvif/schema.ts'
import { carried, loadOurs } from './generate.ts'
import { type Definition, loadModel, type Message, type Model } from './schemaLoader.ts'

/** Where ONVIF's files of release 26.06 are looked for; they are not part of this repository. */
export const officialFolder = resolve(import.meta.dirname, '../../shared/reference/onvif-26.06')

export interface Difference {
  /** What differs, as in `tt:User/Username`. */
  readonly key: string
  readonly ours: string | undefined
  readonly theirs: string | undefined
}

export function loadOfficial(folder: string): Model {
  const files = ['device/wsdl/devicemgmt.wsdl', 'advancedsecurity/wsdl/advancedsecurity.wsdl', 'events/wsdl/event.wsdl']
  return loadModel(
    files.map(file => join(folder, 'ver10', file)),
    { catalog: join(folder, 'catalog.xml'), carried, without: notOffered },
  )
}

/** Port types of WS-BaseNotification that wsdl/ does not have; SOURCE.md says why. */
const notOffered = new Set(['wsntw:PullPoint', 'wsntw:CreatePullPoint', 'wsntw:PausableSubscriptionManager'])

export function compareModels(ours: Model, theirs: Model): Difference[] {
  const left = factsOf(ours)
  const right = factsOf(theirs)
  return [...new Set([...left.keys(), ...right.keys()])]
    .map(key => ({ key, ours: left.get(key), theirs: right.get(key) }))
    .filter(difference => difference.ours !== difference.theirs)
}

/** The differences that SOURCE.md gives a reason for: the first cell of its table, in backquotes. */
export function acceptedDifferences(text = readFileSync(join(import.meta.dirname, 'SOURCE.md'), 'utf8')): ReadonlySet<string> {
  return new Set([...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key = '']) => key))
}

/** Everything that a model says, one line per fact, so that two of them can be compared. */
function factsOf(model: Model): ReadonlyMap<string, string> {
  const facts = new Map<string, string>()
  const add = (key: string, value: string): void => {
    if (facts.has(key)) throw new Error(`two facts have the key ${key}`)
    facts.set(key, value)
  }
  for (const { prefix, name: service, portTypes } of model.services) {
    if (service !== undefined) add(`service ${prefix}`, service)
    for (const { name: portType, binding, operations } of portTypes) {
      add(`portType ${portType}`, binding)
      for (const { name, soapAction, request, response, faults } of operations) {
        const messages = [`request ${messageFact(request)}`, response ? `response ${messageFact(response)}` : 'no response']
        const refusals = faults.map(fault => `fault ${messageFact(fault)}`)
        add(`operation ${portType}/${name}`, [`action ${soapAction}`, ...messages, ...refusals].join(', '))
      }
    }
  }
  for (const [name, type] of model.elements) add(`element ${name}`, type)
  for (const [name, definition] of model.definitions) {
    for (const [key, value] of definitionFacts(name, definition)) add(key, value)
  }
  return facts
}

const messageFact = ({ name, part, element, action }: Message): string => `${name}(${part} ${element}) as ${action}`

type Fact = readonly [key: string, value: string]

function definitionFacts(name: QualifiedName, definition: Definition): Fact[] {
  if (definition.kind === 'simple') {
    const { base, list, union } = definition
    const derivation = union ? `union of ${union.join(' ')}` : list === undefined ? `restriction of ${base}` : `list of ${list}`
    return [[`type ${name}`, `${derivation} ${definition.facets.map(facet => `${facet.name}=${facet.value}`).join(' ')}`]]
  }
  const { base, text, mixed, abstract, content, attributes, anyAttribute } = definition
  const kind = `${abstract ? 'abstract ' : ''}${mixed ? 'mixed ' : ''}`
  const facts: Fact[] = [[`type ${name}`, kind + (base === undefined ? 'complex' : `extension of ${base}${text ? ' (text)' : ''}`)]]
  content.forEach((particle, index) => {
    facts.push(...particleFacts(name, particle, `position ${index + 1}`))
  })
  for (const attribute of attributes) facts.push(attributeFact(name, attribute))
  if (anyAttribute) facts.push([`${name}/@*`, `${anyAttribute.namespace} ${anyAttribute.processContents}`])
  return facts
}

function attributeFact(owner: QualifiedName, { prefix, name, type, required, default: fallback }: Attribute): Fact {
  const key = `${owner}/@${prefix === '' ? '' : `${prefix}:`}${name}`
  return [key, `${type}, ${required ? 'required' : 'optional'}${fallback === undefined ? '' : `, default ${fallback}`}`]
}

function particleFacts(owner: QualifiedName, particle: Particle, place: string): Fact[] {
  const occurrence = `${particle.min}..${particle.max ?? 'unbounded'}`
  switch (particle.kind) {
    case 'element': {
      const fallback = `${particle.default === undefined ? '' : `, default ${particle.default}`}${particle.nillable ? ', nillable' : ''}`
      return [[`${owner}/${particle.name}`, `${place}, ${particle.prefix}:${particle.name} of ${particle.type}, ${occurrence}${fallback}`]]
    }
    case 'any':
      return [[`${owner}/*`, `${place}, ${particle.namespace} ${particle.processContents}, ${occurrence}`]]
    case 'choice': {
      const members = particle.alternatives.flatMap((alternative, index) =>
        alternative.flatMap((each, step) => particleFacts(owner, each, `${place}, alternative ${index + 1}.${step + 1}`)),
      )
      return [[`${owner}/choice`, `${place}, ${occurrence}`], ...members]
    }
  }
}

/** Prints the differences; false if one is not accepted, or an accepted one is gone. */
function report(folder: string): boolean {
  if (!existsSync(folder)) {
    console.log(`Skipped: ${folder} does not exist.`)
    return true
  }
  const accepted = acceptedDifferences()
  const differences = compareModels(loadOurs(), loadOfficial(folder))
  for (const { key, ours, theirs } of differences) {
    console.log(
      `${accepted.has(key) ? 'accepted' : 'DIFFERENT'}: ${key}\n  wsdl/:    ${ours ?? 'absent'}\n  official: ${theirs ?? 'absent'}`,
    )
  }
  const unexplained = differences.filter(({ key }) => !accepted.has(key))
  const gone = [...accepted].filter(key => !differences.some(difference => difference.key === key))
  for (const key of gone) console.log(`SOURCE.md lists ${key}, which does not differ.`)
  console.log(`${differences.length} differences, ${unexplained.length} of them without a reason in SOURCE.md.`)
  return unexplained.length === 0 && gone.length === 0
}

if (import.meta.main) process.exitCode = report(resolve(process.argv[2] ?? officialFolder)) ? 0 : 1
