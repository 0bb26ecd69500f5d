import { Command } from 'commander'
import { type FirmwareControl, firmwareControl, followUpgrade } from '../client/firmwareControl.ts'
import type { UpgradeReport } from '../client/firmwareReport.ts'
import type { OnvifClient } from '../client/onvifClient.ts'
import { limits } from '../limits.ts'
import { addConnectionOptions, type ConnectionOptions, parseSeconds, urlArgument, withClient } from './connection.ts'
import { inReason, inWords, presentEnd, presentHistory, presentReport } from './firmwareText.ts'
import { createMeter } from './progressView.ts'
import { oneLine } from './text.ts'

interface Options extends ConnectionOptions {
  readonly json?: boolean
}

interface WatchOptions extends Options {
  readonly watch?: boolean
  readonly wait: number
}

export function firmwareCommand(): Command {
  const command = new Command('firmware')
    .description(
      'Look after the upgrade of an onvifd device: see how it stands, and decide. Needs an Administrator. Devices of other makers have nothing like it.',
    )
    .addHelpText('after', examples('status', 'confirm', 'history'))
  const status = on('status', 'Show how the upgrade stands, what it waits for, and what is in the slots.')
    .option('--watch', 'stay until the upgrade has ended, over its restarts; ends with 1 if it failed')
    .option('--wait <seconds>', 'with --watch: how long the device may be away', parseSeconds, limits.clientDownTimeMinMs / 1000)
  command.addCommand(status.action((url: string, options: WatchOptions) => withClient(url, options, client => show(client, options))))
  for (const [order, meaning] of orders) {
    command.addCommand(
      on(order, meaning).action((url: string, options: Options) =>
        withClient(url, options, async client => {
          const receipt = await firmwareControl(client).order(order)
          const id = receipt.transaction === '' ? '' : ` (transaction ${oneLine(receipt.transaction)})`
          process.stdout.write(options.json ? `${JSON.stringify(receipt)}\n` : `The device says: ${receipt.message}${id}\n`)
        }),
      ),
    )
  }
  const history = on('history', 'Show how the last upgrades ended, the newest first.')
  return command.addCommand(
    history.action((url: string, options: Options) =>
      withClient(url, options, async client => {
        const ends = await firmwareControl(client).history()
        process.stdout.write(options.json ? `${JSON.stringify(ends.toReversed(), undefined, 2)}\n` : presentHistory(ends))
      }),
    ),
  )
}

const orders = [
  ['activate', 'Restart into the image that is installed (for devices with --activate manual).'],
  [
    'confirm',
    'Keep the image that runs on trial (for devices with --confirm operator or both); or, where the boot record is lost, what runs.',
  ],
  ['rollback', 'Give up the image that runs on trial, and go back to the one before.'],
  ['abort', 'Break off an upload, or give up an image that is installed and not activated.'],
] as const

const on = (name: string, meaning: string): Command =>
  addConnectionOptions(
    new Command(name)
      .description(meaning)
      .argument('<url>', urlArgument)
      .option('--json', 'print JSON instead of text')
      .addHelpText('after', examples(name)),
  )

async function show(client: OnvifClient, options: WatchOptions): Promise<void> {
  const control = firmwareControl(client)
  let report = await control.report()
  const end = options.watch && report.transaction !== undefined ? await watch(control, report.transaction, options) : undefined
  if (end) report = end.report
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : presentReport(report, client.url))
  if (end?.end?.failure) throw new Error(`the upgrade failed: ${inReason(end.end.failure)}`)
}

/** A line whenever something has changed, and a bar while bytes arrive; nothing of it with --json. */
async function watch(control: FirmwareControl, transaction: string, { json, wait }: WatchOptions) {
  const meter = createMeter(process.stdout)
  let told = ''
  const say = (line: string) => {
    // What is left of a deadline is no news.
    const news = line.replace(/\d+ s\b/g, '')
    if (json || news === told) return
    told = news
    meter.end()
    process.stdout.write(`${line}\n`)
  }
  const onReport = (report: UpgradeReport) => {
    if (report.transaction !== transaction) return
    const { state, receivedBytes, expectedBytes } = report
    if (state !== 'Transfer' || expectedBytes === undefined) say(inWords(report))
    else if (!json) meter.update(receivedBytes, expectedBytes)
  }
  const onAway = () => say('The device does not answer; it restarts, one would think')
  try {
    const followed = await followUpgrade(control, transaction, { onReport, onAway, awayMaxMs: wait * 1000 })
    say(followed.end ? `Ended: ${presentEnd(followed.end)}` : 'Ended without a result')
    if (!json) process.stdout.write('\n')
    return followed
  } finally {
    meter.end()
  }
}

function examples(...names: readonly string[]): string {
  const lines: Readonly<Record<string, readonly string[]>> = {
    status: ['status 192.168.1.20 --user admin', 'status 192.168.1.20 --user admin --watch', 'status 127.0.0.1:8080 --user admin --json'],
  }
  const all = names.flatMap(name => lines[name] ?? [`${name} 192.168.1.20 --user admin`])
  return `\nExamples:\n${all.map(line => `  onvifd firmware ${line}`).join('\n')}`
}
