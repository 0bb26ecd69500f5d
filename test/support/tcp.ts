import { readFileSync } from 'node:fs'

export const lacksProc = process.platform !== 'linux' && 'there is no /proc'

const states = { ESTABLISHED: '01', SYN_SENT: '02' } as const

/** Connections to a port of the loopback in this state (proc(5)), as the end sees them that has the port, or the other one. */
export function connectionsOf(port: number, end: 'local' | 'remote', state: keyof typeof states): number {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  return rows
    .map(row => row.trim().split(/\s+/))
    .filter(([, local, remote, is]) => (end === 'local' ? local : remote) === wanted && is === states[state]).length
}
