import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { UploadTarget } from '../../src/device/upload.ts'
import { run, temporaryFolder } from '../support/daemon.ts'
import { admin, openDoor, soapAnswer } from './door.ts'

const skip = spawnSync('curl', ['--version']).error ? 'there is no curl here' : false

/** The password goes in by standard input, so that it stands in no list of processes. */
const curl = (...args: string[]) =>
  run('curl', ['-sS', '--config', '-', '-w', '\n%{http_code} %{size_upload}', ...args], {
    input: `user = "${admin.name}:${admin.password}"\n`,
  })

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** `sent` is how many bytes of body the last request took: a second try after a 401 that came in time sends them once. */
const ways: readonly (readonly [title: string, args: (file: string, url: string) => string[]])[] = [
  ['--data-binary', (file, url) => ['--digest', '--data-binary', `@${file}`, url]],
  [
    '--data-binary with a type',
    (file, url) => ['--digest', '-H', 'Content-Type: application/octet-stream', '--data-binary', `@${file}`, url],
  ],
  ['without Expect', (file, url) => ['--digest', '-H', 'Expect:', '--data-binary', `@${file}`, url]],
  ['with Expect', (file, url) => ['--digest', '-H', 'Expect: 100-continue', '--data-binary', `@${file}`, url]],
  ['in chunks', (file, url) => ['--digest', '-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`, url]],
  ['a form', (file, url) => ['--digest', '-F', `image=@${file}`, url]],
  [
    'a form with other fields',
    (file, url) => ['--digest', '-F', 'comment=x', '-F', `image=@${file};type=application/octet-stream`, '-F', 'b=c', url],
  ],
  ['--anyauth, which sends the body before it knows', (file, url) => ['--anyauth', '--data-binary', `@${file}`, url]],
  ['--anyauth without Expect', (file, url) => ['--anyauth', '-H', 'Expect:', '--data-binary', `@${file}`, url]],
  ['HTTP/1.0', (file, url) => ['--digest', '--http1.0', '--data-binary', `@${file}`, url]],
]

for (const [title, args] of ways) {
  test(`curl uploads: ${title}`, { skip, timeout: 20_000 }, async t => {
    const received: string[] = []
    const target: UploadTarget = {
      admit() {},
      async receive(_request, body) {
        const hash = createHash('sha256')
        for await (const piece of body) hash.update(piece)
        received.push(hash.digest('hex'))
        return { transaction: '01HX', message: 'taken', afterReply: async () => {} }
      },
    }
    const door = await openDoor(t, { uploads: new Map([['/onvif/upload/', target]]) })
    const file = join(await temporaryFolder(t), 'image')
    const image = randomBytes(3_000_000)
    await writeFile(file, image)
    const { stdout, stderr } = await curl(...args(file, `http://127.0.0.1:${door.port}/onvif/upload/ticket`))
    assert.equal(stderr, '')
    assert.match(stdout, /^ok taken \(transaction 01HX\)\n\n200 /)
    assert.deepEqual(received, [sha256(image)])
  })
}

test('curl --digest downloads, and calls an operation', { skip, timeout: 20_000 }, async t => {
  const content = randomBytes(200_000)
  const door = await openDoor(t, {
    downloads: new Map([
      [
        '/onvif/download/backup',
        { access: 'READ_SYSTEM_SECRET', contentType: 'application/octet-stream', fileName: 'backup', read: async () => content },
      ],
    ]),
    handle: ({ authorization }) =>
      authorization
        ? soapAnswer('<ok/>')
        : {
            ...soapAnswer('<fault/>'),
            status: 401,
            headers: { 'content-length': '8', 'www-authenticate': ['Digest realm="x", nonce="n", qop="auth"'] },
          },
  })
  const file = join(await temporaryFolder(t), 'copy')
  const { stdout } = await curl(
    '--digest',
    '-o',
    file,
    '-w',
    '%{http_code} %{size_download}',
    `http://127.0.0.1:${door.port}/onvif/download/backup`,
  )
  assert.equal(stdout, '200 200000')

  const called = await curl('--digest', '--data-binary', '<q/>', `http://127.0.0.1:${door.port}/onvif/device_service`)
  assert.match(called.stdout, /^<ok\/>\n200 /)
  assert.deepEqual(
    door.soap.map(request => request.body.length),
    [0, 4],
    'the empty POST is the service’s to challenge',
  )
})
