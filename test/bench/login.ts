import { createHash, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { flag, folder, median, password, startOnvifd, user } from './bed.ts'

interface Timed {
  readonly ms: number
  readonly status: number
  /** Without what is another each time: date and nonces. */
  readonly answer: string
  readonly challenges: string
}

const envelope = (header: string) =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">${header}<s:Body><tds:GetUsers/></s:Body></s:Envelope>`

/** WSS UsernameToken Profile 1.0. */
function tokenFor(name: string, word: string): string {
  const [nonce, created] = [randomBytes(16), new Date().toISOString()]
  const digest = createHash('sha1').update(nonce).update(created).update(word).digest('base64')
  const wss = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'
  return `<s:Header><Security xmlns="${wss}-wssecurity-secext-1.0.xsd"><UsernameToken><Username>${name}</Username><Password Type="${wss}-username-token-profile-1.0#PasswordDigest">${digest}</Password><Nonce>${nonce.toString('base64')}</Nonce><Created xmlns="${wss}-wssecurity-utility-1.0.xsd">${created}</Created></UsernameToken></Security></s:Header>`
}

/** RFC 7616 3.4, with the first algorithm that is offered. */
function digestFor(challenges: string, name: string, word: string): string {
  const nonce = /nonce="([^"]+)"/.exec(challenges)?.[1] ?? ''
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  const response = md5(`${md5(`${name}:onvifd:${word}`)}:${nonce}:00000001:c:auth:${md5('POST:/onvif/device_service')}`)
  return `Digest username="${name}", realm="onvifd", nonce="${nonce}", uri="/onvif/device_service", cnonce="c", nc=00000001, qop=auth, algorithm=MD5, response="${response}"`
}

const ways = {
  'WS-UsernameToken': { token: true, digest: false },
  'HTTP Digest': { token: false, digest: true },
  both: { token: true, digest: true },
} as const

/** Names of one length, so that the messages are equally long. Each guess from a source of its own, so that none has to wait. */
export async function benchLogin(): Promise<void> {
  const server = await startOnvifd(join(folder, 'login'))
  const stranger = `${user.slice(0, -1)}x`
  let source = 0
  const agent = () => {
    const number = source++ % 65_000
    return new Agent({ localAddress: `127.${1 + (number >> 14)}.${(number >> 7) & 127}.${1 + (number & 127)}` })
  }

  function post(header: string, authorization: string | undefined): Promise<Timed> {
    const body = envelope(header)
    return new Promise((resolve, reject) => {
      const own = agent()
      const headers = { 'content-length': body.length, ...(authorization !== undefined && { authorization }) }
      let began = 0
      const sent = request({ agent: own, port: server.port, host: '127.0.0.1', path: '/onvif/device_service', method: 'POST', headers })
      // From the connection on: how long that takes has nothing to do with who logs in.
      sent.once('socket', socket => {
        socket.once('connect', () => {
          began = performance.now()
          sent.end(body)
        })
      })
      sent.once('response', response => {
        const ms = performance.now() - began
        let text = ''
        response.setEncoding('utf8').on('data', piece => {
          text += piece
        })
        response.once('end', () => {
          own.destroy()
          const challenges = String(response.headers['www-authenticate'] ?? '')
          const names = Object.keys(response.headers).join()
          const answer = `${response.statusCode} ${names} ${challenges.replace(/nonce="[^"]+"/g, '')} ${text}`
          resolve({ ms, status: response.statusCode ?? 0, answer, challenges })
        })
      })
      sent.once('error', reject)
    })
  }

  const rounds = flag('quick') ? 300 : 2000
  console.log(`\nLog-in: median time until the answer, ${rounds} guesses of each kind in turns, each from an address of its own`)
  for (const [way, { token, digest }] of Object.entries(ways)) {
    const times = { unknown: [] as number[], wrong: [] as number[] }
    const answers = new Set<string>()
    for (let round = -50; round < rounds; round++)
      for (const [kind, name] of [['unknown', stranger] as const, ['wrong', user] as const].sort(() => Math.random() - 0.5)) {
        const word = `not ${password} ${round + 1000}`
        const challenges = digest ? (await post('', undefined)).challenges : ''
        const timed = await post(token ? tokenFor(name, word) : '', digest ? digestFor(challenges, name, word) : undefined)
        if (timed.status !== 400 && timed.status !== 401) throw new Error(`${way} was answered with ${timed.status}`)
        answers.add(timed.answer)
        if (round >= 0) times[kind].push(timed.ms)
      }
    const [unknown, wrong] = [median(times.unknown), median(times.wrong)]
    console.log(
      `${way.padEnd(18)} unknown user ${unknown.toFixed(3)} ms, wrong password ${wrong.toFixed(3)} ms, difference ${Math.abs(unknown - wrong).toFixed(3)} ms (bound: 1); ${answers.size === 1 ? 'all answers are equal' : `${answers.size} DIFFERENT ANSWERS`}`,
    )
  }
  await server.stop()
}
