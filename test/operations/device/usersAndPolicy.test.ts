import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { type Answer, child, envelope, people, type TestDevice, testDevice } from '../../support/device.ts'
import { createTestDevice, raises } from './testDevice.ts'

const user = (name: string, password: string, level: string, roles?: string) =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel>${
    roles === undefined ? '' : `<tt:Extension><tt:Roles>${roles}</tt:Roles></tt:Extension>`
  }</tds:User>`
const role = (name: string, functions: string) =>
  `<tds:SetUserRole><tds:UserRole><tt:Name>${name}</tt:Name><tt:Functions>${functions}</tt:Functions></tds:UserRole></tds:SetUserRole>`
const policy = (file: string) =>
  `<tds:SetAccessPolicy><tds:PolicyFile><tt:Data>${Buffer.from(file).toString('base64')}</tt:Data></tds:PolicyFile></tds:SetAccessPolicy>`
const complexity = (fields: Record<string, string | number>) =>
  `<tds:SetPasswordComplexityConfiguration>${Object.entries(fields)
    .map(([name, value]) => `<tds:${name}>${value}</tds:${name}>`)
    .join('')}</tds:SetPasswordComplexityConfiguration>`
const history = (length: number, enabled = true) =>
  `<tds:SetPasswordHistoryConfiguration><tds:Enabled>${enabled}</tds:Enabled><tds:Length>${length}</tds:Length></tds:SetPasswordHistoryConfiguration>`
const warning = (failures: number) =>
  `<tds:SetAuthFailureWarningConfiguration><tds:Enabled>true</tds:Enabled><tds:MonitorPeriod>60</tds:MonitorPeriod><tds:MaxAuthFailures>${failures}</tds:MaxAuthFailures></tds:SetAuthFailureWarningConfiguration>`
const remote = (fields: string) => `<tds:SetRemoteUser><tds:RemoteUser>${fields}</tds:RemoteUser></tds:SetRemoteUser>`
const hashing = (names: string) => `<tds:SetHashingAlgorithm><tds:Algorithm>${names}</tds:Algorithm></tds:SetHashingAlgorithm>`
const createUsers = (...users: readonly string[]) => `<tds:CreateUsers>${users.join('')}</tds:CreateUsers>`
const setUser = (...users: readonly string[]) => `<tds:SetUser>${users.join('')}</tds:SetUser>`

const generous = JSON.stringify({
  format: 'onvifd access policy 1',
  admitted: {
    READ_SYSTEM: ['Administrator', 'Operator'],
    READ_SYSTEM_SENSITIVE: ['Administrator'],
    READ_SYSTEM_SECRET: ['Administrator', 'User'],
    WRITE_SYSTEM: ['Administrator', 'Operator'],
    UNRECOVERABLE: ['Administrator'],
    READ_MEDIA: ['Administrator'],
    ACTUATE: ['Administrator'],
  },
})

const succeeds = ({ status, xml }: Answer) => assert.equal(status, 200, xml)
const fails = (answer: Answer, fault: string) => assert.equal(answer.fault, fault, answer.xml)
const isRefused = ({ status, fault }: Answer) => status === 401 && fault === 'Sender/NotAuthorized'
/** Names and texts of the children of the answer, in their order. */
const fields = ({ body }: Answer) => body.children.map(({ name, text }) => `${name} ${text}`)
const policyOf = (answer: Answer) => {
  const file = child(answer.body, 'PolicyFile')
  return JSON.parse(String(Buffer.from((file && child(file, 'Data')?.text) ?? '', 'base64')))
}

/** What each writer writes, by what it is read, and what is not taken and changes nothing. */
const writers: readonly {
  readonly write: string
  readonly read: string
  readonly shows: RegExp
  readonly refused: readonly (readonly [request: string, fault: string])[]
}[] = [
  {
    write: remote(
      '<tt:Username>recorder</tt:Username><tt:Password>Not-to-be-seen-1</tt:Password><tt:UseDerivedPassword>true</tt:UseDerivedPassword>',
    ),
    read: '<tds:GetRemoteUser/>',
    shows: /Username>recorder<.*UseDerivedPassword>true</,
    refused: [[remote('<tt:Username/><tt:UseDerivedPassword>true</tt:UseDerivedPassword>'), 'Sender/InvalidArgVal']],
  },
  {
    write: policy(generous),
    read: '<tds:GetAccessPolicy/>',
    shows: /PolicyFile/,
    refused: [
      [policy(''), 'Sender/InvalidArgs/PolicyFormat'],
      [policy(generous.replace('"READ_SYSTEM_SECRET":["Administrator","User"]', '"READ_SYSTEM_SECRET":[]')), 'Sender/OperationProhibited'],
    ],
  },
  {
    write: role('guard', 'tds:GetUsers tds:GetDNS'),
    read: '<tds:GetUserRoles/>',
    shows: /onvif:Administrator.*onvif:Operator.*onvif:User.*Name>guard<.*Functions>tds:GetUsers tds:GetDNS</,
    refused: [
      [role('onvif:guard', 'tds:GetUsers'), 'Sender/OperationProhibited/OnvifPrefix'],
      [role('guard', 'tds:GetUsers tds:LoadCertificates2'), 'Receiver/Action/FunctionNotImplemented'],
      ['<tds:DeleteUserRole><tds:UserRole>guest</tds:UserRole></tds:DeleteUserRole>', 'Sender/InvalidArgVal/InvalidUserRole'],
      ['<tds:DeleteUserRole><tds:UserRole>onvif:User</tds:UserRole></tds:DeleteUserRole>', 'Sender/OperationProhibited/OnvifPrefix'],
      ['<tds:GetUserRoles><tds:UserRole>guest</tds:UserRole></tds:GetUserRoles>', 'Sender/InvalidArgVal/InvalidUserRole'],
    ],
  },
  {
    write: complexity({ MinLen: 12, Uppercase: 1, Number: 2, SpecialChars: 1, BlockUsernameOccurrence: 'true' }),
    read: '<tds:GetPasswordComplexityConfiguration/>',
    shows: /MinLen>12<.*Uppercase>1<.*Number>2<.*SpecialChars>1<.*Occurrence>true<.*Locked>false</,
    refused: [
      [complexity({ MinLen: 9, Number: 1_000 }), 'Sender/InvalidArgVal'],
      [complexity({ MinLen: 1 }), 'Sender/InvalidArgVal'],
    ],
  },
  {
    write: history(3),
    read: '<tds:GetPasswordHistoryConfiguration/>',
    shows: /Enabled>true<.*Length>3</,
    refused: [
      [history(0), 'Sender/InvalidArgVal'],
      [history(limits.passwordHistoryMax + 1, false), 'Sender/InvalidArgVal'],
    ],
  },
  {
    write: warning(7),
    read: '<tds:GetAuthFailureWarningConfiguration/>',
    shows: /Enabled>true<.*MonitorPeriod>60<.*MaxAuthFailures>7</,
    refused: [[warning(0), 'Sender/InvalidArgVal']],
  },
]

for (const { write, read, shows, refused } of writers)
  test(`${/<tds:(\w+)/.exec(write)?.[1]} is kept over a restart, and what is refused changes nothing`, async t => {
    const { ask, restart } = await testDevice(t)
    const before = (await ask(read)).xml
    succeeds(await ask(write))
    const after = (await ask(read)).xml
    assert.match(after.replaceAll('\n', ' '), shows)
    assert.notEqual(after, before)
    assert.doesNotMatch(after, /Not-to-be-seen/)
    for (const [request, fault] of refused) fails(await ask(request), fault)
    assert.equal((await ask(read)).xml, after)
    await restart()
    assert.equal((await ask(read)).xml, after)
  })

test('SetRemoteUser without a user takes him away', async t => {
  const { ask } = await testDevice(t)
  succeeds(await ask(remote('<tt:Username>recorder</tt:Username><tt:UseDerivedPassword>false</tt:UseDerivedPassword>')))
  succeeds(await ask('<tds:SetRemoteUser/>'))
  assert.deepEqual((await ask('<tds:GetRemoteUser/>')).body.children, [])
})

test('a policy says from the next request on what each level may do', async t => {
  const { ask, restart, createEveryLevel } = await testDevice(t)
  await createEveryLevel()
  const may = async () => {
    const answers = []
    for (const level of ['Administrator', 'Operator', 'User'] as const)
      for (const request of ['<tds:GetScopes/>', '<tds:GetUsers/>', createUsers(user('admin', 'Good-enough-1', 'User'))])
        answers.push(isRefused(await ask(request, people[level])) ? 'no' : 'yes')
    return answers.join(' ')
  }
  assert.equal(await may(), 'yes yes yes yes no no yes no no')
  const file = policyOf(await ask('<tds:GetAccessPolicy/>'))
  succeeds(await ask(policy(generous)))
  assert.equal(await may(), 'yes yes yes yes no yes no yes no')
  await restart()
  assert.equal(await may(), 'yes yes yes yes no yes no yes no')
  succeeds(await ask(policy(JSON.stringify(file))))
  assert.equal(await may(), 'yes yes yes yes no no yes no no')
})

test('a user of the level Extended may do what his roles open, and nothing else', async t => {
  const { ask, restart } = await testDevice(t)
  const vera = { name: 'vera', password: 'Looking-after-1' }
  succeeds(await ask(role('guard', 'tds:GetUsers tds:GetHostname')))
  fails(await ask(createUsers(user(vera.name, vera.password, 'Extended', 'guard guest'))), 'Sender/InvalidArgVal/InvalidUserRole')
  succeeds(await ask(createUsers(user(vera.name, vera.password, 'Extended', 'guard'))))
  const may = async (request: string) => !isRefused(await ask(request, vera))
  const users = await ask('<tds:GetUsers/>', vera)
  assert.match(users.xml, /UserLevel>Extended<.*Roles>guard</s)
  assert.equal(await may('<tds:GetScopes/>'), false)
  succeeds(await ask(role('guard', 'tds:GetScopes')))
  assert.deepEqual([await may('<tds:GetScopes/>'), await may('<tds:GetUsers/>')], [true, false])
  await restart()
  assert.deepEqual([await may('<tds:GetScopes/>'), await may('<tds:GetUsers/>')], [true, false])
  const remove = '<tds:DeleteUserRole><tds:UserRole>guard</tds:UserRole></tds:DeleteUserRole>'
  fails(await ask(remove), 'Sender/OperationProhibited')
  succeeds(await ask(setUser(user(vera.name, vera.password, 'Extended', 'onvif:User'))))
  succeeds(await ask(remove))
  assert.deepEqual([await may('<tds:GetDNS/>'), await may('<tds:GetUsers/>')], [true, false], 'as the level User')
})

test('everybody may change his own password and nothing else', async t => {
  const { ask, createEveryLevel } = await testDevice(t)
  await createEveryLevel()
  const { name, password } = people.User
  const request = setUser(user(name, 'Another-one-9', 'Administrator'))
  assert.ok(isRefused(await ask(request, people.Operator)), 'somebody else’s')
  assert.ok(isRefused(await ask(setUser(user(name, 'Another-one-9', 'User'), user('olga', 'Another-one-9', 'User')), people.User)))
  assert.ok(isRefused(await ask(request, undefined)))
  fails(await ask(setUser(user(name, 'short', 'User')), people.User), 'Sender/OperationProhibited/PasswordTooWeak')
  succeeds(await ask('<tds:GetScopes/>', people.User))
  succeeds(await ask(request, people.User))
  fails(await ask('<tds:GetScopes/>', { name, password }), 'Sender/NotAuthorized')
  succeeds(await ask('<tds:GetScopes/>', { name, password: 'Another-one-9' }))
  assert.ok(isRefused(await ask('<tds:GetUsers/>', { name, password: 'Another-one-9' })), 'the level in the request meant nothing')
})

test('passwords obey the rules that are set, each writer with its own fault', async t => {
  const { ask, createEveryLevel } = await testDevice(t)
  await createEveryLevel()
  succeeds(await ask(complexity({ Uppercase: 1, Number: 1, SpecialChars: 1, BlockUsernameOccurrence: 'true' })))
  for (const weak of ['no-capital-1', 'No-digit', 'Nothing1special', 'About-Olga-1', 'About-OLGA-1']) {
    fails(await ask(setUser(user('olga', weak, 'Operator'))), 'Sender/OperationProhibited/PasswordTooWeak')
    fails(await ask(createUsers(user('good', 'Good-enough-1', 'User'), user('olga2', weak, 'User'))), 'Sender/OperationProhibited/Password')
  }
  assert.doesNotMatch((await ask('<tds:GetUsers/>')).xml, /good/)
  succeeds(await ask(setUser(user('olga', 'Good-enough-1', 'Operator'))))
  succeeds(await ask(history(2)))
  succeeds(await ask(setUser(user('olga', 'Good-enough-2', 'Operator'))))
  fails(await ask(setUser(user('olga', 'Good-enough-1', 'Operator'))), 'Sender/OperationProhibited/PasswordTooWeak')
  succeeds(await ask(setUser(user('olga', 'Good-enough-3', 'Operator'))))
  succeeds(await ask(setUser(user('olga', 'Good-enough-1', 'Operator'))))
})

test('the lock of the rules is released by a hard factory default, and by nothing softer', async t => {
  const { perform, users, accessPolicy } = await createTestDevice(t)
  const change = { MinLen: 11 }
  await perform('SetPasswordComplexityConfiguration', { MinLen: 10, PolicyConfigurationLocked: true })
  await perform('SetUserRole', { UserRole: { Name: 'guard', Functions: ['tds:GetUsers'] } })
  await perform('CreateUsers', {
    User: [{ Username: 'vera', Password: 'Looking-after-1', UserLevel: 'Extended', Extension: { Roles: ['guard'] } }],
  })
  await perform('SetHashingAlgorithm', { Algorithm: ['SHA-256'] })
  await perform('SetAccessPolicy', { PolicyFile: { Data: Buffer.from(generous) } })
  for (const wanted of [change, { PolicyConfigurationLocked: false }])
    await assert.rejects(perform('SetPasswordComplexityConfiguration', wanted), raises('Sender/InvalidArgVal'))
  const everything = async () => [
    users.list(),
    String(accessPolicy.file()),
    await perform('GetUserRoles', {}),
    await perform('GetPasswordComplexityConfiguration', {}),
  ]
  const before = await everything()
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Soft' })
  assert.deepEqual(await everything(), before, 'Soft is no way around what an Administrator decided')
  await assert.rejects(perform('SetPasswordComplexityConfiguration', change), raises('Sender/InvalidArgVal'))
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Hard' })
  assert.equal((await perform('GetUserRoles', {})).UserRole?.length, 3)
  assert.equal(accessPolicy.admits('WRITE_SYSTEM', 'Operator'), false)
  await perform('SetPasswordComplexityConfiguration', change)
  assert.equal((await perform('GetPasswordComplexityConfiguration', {})).MinLen, 11)
})

test('SetHashingAlgorithm decides what the next challenge offers, and in which order', async t => {
  const { ask, restart } = await testDevice(t)
  const offered = async () => {
    const { headers } = await ask('<tds:GetUsers/>', undefined)
    return [headers['www-authenticate'] ?? []].flat().map(line => /algorithm=([^,]+)/.exec(line)?.[1])
  }
  assert.deepEqual(await offered(), ['MD5', 'SHA-256'])
  for (const [names, expected] of [
    ['SHA-256 MD5', ['SHA-256', 'MD5']],
    ['MD5,SHA-256', ['MD5', 'SHA-256']],
    ['SHA-256', ['SHA-256']],
  ] as const) {
    succeeds(await ask(hashing(names)))
    assert.deepEqual(await offered(), expected)
  }
  for (const names of ['', 'SHA-1', 'SHA-256 SHA-512', 'MD5 MD5']) fails(await ask(hashing(names)), 'Sender/InvalidArgVal')
  assert.deepEqual(await offered(), ['SHA-256'])
  assert.match((await ask('<tds:GetServiceCapabilities/>')).xml, /HashingAlgorithms="MD5 SHA-256"/, 'what is possible')
  await restart()
  assert.deepEqual(await offered(), ['SHA-256'])
})

test('guessing is warned of once in the system log', async t => {
  const { ask } = await testDevice(t)
  succeeds(await ask(warning(2)))
  const warnings = async () =>
    (await ask('<tds:GetSystemLog><tds:LogType>System</tds:LogType></tds:GetSystemLog>')).xml.split('log-ins fail again').length - 1
  const guess = async () => fails(await ask('<tds:GetUsers/>', { name: 'admin', password: 'wrong' }), 'Sender/NotAuthorized')
  await guess()
  await guess()
  await ask('<tds:GetUsers/>', undefined)
  assert.equal(await warnings(), 0)
  await guess()
  assert.equal(await warnings(), 1)
  await guess()
  assert.equal(await warnings(), 1)
})

test('the capabilities name what there is', async t => {
  const { ask } = await testDevice(t)
  const { xml } = await ask('<tds:GetServiceCapabilities/>')
  for (const [name, value] of Object.entries({
    MaxUserRoles: limits.userRolesMax,
    MaxPasswordHistory: limits.passwordHistoryMax,
    SecurityPolicies: 'ModifyPassword PasswordComplexity AuthFailureWarnings',
    AccessPolicyConfig: true,
    DefaultAccessPolicy: true,
    RemoteUserHandling: true,
  }))
    assert.ok(xml.includes(` ${name}="${value}"`), name)
  const options = await ask('<tds:GetPasswordComplexityOptions/>')
  assert.deepEqual(options.body.children.map(({ name }) => name).length, 6)
  assert.equal(fields(options).at(-1), 'PolicyConfigurationLockSupported true')
  assert.match((await ask('<tds:GetAuthFailureWarningOptions/>')).xml, /MonitorPeriodRange.*Min>1<.*AuthFailureRange.*Min>1</s)
})

test('names in any script are shown and log in as they were written, and none that looks the same comes beside them', async t => {
  const { ask, restart } = await testDevice(t)
  const names = ['שלום', 'Ju\u0308rgen', 'José', '中文', 'ﬁona', 'O’Neill & Söhne']
  const written = (name: string) => name.replace('&', '&amp;')
  succeeds(await ask(createUsers(...names.map(name => user(written(name), 'Good-enough-1', 'User')))))
  await restart()
  const { body } = await ask('<tds:GetUsers/>')
  assert.deepEqual(
    body.children.map(each => child(each, 'Username')?.text),
    ['admin', ...names],
  )
  for (const name of names) succeeds(await ask('<tds:GetScopes/>', { name: written(name), password: 'Good-enough-1' }))
  fails(await ask('<tds:GetScopes/>', { name: 'Jürgen', password: 'Good-enough-1' }), 'Sender/NotAuthorized')
  for (const name of ['Jürgen', 'Jose\u0301', 'fiona'])
    fails(await ask(createUsers(user(name, 'Good-enough-1', 'User'))), 'Sender/OperationProhibited/UsernameClash')
  for (const name of ['a\u200bb', 'a\u202eb', '\u2066a'])
    fails(await ask(createUsers(user(name, 'Good-enough-1', 'User'))), 'Sender/InvalidArgVal')
})

/** Limits of size, of elements and of the list stand before the work. */
async function refusedAtOnce({ ask }: TestDevice, body: string): Promise<void> {
  const before = (await ask('<tds:GetUsers/>')).xml
  const began = performance.now()
  const { fault } = await ask(body)
  const tookMs = performance.now() - began
  assert.match(fault ?? '', /^(Sender|Receiver)\//)
  assert.equal((await ask('<tds:GetUsers/>')).xml, before)
  assert.ok(tookMs < 2_000, `${Math.round(tookMs)} ms`)
}

const times = (count: number, make: (index: number) => string) => Array.from({ length: count }, (_, index) => make(index)).join('')

test('10,000 users, 4,900 users and 50,000 names are refused at once, and nothing changed', async t => {
  const device = await testDevice(t)
  await refusedAtOnce(device, createUsers(times(10_000, index => user(`u${index}`, 'Good-enough-1', 'User'))))
  // As many as the limit of elements lets through: the list itself is too long.
  await refusedAtOnce(device, createUsers(times(4_900, index => user(`u${index}`, 'Good-enough-1', 'User'))))
  await refusedAtOnce(device, `<tds:DeleteUsers>${times(50_000, index => `<tds:Username>u${index}</tds:Username>`)}</tds:DeleteUsers>`)
  await refusedAtOnce(device, `<tds:DeleteUsers>${times(19_000, () => '<tds:Username>admin</tds:Username>')}</tds:DeleteUsers>`)
  assert.ok(envelope('').length < limits.requestBytesMax)
})
