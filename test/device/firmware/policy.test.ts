import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Description } from '../../../src/device/firmware/description.ts'
import { assertWanted, type Downgrade } from '../../../src/device/firmware/policy.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { board } from './workbench.ts'

const description: Description = {
  version: '1.1.0',
  description: '',
  revisions: [board.revision],
  boards: undefined,
  securityEpoch: undefined,
  minVersion: undefined,
  buildTime: undefined,
  allowDowngrade: false,
  payloads: { 'copy-a': undefined, 'copy-b': undefined },
}

function verdict(image: Partial<Description>, version: string | undefined, securityEpoch = 0, downgrade?: Downgrade): string {
  try {
    assertWanted({ ...description, ...image }, board, { version, securityEpoch }, downgrade)
    return 'wanted'
  } catch (error) {
    return error instanceof ImageError ? error.reason : String(error)
  }
}

test('a newer version, or the same once more, is wanted', () => {
  for (const [version, running, expected] of [
    ['1.1.0', '1.0.0', 'wanted'],
    ['1.0.0', '1.0.0', 'wanted'],
    ['1.0.0-rc.1', '1.0.0', 'version'],
    ['1.0.0', '1.0.0-rc.1', 'wanted'],
    ['1.10.0', '1.9.0', 'wanted'],
    ['0.9.9', '1.0.0', 'version'],
    ['v1.2.0', '1.1.9', 'wanted'],
    ['1.2', '1.1.9', 'wanted'],
    ['1.1', '1.1.9', 'version'],
    ['2', '1.1.9', 'wanted'],
    ['1.0.0+build.2', '1.0.0+build.1', 'wanted'],
    ['nightly', 'nightly', 'wanted'],
    ['nightly', '1.0.0', 'version'],
    ['1.0.0', 'nightly', 'version'],
    ['2026.11.21.4', '1.0.0', 'version'],
    ['0.0.1', undefined, 'wanted'],
  ] as const) {
    assert.equal(verdict({ version }, running), expected, `${version} over ${running}`)
  }
})

test('a security epoch is never gone back behind', () => {
  assert.equal(verdict({ securityEpoch: 3 }, '1.0.0', 3), 'wanted')
  assert.equal(verdict({ securityEpoch: 4 }, '1.0.0', 3), 'wanted')
  assert.equal(verdict({ securityEpoch: 2 }, '1.0.0', 3), 'epoch')
  assert.equal(verdict({}, '1.0.0', 1), 'epoch', 'an image that says nothing has epoch 0')
  assert.equal(verdict({ securityEpoch: 2, version: '9.0.0' }, undefined, 3), 'epoch')
})

test('hardware has to fit in everything that the image says about it', () => {
  assert.equal(verdict({ boards: [board.name] }, '1.0.0'), 'wanted')
  assert.equal(verdict({ boards: [board.name], revisions: undefined }, '1.0.0'), 'wanted')
  assert.equal(verdict({ boards: ['other'] }, '1.0.0'), 'compatible')
  assert.equal(verdict({ boards: [board.name], revisions: ['2.0'] }, '1.0.0'), 'compatible')
  assert.equal(verdict({ revisions: [] }, '1.0.0'), 'compatible')
  assert.equal(verdict({ revisions: undefined }, '1.0.0'), 'compatible')
})

test('an older version is taken as the policy says', () => {
  const older = { version: '0.9.0' }
  assert.equal(verdict(older, '1.0.0'), 'version', 'it is denied unless somebody says otherwise')
  assert.equal(verdict({ ...older, allowDowngrade: true }, '1.0.0', 0, 'deny'), 'version')
  assert.equal(verdict(older, '1.0.0', 0, 'allow'), 'wanted')
  assert.equal(verdict(older, '1.0.0', 0, 'signed'), 'version')
  assert.equal(verdict({ ...older, allowDowngrade: true }, '1.0.0', 0, 'signed'), 'wanted')
  assert.equal(verdict({ version: 'nightly' }, '1.0.0', 0, 'allow'), 'wanted', 'what cannot be compared may be older')
  assert.equal(verdict({ version: 'nightly' }, '1.0.0', 0, 'signed'), 'version')
  assert.equal(verdict({ version: '1.2.0' }, '1.0.0', 0, 'signed'), 'wanted', 'a newer one needs no permission')
  assert.equal(verdict({ ...older, minVersion: '1.1.0' }, '1.0.0', 0, 'allow'), 'version', 'what it needs before it, it needs anyway')
})

test('no policy allows a lower security epoch', () => {
  for (const downgrade of ['deny', 'allow', 'signed'] as const)
    assert.equal(
      verdict({ version: '0.9.0', allowDowngrade: true, securityEpoch: 1 }, downgrade === 'deny' ? '0.9.0' : '1.0.0', 2, downgrade),
      'epoch',
    )
})
