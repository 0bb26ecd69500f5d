import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import type { TestContext } from 'node:test'

/** A network that cuts a connection when so many bytes have gone to the device on it; one number for each upload, in turn. Gives its address. */
export async function startCutter(t: TestContext, port: number, cuts: readonly number[]): Promise<URL> {
  const left = [...cuts]
  const server = createTcpServer(client => {
    const device = connectTcp({ port, host: '127.0.0.1' })
    const cut = () => {
      client.resetAndDestroy()
      device.resetAndDestroy()
    }
    let seen = 0
    client.on('data', piece => {
      seen += piece.length
      const limit = left[0]
      if (limit === undefined || seen < limit) {
        if (!device.write(piece)) {
          client.pause()
          device.once('drain', () => client.resume())
        }
        return
      }
      left.shift()
      // What came before the cut arrives.
      device.write(piece.subarray(0, Math.max(0, piece.length - (seen - limit))), () => setTimeout(cut, 20))
      client.removeAllListeners('data').pause()
    })
    device.pipe(client)
    for (const socket of [client, device]) socket.on('error', () => {}).on('close', () => (socket === client ? device : client).destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return new URL(`http://127.0.0.1:${address.port}`)
}
