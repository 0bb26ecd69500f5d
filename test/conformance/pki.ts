import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Trust } from '../../src/device/firmware/image.ts'

/** Files of a certificate and its key, as tools want them. */
export interface Signer {
  readonly certificate: string
  readonly key: string
}

export interface Pki {
  /** PEM files. The device trusts `authority` and knows `revocations`. */
  readonly authority: string
  readonly revocations: string
  readonly good: Signer
  readonly expired: Signer
  readonly revoked: Signer
  /** Of another CA. */
  readonly stranger: Signer
  readonly trust: () => Promise<Trust>
}

/** Both purposes: RAUC wants codeSigning, SWUpdate emailProtection unless it is told otherwise. */
const configuration = `
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = issued
serial = serial
default_md = sha256
default_days = 3650
default_crl_days = 3650
policy = policy
x509_extensions = leaf
[policy]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning,emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`

/** A CA with its signers, made with openssl; the files go away with the process's tests. */
export function makePki(): Pki {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-pki-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  function authority(name: string) {
    const cwd = join(folder, name)
    mkdirSync(join(cwd, 'issued'), { recursive: true })
    writeFileSync(join(cwd, 'ca.cnf'), configuration)
    writeFileSync(join(cwd, 'index.txt'), '')
    writeFileSync(join(cwd, 'serial'), '01\n')
    const openssl = (line: string) => execFileSync('openssl', line.split(' '), { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
    const key = (of: string) => openssl(`genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${of}.key`)
    key('ca')
    const root = '-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign'
    openssl(`req -x509 -new -key ca.key -subj /CN=${name} -days 3650 -out ca.pem ${root}`)
    return {
      file: join(cwd, 'ca.pem'),
      signer(of: string, validity = ''): Signer {
        key(of)
        openssl(`req -new -key ${of}.key -subj /CN=${of} -out ${of}.csr`)
        openssl(`ca -batch -notext -config ca.cnf -keyfile ca.key -cert ca.pem -in ${of}.csr -out ${of}.pem${validity}`)
        return { certificate: join(cwd, `${of}.pem`), key: join(cwd, `${of}.key`) }
      },
      revoke({ certificate }: Signer): string {
        openssl(`ca -config ca.cnf -keyfile ca.key -cert ca.pem -revoke ${certificate}`)
        openssl('ca -config ca.cnf -keyfile ca.key -cert ca.pem -gencrl -out crl.pem')
        return join(cwd, 'crl.pem')
      },
    }
  }

  const own = authority('maker')
  const revoked = own.signer('revoked')
  const revocations = own.revoke(revoked)
  return {
    authority: own.file,
    revocations,
    good: own.signer('signer'),
    expired: own.signer('expired', ' -startdate 20200101000000Z -enddate 20210101000000Z'),
    revoked,
    stranger: authority('stranger').signer('other'),
    trust: async () => ({
      authorities: readFileSync(own.file, 'utf8'),
      revocations: readFileSync(revocations, 'utf8'),
      signersMin: 1,
      time: 'clock',
      passed: new Date(0),
    }),
  }
}
