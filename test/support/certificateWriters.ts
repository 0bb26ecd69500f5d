import {
  certificateStatus,
  clientMode,
  createCertificate,
  deleteCertificates,
  deleteDot1x,
  dot1x,
  loadAuthorities,
  loadCertificates,
  loadWithKey,
  tds,
} from './certificateRequests.ts'
import { makeIdentity } from './identities.ts'
import { uploadKey } from './keystoreRequests.ts'
import type { Writer } from './writers.ts'

const [owner, guest, root, believed] = await Promise.all([
  makeIdentity('owner'),
  makeIdentity('guest'),
  makeIdentity('root', { isAuthority: true }),
  makeIdentity('believed', { isAuthority: true }),
])
const own = tds('GetCertificates')
const networks = tds('GetDot1XConfigurations')
const shown = (id: string) => new RegExp(`>${id}<`)
const gone = (id: string) => new RegExp(`^(?!.*>${id}<)`, 's')

/** Every change that a client can make to certificates and IEEE 802.1X through the Device service. */
export const certificateWriters: readonly Writer[] = [
  { operation: 'CreateCertificate', write: createCertificate('made-here'), read: own, shows: shown('made-here') },
  {
    operation: 'DeleteCertificates',
    prepare: createCertificate('to-go'),
    write: deleteCertificates('to-go'),
    read: own,
    shows: gone('to-go'),
  },
  {
    operation: 'LoadCertificates',
    prepare: uploadKey(owner.pkcs8),
    write: loadCertificates(['loaded', owner.der]),
    read: own,
    shows: shown('loaded'),
  },
  {
    operation: 'LoadCertificateWithPrivateKey',
    write: loadWithKey(['brought-along', guest.der, guest.pkcs8]),
    read: own,
    shows: shown('brought-along'),
  },
  {
    operation: 'LoadCACertificates',
    write: loadAuthorities(['authority', root.der]),
    read: tds('GetCACertificates'),
    shows: shown('authority'),
  },
  {
    operation: 'SetCertificatesStatus',
    prepare: createCertificate('shown'),
    write: certificateStatus('shown', true),
    read: tds('GetCertificatesStatus'),
    shows: />shown<\/tt:CertificateID><tt:Status>true</,
  },
  {
    operation: 'SetClientCertificateMode',
    prepare: loadAuthorities(['believed', believed.der]),
    write: clientMode(true),
    read: tds('GetClientCertificateMode'),
    shows: /Enabled>true</,
  },
  {
    operation: 'CreateDot1XConfiguration',
    write: dot1x('CreateDot1XConfiguration', 'office'),
    read: networks,
    shows: shown('office'),
  },
  {
    operation: 'SetDot1XConfiguration',
    prepare: dot1x('CreateDot1XConfiguration', 'attic'),
    write: dot1x('SetDot1XConfiguration', 'attic', { identity: 'another' }),
    read: networks,
    shows: /attic<.*>another</s,
  },
  {
    operation: 'DeleteDot1XConfiguration',
    prepare: dot1x('CreateDot1XConfiguration', 'cellar'),
    write: deleteDot1x('cellar'),
    read: networks,
    shows: gone('cellar'),
  },
]
