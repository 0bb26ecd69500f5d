import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A TCP port of the loopback for somebody to listen on a moment later. Not from the range that the kernel takes ports for connections
 * and for port 0 from: another test, in another process, would have got it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000)
    const probe = createServer()
    try {
      probe.listen(port, '127.0.0.1')
      await once(probe, 'listening')
    } catch {
      continue
    }
    await new Promise(resolve => probe.close(resolve))
    return port
  }
}
