import { createReadStream } from 'node:fs'
import { Command } from 'commander'
import { imageFile, type UpgradeResult, upgradeFirmware } from '../client/upgradeFirmware.ts'
import { parseDescription } from '../device/firmware/description.ts'
import { openSwu } from '../device/firmware/swu.ts'
import { ImageError } from '../platform/platform.ts'
import { addConnectionOptions, type ConnectionOptions, parseSeconds, urlArgument, withClient } from './connection.ts'
import { inReason } from './firmwareText.ts'
import { createProgressView } from './progressView.ts'
import { oneLine } from './text.ts'

interface Options extends ConnectionOptions {
  readonly user: string
  readonly wait?: number
  readonly json?: boolean
}

export function upgradeCommand(): Command {
  const command = new Command('upgrade')
    .description(
      'Send a firmware image to a device, wait until it has restarted, and show both versions. An upload that breaks goes on where it was, and the verdict on the new image is waited for, where the device is an onvifd. Works with every ONVIF device that takes firmware over HTTP (StartFirmwareUpgrade); the image is the one that its maker gives out.',
    )
    .argument('<url>', urlArgument)
    .argument('<image>', 'file with the image')
    .option('--wait <seconds>', 'how long the device may be away, instead of four times what it says', parseSeconds)
    .option('--json', 'print one JSON object at the end, and no progress')
    .addHelpText('after', examples)
  return addConnectionOptions(command).action(async (url: string, path: string, options: Options) => {
    const image = await imageFile(path)
    const view = options.json ? undefined : createProgressView(process.stdout)
    const downTimeMaxMs = options.wait === undefined ? undefined : options.wait * 1000
    const result = await withClient(url, options, client =>
      upgradeFirmware(client, image, { onProgress: view?.show, downTimeMaxMs }).finally(() => view?.end()),
    )
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`)
    else process.stdout.write(present(result, url))
    if (result.failure) throw new Error(`the device went back to ${oneLine(result.newVersion)}: ${inReason(result.failure)}`)
    if (result.outcome !== undefined) return
    if (result.newVersion === result.oldVersion) assertReinstalled(result, await versionOf(path))
  })
}

function present({ oldVersion, newVersion, transaction, outcome }: UpgradeResult, url: string): string {
  const versions = `Firmware ${oneLine(oldVersion)} → ${oneLine(newVersion)}\n`
  if (outcome === undefined || transaction === undefined) return versions
  const id = `transaction ${oneLine(transaction)}`
  if (outcome === 'held') return `Installed (${id}). To restart into it: onvifd firmware activate ${url}\n`
  return outcome === 'confirmed' ? `Confirmed: the new image is kept (${id})\n${versions}` : `Given up (${id})\n${versions}`
}

/** A device that runs what it ran before has gone back to it, unless just that was to be installed again. */
function assertReinstalled({ newVersion, wasAway }: UpgradeResult, wanted: string | undefined): void {
  const runs = `the device took the image, but runs ${oneLine(newVersion)} as before`
  if (!wasAway) throw new Error(`${runs} and was not seen to restart: look at its log`)
  if (wanted === undefined) throw new Error(`${runs}: it went back, or the image holds the same version`)
  if (wanted !== newVersion) throw new Error(`${runs}: it went back from ${oneLine(wanted)}; its log tells why`)
}

/** What the head of a SWU image says, unverified; undefined for the images of other makers. */
async function versionOf(path: string): Promise<string | undefined> {
  const file = createReadStream(path)
  try {
    return parseDescription((await openSwu(file)).description).version
  } catch (error) {
    if (error instanceof ImageError) return undefined
    throw error
  } finally {
    file.destroy()
  }
}

const examples = `
Examples:
  onvifd upgrade 192.168.1.20 firmware-1.1.0.swu --user admin
  onvifd upgrade https://camera.local firmware.bin --user admin --password-file secret.txt --ca site-ca.pem
  ONVIFD_PASSWORD=… onvifd upgrade 127.0.0.1:8080 firmware-1.1.0.swu --user admin --json`
