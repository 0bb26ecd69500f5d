import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Why system calls cannot be watched here; undefined where they can. */
export const lacksStrace: string | undefined =
  spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? undefined : 'strace is not installed, or may not trace here'

/** The device reads and writes its settings on the main thread, and its firmware on the one worker that it is given. */
export type Thread = 'main' | 'worker'

/** One system call of the device: the `nth` of this name for this file on its thread since the watching began. */
export interface SystemCall {
  readonly thread: Thread
  readonly name: string
  readonly path: string
  readonly nth: number
  /** How many of each name came before it, for this file on its thread. */
  readonly earlier: Readonly<Record<string, number>>
  /** Where the name of the file is drawn, which is another one each time: the how-manieth of this name for any file. */
  readonly nthOfAny?: number | undefined
  /** As strace wrote it, without what is written. */
  readonly text: string
}

/** With it libuv has one worker, whose calls come in an order. */
export const oneWorker = { UV_THREADPOOL_SIZE: '1' }

/** Calls that change a file system; an `open` only where it makes a file. */
const changing = [
  ...['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'truncate', 'fallocate', 'fsync', 'fdatasync'],
  ...['rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir', 'link', 'linkat', 'symlink', 'symlinkat'],
  ...['chmod', 'fchmod', 'fchmodat', 'utimensat', 'open', 'openat', 'copy_file_range', 'sendfile'],
] as const
/** A UUID. */
const drawn = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/
const reading = ['pread64', 'read'] as const

export interface Effect {
  /** As strace takes it: `signal=KILL`, `error=EIO`. */
  readonly inject: string
  /** Not only this call, but every one of its name from then on; or every one, as where the disk has gone. */
  readonly lasts?: 'its name' | 'all'
}

/** Runs strace on a process that is there; resolves when it watches. */
async function attach(args: readonly string[]): Promise<{ detach(): Promise<string> }> {
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const closed = once(child, 'close')
  const deadline = performance.now() + 10_000
  while (!/ attached/.test(text) && child.exitCode === null && performance.now() < deadline) await sleep(2)
  return {
    async detach() {
      child.kill('SIGINT')
      await closed
      return text
    },
  }
}

function threadsOf(pid: number): ReadonlyMap<number, Thread> {
  const found = readdirSync(`/proc/${pid}/task`).map(Number)
  const isWorker = (tid: number) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').startsWith('libuv-worker')
  const worker = found.find(isWorker)
  return new Map([[pid, 'main'], ...(worker === undefined ? [] : [[worker, 'worker'] as const])])
}

/** The calls by which the process changes files of this folder while `act` runs, and for a moment after it; or `reads` of them too. */
export async function recordCalls(
  pid: number,
  folder: string,
  act: () => Promise<unknown>,
  { reads = false, afterMs = 150 } = {},
): Promise<readonly SystemCall[]> {
  const names = reads ? [...changing, ...reading] : changing
  const known = threadsOf(pid)
  const watching = await attach(['-f', '-y', '-s', '0', '-e', `trace=${names.join(',')}`, '-e', 'signal=none', '-p', String(pid)])
  await act()
  await sleep(afterMs)
  // A process that was only about to start had no worker.
  const threads = new Map([...known, ...threadsOf(pid)])
  const counts = new Map<string, Record<string, number>>()
  const anywhere = new Map<string, number>()
  const calls: SystemCall[] = []
  for (const line of (await watching.detach()).split('\n')) {
    const [, tid = '', name = '', args = ''] = /^(?:\[pid\s+(\d+)\]\s+)?(\w+)\((.*)$/.exec(line) ?? []
    const thread = threads.get(tid === '' ? pid : Number(tid))
    if (name === '' || thread === undefined) continue
    const nthOfAny = (anywhere.get(`${thread} ${name}`) ?? 0) + 1
    anywhere.set(`${thread} ${name}`, nthOfAny)
    // Of a file that is open as `-y` shows it, of any other as it is named.
    const [, open, named] = /^(?:\d+<([^>]*)>|(?:AT_FDCWD<[^>]*>, )?"([^"]*)")/.exec(args) ?? []
    const path = open ?? named ?? ''
    if (!path.startsWith(folder)) continue
    const earlier = counts.get(`${thread} ${path}`) ?? {}
    const nth = (earlier[name] ?? 0) + 1
    counts.set(`${thread} ${path}`, { ...earlier, [name]: nth })
    if (reads || !name.startsWith('open') || args.includes('O_CREAT'))
      calls.push({
        thread,
        name,
        path,
        nth,
        earlier,
        ...(drawn.test(path) && { nthOfAny }),
        text: `${name}(${args.replaceAll(folder, '').slice(0, 100)}`,
      })
  }
  return calls
}

/** Lets this call, when it comes while `act` runs, end as the effect says. */
export async function injected<T>(
  pid: number,
  { thread, name, path, nth, earlier, nthOfAny }: SystemCall,
  { inject, lasts }: Effect,
  act: () => Promise<T>,
): Promise<T> {
  const tid = [...threadsOf(pid)].find(([, role]) => role === thread)?.[0]
  const struck = (each: string) => (each === name ? (nthOfAny ?? nth) : (earlier[each] ?? 0) + 1)
  const names = lasts === 'all' ? [...new Set<string>([name, ...changing])] : [name]
  const injections = names.flatMap(each => ['-e', `inject=${each}:${inject}:when=${struck(each)}${lasts === undefined ? '' : '+'}`])
  // What the same thread does with its sockets is none of our business. Of a worker that is not there yet it takes whoever comes.
  const whom = tid === undefined ? ['-f', '-p', String(pid)] : ['-p', String(tid)]
  const watching = await attach([
    '-o',
    '/dev/null',
    '-P',
    path,
    '-e',
    `trace=${names.join(',')}`,
    '-e',
    'signal=none',
    ...injections,
    ...whom,
  ])
  try {
    return await act()
  } finally {
    await watching.detach()
  }
}
