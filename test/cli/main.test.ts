import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onvifd } from '../support/daemon.ts'

const commands = ['serve', 'discover', 'info', 'upgrade', 'events', 'firmware', 'image', 'call']
const parts = [
  ['image', 'build'],
  ['image', 'inspect'],
  ...['status', 'activate', 'confirm', 'rollback', 'abort', 'history'].map(name => ['firmware', name]),
]
/** A port that nothing listens at: connecting to it fails at once. */
const nowhere = '127.0.0.1:1'

test('the help names every command, and each has its own with an example', async () => {
  const { code, stdout } = await onvifd(['--help'])
  assert.equal(code, 0)
  for (const command of commands) assert.match(stdout, new RegExp(`^  ${command}\\b.*\\w{4,}`, 'm'))
  await Promise.all(
    [...commands.map(command => [command]), ...parts].map(async command => {
      const help = await onvifd([...command, '--help'])
      assert.equal(help.code, 0, help.stderr)
      assert.match(help.stdout, new RegExp(`Usage: onvifd ${command.join(' ')}`))
      assert.match(help.stdout, /Examples?:\n {2}onvifd /)
    }),
  )
})

test('prints its version', async () => {
  const { code, stdout } = await onvifd(['--version'])
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

const wrong: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
  [['nonsense'], 2, /unknown command 'nonsense'/],
  [['info'], 2, /missing required argument 'url'/],
  [['info', nowhere, '--nonsense'], 2, /unknown option '--nonsense'/],
  [['info', nowhere, '--login', 'basic'], 2, /Allowed choices are auto, digest, token/],
  [['info', 'rtsp://camera/'], 2, /use http:\/\/ or https:\/\//],
  [['info', 'http://admin:secret@camera/'], 2, /leave user and password out of the address/],
  [['info', nowhere, '--user', 'admin'], 2, /set ONVIFD_PASSWORD, or name a file with --password-file/],
  [['info', nowhere, '--user', 'admin', '--password-file', '/no/such/file'], 1, /\/no\/such\/file does not exist/],
  [['info', nowhere, '--user', 'admin', '--password-file', '/dev/null'], 2, /has no password in its first line/],
  [['info', nowhere], 1, /nothing listens at 127\.0\.0\.1:1/],
  [['call', nowhere, 'GetHostname'], 1, /nothing listens/],
  [['call', nowhere, 'GetHostname', '{"a":"s3cret"'], 2, /the request is no JSON object/],
  [['events', nowhere], 1, /nothing listens/],
  [['events', nowhere, '--topic', 'tns1:Monitoring/'], 2, /"tns1:Monitoring\/" is no topic/],
  [['firmware', 'status', nowhere], 1, /nothing listens/],
  [['firmware', 'confirm'], 2, /missing required argument 'url'/],
  [['firmware', 'nonsense'], 2, /unknown command 'nonsense'/],
  [['upgrade', nowhere, '/no/such/image'], 1, /\/no\/such\/image does not exist/],
  [['upgrade', nowhere, '/tmp', '--wait', '-1'], 2, /Give seconds/],
]

test('an error is one line that says what is wrong, and the exit code says whose fault it is', async () => {
  const check = async ([args, code, says]: (typeof wrong)[number]) => {
    const ran = await onvifd(args, { env: { ONVIFD_PASSWORD: '' } })
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`)
    assert.match(ran.stderr, says)
    assert.match(ran.stderr, /^onvifd: .*\n$/, args.join(' '))
    assert.doesNotMatch(ran.stderr, /s3cret|:secret@/)
    assert.equal(ran.stdout, '')
  }
  for (let at = 0; at < wrong.length; at += 4) await Promise.all(wrong.slice(at, at + 4).map(check))
})

test('without a command it shows the help and counts it as wrong usage', async () => {
  const { code, stderr } = await onvifd([])
  assert.equal(code, 2)
  assert.match(stderr, /Usage: onvifd/)
})
