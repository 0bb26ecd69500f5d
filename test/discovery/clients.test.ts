import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import onvif from 'onvif'
import { admin, main, onvifd, run, temporaryFolder } from '../support/daemon.ts'
import { startDevice } from './bed.ts'

const { Discovery } = onvif
const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('./wsdiscovery.py', import.meta.url))
const lacksPython = spawnSync(python, ['--version'], { stdio: 'ignore' }).error !== undefined && 'python3 is not installed'

test('npm onvif finds the device on the loopback interface', async t => {
  // The package knows no other port.
  const { url } = await startDevice(t, { discoveryPort: 3702 })
  Discovery.on('error', () => {})
  const answers: string[] = []
  Discovery.on('device', (_cam: unknown, _from: unknown, xml: string) => void answers.push(xml))
  const cams = await new Promise<readonly object[]>(resolve =>
    Discovery.probe({ device: 'lo', timeout: 1500 }, (_error, devices = []) => resolve(devices)),
  )
  const found = cams.filter(cam => 'port' in cam && Number(cam.port) === Number(new URL(url).port))
  assert.equal(found.length, 1, `${cams.length} devices were found`)
  assert.ok(found[0] && 'path' in found[0] && found[0].path === '/onvif/device_service')
  assert.ok(answers.some(xml => xml.includes(url)))
})

test('a Python program finds the device on the loopback interface', { skip: lacksPython }, async t => {
  const { url, discoveryPort } = await startDevice(t)
  for (const types of ['', 'tds:Device']) {
    const { stdout, stderr } = await run(python, [script, '127.0.0.1', String(discoveryPort), types])
    assert.match(stdout, /^127\.0\.0\.1 urn:uuid:[0-9a-f-]{36} http\S+\n$/, stderr)
    assert.ok(stdout.includes(url))
  }
})

test('onvifd discover prints a line for each device, and info takes what it prints', async t => {
  const first = await startDevice(t, { model: 'Front Door' })
  const { discoveryPort } = first
  const second = await startDevice(t, { discoveryPort })
  const search = ['discover', '--interface', 'lo', '--timeout', '1.5', '--port', String(discoveryPort)]
  const { code, stdout, stderr } = await onvifd(search)
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split(/ {2,}/)),
    [
      ['Name', 'Hardware', 'Address', 'Answered from'],
      ['Front Door', 'Front Door', first.url, '127.0.0.1'],
      ['Virtual Device', 'Virtual Device', second.url, '127.0.0.1'],
    ],
  )
  const info = await onvifd(['info', first.url])
  assert.equal(info.code, 0, info.stderr)

  const json = await onvifd([...search, '--json', '--scopes', 'onvif://www.onvif.org/name/Front%20Door', '--types', 'tds:Device'])
  const devices: unknown = JSON.parse(json.stdout)
  assert.ok(Array.isArray(devices) && devices.length === 1)
  assert.deepEqual(
    { ...devices[0], endpoint: '', scopes: [] },
    {
      name: 'Front Door',
      hardware: 'Front Door',
      endpoint: '',
      xaddrs: [first.url],
      scopes: [],
      addresses: ['127.0.0.1'],
    },
  )
  const nobody = await onvifd([...search, '--types', '{urn:x}Printer'])
  assert.deepEqual([nobody.code, nobody.stdout], [1, ''])
  assert.match(nobody.stderr, /no device answered within 1\.5 s/)
  const nowhere = await onvifd(['discover', '--interface', 'nowhere0', '--timeout', '0.1'])
  assert.match(nowhere.stderr, /this machine has no interface nowhere0/)
})

/** Two network namespaces with a cable between them, which end with the program. */
const twoNetworks = `set -e
ip link set lo up
ip link add wire0 type veth peer name wire1
unshare -n sleep 60 & other=$!
there() { nsenter -t $other -n "$@"; }
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
ip link set wire1 netns $other
ip link set wire0 addrgenmode none; ip addr add 10.77.0.1/24 dev wire0; ip -6 addr add fe80::1/64 dev wire0 nodad; ip link set wire0 up
there ip link set lo up
there ip link set wire1 addrgenmode none; there ip addr add 10.77.0.2/24 dev wire1; there ip -6 addr add fe80::2/64 dev wire1 nodad; there ip link set wire1 up
`
const unshared = spawnSync('unshare', ['-rn', 'sh', '-c', `${twoNetworks}\nkill $other`], { timeout: 10_000 })
const lacksNamespaces = unshared.status !== 0 && 'network namespaces cannot be made here'

test('between two networks: IPv4 and IPv6, and nothing of a device on loopback', { skip: lacksNamespaces }, async t => {
  const state = await temporaryFolder(t)
  const device = (folder: string, host: string, port: number) =>
    `"${process.execPath}" "${main}" serve --state "${state}/${folder}" --host ${host} --port ${port} --log-level silent > "${state}/${folder}.out" & pids="$pids $!"
until grep -q ready "${state}/${folder}.out"; do sleep 0.1; done\n`
  const commands = `${twoNetworks}trap 'kill -9 $pids $other' EXIT
${device('outside', '0.0.0.0', 8081)}${device('loopback', '127.0.0.1', 8082)}
there "${process.execPath}" "${main}" discover --interface wire1 --timeout 2 --json
echo =
there "${python}" "${script}" 10.77.0.2 3702
echo =
"${process.execPath}" "${main}" discover --interface lo --timeout 1.5`
  const { stdout, stderr } = await run('unshare', ['-rn', 'sh', '-c', commands], { env: { ONVIFD_ADMIN_PASSWORD: admin.password } })
  const [json = '', text, local = ''] = stdout.split('=\n')
  const devices: unknown = JSON.parse(json || 'null')
  assert.ok(Array.isArray(devices) && devices.length === 1, stdout + stderr)
  assert.deepEqual(devices[0].xaddrs, ['http://10.77.0.1:8081/onvif/device_service'])
  assert.deepEqual([...devices[0].addresses].sort(), ['10.77.0.1', 'fe80::1%wire1'])
  if (!lacksPython) assert.match(text ?? '', /^10\.77\.0\.1 urn:uuid:\S+ http:\/\/10\.77\.0\.1:8081\/onvif\/device_service\n$/)
  assert.match(local, /http:\/\/127\.0\.0\.1:8081\/onvif\/device_service .*\n.*http:\/\/127\.0\.0\.1:8082\/onvif\/device_service /)
})
