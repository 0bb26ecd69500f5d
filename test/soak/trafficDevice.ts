import { createDevice } from '../../src/createDevice.ts'
import { admin } from '../support/daemon.ts'

// A device in a process of its own that is found on a UDP port of which nobody else knows: `onvifd serve` has no option for that.
const [state = '', discoveryPort = ''] = process.argv.slice(2)
const device = await createDevice({
  state,
  port: 0,
  discoveryPort: Number(discoveryPort),
  bootTime: 0.2,
  adminPassword: admin.password,
  logFormat: 'json',
  logLevel: 'warn',
  terminal: process.stderr,
})
process.once('SIGTERM', () => void device.stop())
process.stdout.write(`ready ${await device.start()}\n`)
