import { once } from 'node:events'
import { Command, InvalidArgumentError } from 'commander'
import type { DeviceEvent, EventValue } from '../client/deviceEvent.ts'
import { watchEvents } from '../client/events.ts'
import { parseTopics, TopicError } from '../client/topicExpression.ts'
import { addConnectionOptions, type ConnectionOptions, urlArgument, withClient } from './connection.ts'
import { oneLine } from './text.ts'

interface Options extends ConnectionOptions {
  readonly topic?: readonly string[]
  readonly json?: boolean
}

export function eventsCommand(): Command {
  const command = new Command('events')
    .description(
      'Print the events of a device as they come, one a line, until Ctrl-C: time, topic, what happened to a property, [source], data. Goes on after a lost connection and over a reboot, and says so on standard error. Works with every ONVIF device that has pull points.',
    )
    .argument('<url>', urlArgument)
    .option(
      '--topic <topic>',
      'only events of this topic, such as Monitoring/UploadStatus, or of all below it, with //. at its end; can be given several times',
      collectTopics,
    )
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', examples)
  return addConnectionOptions(command).action((url: string, options: Options) =>
    withClient(url, options, async client => {
      const stop = new AbortController()
      const end = () => stop.abort()
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
      // Whoever reads has had enough: `| head`.
      process.stdout.on('error', end)
      const say = (text: string) => process.stderr.write(`onvifd: ${oneLine(text)}\n`)
      let isFirst = true
      const onConnected = () => {
        say(isFirst ? `watching ${client.url.host}; Ctrl-C ends` : 'connected again; events in between may be missing')
        isFirst = false
      }
      const onLost = ({ message }: Error) => say(`connection lost (${message}); trying again`)
      for await (const event of watchEvents(client, { topics: options.topic, signal: stop.signal, onConnected, onLost }))
        await print(options.json ? JSON.stringify(event) : present(event), stop.signal)
    }),
  )
}

/** A reader that is slow makes the device keep the events, not us. */
async function print(line: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || process.stdout.write(`${line}\n`)) return
  await once(process.stdout, 'drain', { signal }).catch(error => {
    if (!signal.aborted) throw error
  })
}

function present({ utcTime, topic, operation, source, data }: DeviceEvent): string {
  const subject = listed(source)
  const parts = [utcTime?.toISOString() ?? '-', topic || '-', operation ?? '-', ...(subject === '' ? [] : [`[${subject}]`]), listed(data)]
  return oneLine(parts.join(' '))
}

function listed(items: Readonly<Record<string, EventValue>>): string {
  return Object.entries(items)
    .map(([name, value]) => `${name}=${typeof value === 'string' && /^[^\s"=[\]]+$/.test(value) ? value : JSON.stringify(value)}`)
    .join(' ')
}

function collectTopics(text: string, before: readonly string[] = []): readonly string[] {
  try {
    return [...before, ...parseTopics([text])]
  } catch (error) {
    if (error instanceof TopicError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

const examples = `
Examples:
  onvifd events 192.168.1.20 --user admin
  onvifd events 192.168.1.20 --user admin --topic Monitoring/UploadStatus --topic tns1:Device//.
  onvifd events https://camera.local --user admin --json | jq -c 'select(.operation != "Initialized")'`
