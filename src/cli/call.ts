import { text as readText } from 'node:stream/consumers'
import { Command } from 'commander'
import { addConnectionOptions, type ConnectionOptions, urlArgument, withClient } from './connection.ts'
import { UsageError } from './failure.ts'

export function callCommand(): Command {
  const command = new Command('call')
    .description(
      'Call any operation that the WSDL of a service knows and print the answer as JSON. The WSDL is asked of the device; if it has none, the one of the Device service that comes with onvifd is used.',
    )
    .argument('<url>', urlArgument)
    .argument('<operation>', 'as the WSDL spells it: GetHostname')
    .argument('[json]', 'children by name, attributes under "attributes"; - reads it from standard input', '{}')
    .option('--wsdl <url>', 'WSDL to go by: a URL or a file')
    .addHelpText('after', examples)
  return addConnectionOptions(command).action(
    async (url: string, operation: string, json: string, options: ConnectionOptions & { wsdl?: string }) => {
      const request = parseRequest(json === '-' ? await readText(process.stdin) : json)
      const { callByWsdl } = await import('../client/wsdlCall.ts')
      const answer = await withClient(url, options, client => callByWsdl(client, { operation, request, wsdl: options.wsdl }))
      process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`)
    },
  )
}

function parseRequest(json: string): object {
  try {
    const request: unknown = JSON.parse(json)
    if (typeof request === 'object' && request !== null && !Array.isArray(request)) return request
  } catch {
    // Told below, without the text: it may hold a password.
  }
  throw new UsageError('the request is no JSON object: write it like \'{"Name":"camera-1"}\'')
}

const examples = `
Examples:
  onvifd call camera.local GetSystemDateAndTime
  onvifd call 192.168.1.20 SetHostname '{"Name":"camera-1"}' --user admin
  onvifd call 192.168.1.20 CreateUsers - --user admin < users.json
  onvifd call http://192.168.1.20/onvif/media_service GetProfiles --wsdl media.wsdl --user admin

Where onvifd is installed as a package, this command needs another one beside it: npm install soap`
