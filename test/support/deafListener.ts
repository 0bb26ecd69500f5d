/** Listens with room for one connection, and says where. Its parent stops it, so that it takes none. */
import { createServer } from 'node:net'

const server = createServer(() => {})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  const address = server.address()
  process.send?.(typeof address === 'object' ? address?.port : undefined)
})
process.once('disconnect', () => process.exit())
