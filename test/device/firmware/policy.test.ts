import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Description } from '../../../src/device/firmware/description.ts'
import { assertWanted } from '../../../src/device/firmware/policy.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { board } from './workbench.ts'

const description: Description = {
  version: '1.1.0',
  description: '',
  revisions: [board.revision],
  boards: undefined,
  securityEpoch: undefined,
  minVersion: undefined,
  payloads: { 'copy-a': undefined, 'copy-b': undefined },
}

function verdict(image: Partial<Description>, version: string | undefined, securityEpoch = 0): string {
  try {
    assertWanted({ ...description, ...image }, board, { version, securityEpoch })
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
