import { minVersion, satisfies } from 'semver'
import { type LockFile, readLockFile, recordOf } from './lockFile.ts'

interface Floor {
  readonly package: string
  /** The versions that are not taken, as npm writes ranges. */
  readonly refused: string
  readonly advisory: string
  readonly reason: string
}

/**
 * What must not come back, at whatever depth: versions below a known fix, and packages that never got one. Those that soap brings are
 * in it as well, because whoever installs it for `onvifd call` gets them.
 */
export const floors: readonly Floor[] = [
  // What reads requests
  {
    package: 'dicer',
    refused: '*',
    advisory: 'CVE-2022-24434',
    reason: 'a header that begins with a blank ends the process; there is no fix',
  },
  { package: 'busboy', refused: '<1.0.0', advisory: 'CVE-2022-24434', reason: 'reads with dicer' },
  {
    package: 'express',
    refused: '<4.20.0 || >=5.0.0-alpha.1 <5.0.0',
    advisory: 'CVE-2024-43796',
    reason: 'markup in the answer of res.redirect',
  },
  {
    package: 'body-parser',
    refused: '<1.20.6 || >=2.0.0 <2.3.0',
    advisory: 'CVE-2026-12590',
    reason: 'a limit that cannot be read is no limit at all',
  },
  { package: 'qs', refused: '<6.16.0', advisory: 'CVE-2026-82562, CVE-2025-15284', reason: 'arrays grow past arrayLimit' },
  {
    package: 'path-to-regexp',
    refused: '<0.1.13 || >=8.0.0 <8.4.0',
    advisory: 'CVE-2026-4867, CVE-2026-4923, CVE-2026-4926',
    reason: 'patterns that take exponential time',
  },
  { package: 'send', refused: '<0.19.0', advisory: 'CVE-2024-43799', reason: 'markup in the page of a redirect' },
  {
    package: 'serve-static',
    refused: '<1.16.0 || >=2.0.0 <2.1.0',
    advisory: 'CVE-2024-43800',
    reason: 'markup in the page of a redirect',
  },
  { package: 'cookie', refused: '<0.7.0', advisory: 'CVE-2024-47764', reason: 'a name of a cookie may set its other fields' },
  // What reads XML
  { package: 'fast-xml-parser', refused: '<5.7.0', advisory: 'CVE-2026-41650', reason: 'the writer lets comments and CDATA end early' },
  { package: 'fast-xml-parser', refused: '>=5.9.3 <5.10.1', advisory: 'CVE-2026-73569', reason: 'entities grow past their limits' },
  {
    package: '@xmldom/xmldom',
    refused: '<0.8.15 || >=0.9.0 <0.9.12',
    advisory: 'CVE-2026-83608, CVE-2026-83605',
    reason: 'text becomes markup when it is written',
  },
  { package: 'xmldom', refused: '*', advisory: 'CVE-2022-39353', reason: 'two roots are taken; it lives on as @xmldom/xmldom' },
  { package: 'xml2js', refused: '<0.5.0', advisory: 'CVE-2023-0842', reason: 'an element named __proto__ changes the prototype' },
  // What verifies
  {
    package: 'node-forge',
    refused: '<1.4.0',
    advisory: 'CVE-2026-33891, CVE-2026-33894, CVE-2026-33895, CVE-2026-33896',
    reason: 'endless loop, forged RSA and Ed25519 signatures, a leaf taken for a CA',
  },
  {
    package: 'xml-crypto',
    refused: '<2.1.6 || >=3.0.0 <3.2.1 || >=4.0.0 <6.0.1',
    advisory: 'CVE-2025-29774, CVE-2025-29775',
    reason: 'a signature is valid for what was not signed',
  },
  {
    package: 'jose',
    refused: '<2.0.7 || >=3.0.0 <4.15.5',
    advisory: 'CVE-2024-28176',
    reason: 'a token that is decompressed without a limit',
  },
  // What sends requests
  { package: 'axios', refused: '<1.16.0', advisory: 'CVE-2026-44492', reason: 'names of the own host that evade NO_PROXY' },
  { package: 'plain-crypto-js', refused: '*', advisory: 'axios/axios#10604', reason: 'the malware in axios 1.14.1 and 0.30.4' },
  {
    package: 'follow-redirects',
    refused: '<1.16.0',
    advisory: 'CVE-2026-40895',
    reason: 'headers with log-ins follow a redirect to another host',
  },
  {
    package: 'form-data',
    refused: '<2.5.4 || >=3.0.0 <3.0.4 || >=4.0.0 <4.0.4',
    advisory: 'CVE-2025-7783',
    reason: 'a boundary that can be guessed',
  },
  { package: 'formidable', refused: '<2.1.3 || >=3.0.0 <3.5.3', advisory: 'CVE-2025-46653', reason: 'names of files that can be guessed' },
  // Everything else
  { package: 'debug', refused: '4.4.2', advisory: 'CVE-2025-59144', reason: 'published with malware' },
  {
    package: 'ansi-regex',
    refused: '>=3.0.0 <3.0.1 || >=4.0.0 <4.1.1 || >=5.0.0 <5.0.1 || >=6.0.0 <6.0.1',
    advisory: 'CVE-2021-3807',
    reason: 'a pattern that takes exponential time',
  },
  { package: 'minimist', refused: '<0.2.4 || >=1.0.0 <1.2.6', advisory: 'CVE-2021-44906', reason: 'an argument changes the prototype' },
  {
    package: 'semver',
    refused: '<5.7.2 || >=6.0.0 <6.3.1 || >=7.0.0 <7.5.2',
    advisory: 'CVE-2022-25883',
    reason: 'a pattern that takes quadratic time',
  },
  {
    package: 'node',
    refused: '>=20.0.0 <20.20.2 || >=22.0.0 <22.22.2 || >=24.0.0 <24.14.1 || >=25.0.0 <25.8.2',
    advisory: 'CVE-2026-21710, CVE-2026-21637, CVE-2026-21717',
    reason: 'a header named __proto__ and an error in SNICallback end the process; keys that collide',
  },
]

/**
 * One line for each package of the lock that is refused, and for each range of package.json that would let one in: whoever installs
 * onvifd as a package has another lock.
 */
export function refusedPackages({ project, packages }: LockFile): readonly string[] {
  const ranges = ['dependencies', 'devDependencies', 'peerDependencies'].flatMap(kind =>
    Object.entries(recordOf(project[kind])).map(([name, range]) => ({
      name,
      version: minVersion(String(range))?.version ?? '',
      place: `${kind} of package.json`,
    })),
  )
  return [...packages.map(({ name, version, path }) => ({ name, version, place: path })), ...ranges].flatMap(({ name, version, place }) =>
    floors
      .filter(floor => floor.package === name && satisfies(version, floor.refused, { includePrerelease: true }))
      .map(({ refused, advisory, reason }) => `${place}: ${name} ${version} is in ${refused} (${advisory}): ${reason}`),
  )
}

if (import.meta.main) {
  const refused = refusedPackages(readLockFile(process.argv[2]))
  for (const line of refused) process.stderr.write(`${line}\n`)
  if (refused.length > 0) process.exitCode = 1
}
