import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { admin, buildImage, run, startDaemon } from '../support/daemon.ts'

const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('./zeep_client.py', import.meta.url))
const official = fileURLToPath(new URL('../../../shared/reference/onvif-26.06/ver10/device/wsdl/devicemgmt.wsdl', import.meta.url))
const { code } = await run(python, ['-c', 'import zeep']).catch(() => ({ code: -1 }))
const missing = code === 0 ? false : 'python3-zeep is not installed'

const steps = 'information services user refused uploaded upgraded'

for (const [name, wsdlOf, skip] of [
  ['our served WSDL', (origin: string) => `${origin}/onvif/wsdl/device.wsdl`, missing],
  ['the official WSDL', () => official, missing || (existsSync(official) ? false : 'the official WSDL is not beside the project')],
] as const) {
  test(`zeep in strict mode does the whole job with ${name}`, { skip }, async t => {
    const device = await startDaemon(t)
    const image = await buildImage(t, device.state, '1.1.0')
    const { stdout, stderr } = await run(python, ['-B', script, wsdlOf(device.origin), device.url, image], { input: `${admin.password}\n` })
    assert.equal(stdout.trim().split('\n').join(' '), steps, stderr)
  })
}
