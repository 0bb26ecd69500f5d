import fc from 'fast-check'

/** Texts at and beyond the edges of the types that messages use; ¦ stands between them. */
export const edges = [
  '¦ ¦\n¦x¦ true ¦TRUE¦True¦1¦0¦2',
  '-1¦+1¦-0¦007¦2147483647¦2147483648¦-2147483648¦-2147483649¦99999999999999999999¦31¦32¦1e5¦1.¦.5¦.¦INF¦+INF¦-INF¦NaN¦nan¦0x1¦1 2',
  '2026-11-21T11:00:00Z¦2026-02-29T11:00:00Z¦2024-02-29T24:00:00¦1900-02-29T00:00:00Z¦2000-02-29T00:00:00Z¦2024-01-01T24:00:01',
  '0000-01-01T00:00:00Z¦-0001-01-01T00:00:00Z¦12026-01-01T00:00:00+14:00¦02026-01-01T00:00:00Z¦2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00.5+14:01¦2026-1-1T00:00:00¦2026-01-01¦ 2026-01-01T00:00:00Z\n¦2026-01-01T23:59:60Z¦2026-04-31T00:00:00',
  'PT1S¦P1Y2M3DT4H5M6.7S¦P¦PT¦P1S¦-P1D¦+P1D¦P-1D¦PT1.S¦PT.1S¦P1DT¦P1M2Y¦ PT0S ¦P1.5D¦p1d',
  'AAAA¦AAA¦AAA=¦AA==¦AB==¦AAB=¦A A A A¦A===¦====¦AAAA AAAA¦AA=A¦-_-_¦é',
  `00¦0¦aF¦zz¦0 0¦ 00 ¦${'00'.repeat(31)}¦${'00'.repeat(32)}¦${'00'.repeat(33)}`,
  'http://a b¦http://[::1¦http://[::1]:80¦%zz¦%41¦a:b:c¦:a¦1:a¦http://a:x/¦http://a:99999999999/¦#a#b¦http://é/{x}|\\^`<>"¦//¦///¦a//b¦?¦http://u@h@i/¦[x]¦x#[y]',
  'a-b.c_d¦_a¦-a¦.a¦1a¦a:b¦ a ¦a·b¦a/b',
  'Manual¦ Manual¦manual¦a  b¦a,b¦a b c¦passphrase¦short¦pass\tphrase',
  `${'y'.repeat(64)}¦${'y'.repeat(65)}¦${'\u{1f600}'.repeat(64)}¦${'\u{1f600}'.repeat(65)}¦${'y'.repeat(128)}¦${'y'.repeat(129)}`,
].flatMap(line => line.split('¦'))

const legal = (text: string) => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')

export const texts = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...edges) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map(legal) },
)
