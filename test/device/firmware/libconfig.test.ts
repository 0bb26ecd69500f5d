import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDescription } from '../../../src/device/firmware/description.ts'
import { parseLibconfig } from '../../../src/device/firmware/libconfig.ts'
import { limits } from '../../../src/limits.ts'

const sha256 = '0f'.repeat(32)

test('every kind of value is read', () => {
  const text = `
    # comments of three kinds
    a = 1; b : -2, c = 0x1F d = 0b101; // no separator is needed
    big = 12345678901L; real = -1.5e3; half = .5; /* a comment
    over * lines **/
    yes = TRUE; no = false;
    s = "one" /* and */ "two\\n\\"\\x41\\\\";
    array = [ 1, 2, 3 ]; list = ( "x", { deep = [ ] }, ( 4 ), ); empty = ();
    x-group* : { _ = 0; };`
  assert.throws(() => parseLibconfig(text), /no setting/, 'a name begins with a letter')
  assert.deepEqual(parseLibconfig(text.replace('_ =', 'z_ =')), {
    a: 1,
    b: -2,
    c: 31,
    d: 5,
    big: 12345678901,
    real: -1500,
    half: 0.5,
    yes: true,
    no: false,
    s: 'onetwo\n"A\\',
    array: [1, 2, 3],
    list: ['x', { deep: [] }, [4]],
    empty: [],
    'x-group*': { z_: 0 },
  })
})

test('what is no libconfig is refused, with the line where it ends to be one', () => {
  for (const [text, answer] of [
    ['a = 1;\nb = ;', /no value in line 2/],
    ['a 1', /no value for "a" in line 1/],
    ['a = 1; a = 2;', /"a" is set twice/],
    ['a = { b = 1;', /no setting/],
    ['a = ( 1 2 )', /no "\)"/],
    ['a = [ 1, ', /no value/],
    ['a = "open', /no value/],
    ['a = 1 }', /no setting/],
    ['a = /* 1;', /no value/],
    ['@include "other.cfg"', /no setting/],
    ['a = nan', /no value/],
    ['a = 1e999', /no value/],
    ['a = 0xZZ', /no value/],
    ['{ "a": 1 }', /no setting/],
  ] as const) {
    assert.throws(() => parseLibconfig(text), answer, text)
  }
  const proto = parseLibconfig('__proto__x = 1; constructor = 2;'.replace('__proto__x', 'proto'))
  assert.deepEqual(Object.keys(Object(proto)), ['proto', 'constructor'])
})

test('depth and number of values are bounded, and a long text takes no time', () => {
  const nested = (depth: number) => `a = ${'( '.repeat(depth)}${') '.repeat(depth)};`
  assert.ok(parseLibconfig(nested(limits.libconfigDepthMax)))
  assert.throws(() => parseLibconfig(nested(limits.libconfigDepthMax + 1)), /too deep/)
  assert.throws(() => parseLibconfig(`a = ( ${'1, '.repeat(limits.libconfigValuesMax)} );`), /too many/)
  const started = performance.now()
  const long = limits.imageDescriptionBytesMax
  for (const text of ['(', '"', '/', '/*', '* /', '\n', '#', 'a=', '\\', '"\\', '/**/', 'a:1,'].map(part =>
    part.repeat(long / part.length),
  ))
    for (const prefix of ['', 'a = ', 'a = "', 'a = /*']) assert.doesNotMatch(outcome(prefix + text), /stack|memory/)
  assert.ok(performance.now() - started < 5_000)
})

function outcome(text: string): string {
  try {
    return typeof parseLibconfig(text)
  } catch (error) {
    return String(error)
  }
}

/** As the layers of Yocto have it: a section for the board, and two copies. */
const yocto = `
software =
{
	version = "2.4.0";

	acme-cam = {
		hardware-compatibility: [ "1.0", "1.1" ];
		stable : {
			copy1 : {
				images: (
					{
						filename = "core-image-acme-cam.ext4.gz";
						type = "raw";
						compressed = "zlib";
						device = "/dev/mmcblk0p2";
						sha256 = "${sha256}";
					}
				);
				bootenv: ( { name = "rpipart"; value = "2"; }, { name = "ustate"; value = "1"; } );
			};
			copy2 : {
				images: (
					{
						filename = "core-image-acme-cam.ext4.gz";
						type = "raw";
						compressed = true;
						device = "/dev/mmcblk0p3";
						sha256 = "${sha256}";
					},
					{
						filename = "app.img";
						version = "3.3.0";
						sha256 = "${sha256.toUpperCase()}";
						properties : { x-role = "app"; };
					}
				);
			};
		};
	};
	x-onvif = { compatible = [ "acme-cam" ]; securityEpoch = 3; allowDowngrade = true; buildTime = "2026-01-31T12:00:00Z"; };
}
`

test('a description as Yocto writes it is read', () => {
  const { payloads, ...head } = parseDescription(Buffer.from(yocto), 'acme-cam')
  assert.deepEqual(head, {
    version: '2.4.0',
    description: '',
    revisions: ['1.0', '1.1'],
    boards: ['acme-cam'],
    securityEpoch: 3,
    minVersion: undefined,
    buildTime: new Date('2026-01-31T12:00:00Z'),
    allowDowngrade: true,
  })
  const root = { name: 'core-image-acme-cam.ext4.gz', role: 'rootfs', sha256, version: undefined, compression: 'gzip' }
  assert.deepEqual(payloads['copy-a'], [root])
  assert.deepEqual(payloads['copy-b'], [root, { name: 'app.img', role: 'app', sha256, version: '3.3.0', compression: 'none' }])
})

test('without the name of the board, what is in its section is not there', () => {
  for (const board of [undefined, 'other']) {
    const { version, revisions, payloads } = parseDescription(Buffer.from(yocto), board)
    assert.deepEqual([version, revisions, payloads], ['2.4.0', undefined, { 'copy-a': undefined, 'copy-b': undefined }])
  }
})

test('what a description may not say, it may not say in either language', () => {
  const image = { filename: 'a.img', sha256 }
  const json = (software: object) => parseDescription(Buffer.from(JSON.stringify({ software: { version: '1.0.0', ...software } })))
  for (const [software, answer] of [
    [{ images: [image, { ...image, filename: 'b.img' }] }, /same role/],
    [{ images: [image, { ...image, properties: { 'x-role': 'app' } }] }, /names a file twice/],
    [{ images: [{ ...image, properties: { 'x-role': 'app' } }] }, /no file with the role rootfs/],
    [{ images: [{ ...image, properties: { 'x-role': '../etc' } }] }, /role of a\.img/],
    [{ images: [{ ...image, properties: { 'x-role': 'r'.repeat(33) } }] }, /role of a\.img/],
    [{ images: [{ ...image, version: 'one two' }] }, /version of a\.img/],
    [{ images: [{ ...image, compressed: 'xz' }] }, /compressed/],
    [{ images: Array.from({ length: 65 }, () => image) }, /at most 64/],
    [{ images: [image], 'x-onvif': { buildTime: '31.1.2026' } }, /buildTime/],
    [{ images: [image], 'x-onvif': { buildTime: '2026-02-31T99:00:00Z' } }, /buildTime/],
    [{ images: [image], 'x-onvif': { allowDowngrade: 1 } }, /allowDowngrade/],
    [{ images: [image], 'x-onvif': { securityEpoch: 1.5 } }, /securityEpoch/],
    [{ images: [image], 'x-onvif': { securityEpoch: -1 } }, /securityEpoch/],
    [{ images: [image], 'x-onvif': { minVersion: 'a b' } }, /minVersion/],
    [{ images: [image], files: [{ filename: 'x' }] }, /has files/],
  ] as const) {
    assert.throws(() => json(software), { reason: 'format', message: answer })
  }
  assert.equal(json({ images: [{ ...image, type: 'rawfile' }] }).payloads['copy-a']?.length, 1)
  assert.throws(() => parseDescription(Buffer.from(yocto.replace('images:', 'scripts: ({ filename = "a.lua"; }); images:')), 'acme-cam'), {
    reason: 'format',
    message: /has scripts/,
  })
  assert.throws(() => parseDescription(Buffer.from([0x22, 0xff, 0x22])), { reason: 'format', message: /not text/ })
})
