import { contract } from '../../src/onvif/contract.generated.ts'
import type { OperationName } from '../../src/onvif/types.generated.ts'
import type { TestDevice } from './device.ts'
import { operationNames, requestFor } from './requests.ts'

/** What is another with every call: the clock, logs that tell of the call itself, and a backup, which is encrypted anew. */
const changing: ReadonlySet<OperationName> = new Set(['GetSystemLog', 'GetSystemSupportInformation', 'GetSystemBackup', 'GetSystemUris'])

const getters = operationNames.filter(name => {
  const type = contract.types[contract.elements[contract.operations[name]?.request ?? ''] ?? '']
  return /^(?:\w+:)?Get/.test(name) && !changing.has(name) && type?.kind === 'complex' && type.content.every(({ min }) => min === 0)
})

/** Everything that a client can learn of a device by reading, answer by answer. The running clock is left out of its answer. */
export async function exportedState({ ask }: TestDevice): Promise<Readonly<Record<string, string>>> {
  const answers: Record<string, string> = {}
  for (const name of getters) {
    const { xml } = await ask(requestFor(name, 'minimal'))
    answers[name] = xml.replace(/<tt:(UTC|Local)DateTime>[\s\S]*?<\/tt:\1DateTime>/g, '')
  }
  return answers
}
