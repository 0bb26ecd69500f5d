import { makeIdentity } from './identities.ts'
import { createPath, createPolicy, tas, uploadCertificate, uploadKey } from './keystoreRequests.ts'
import type { Circumstances, Writer } from './writers.ts'

const PATH = 'CertificationPathID'
const POLICY = 'CertPathValidationPolicyID'

/** The IDs of this kind that were given so far, in order. */
const idsIn = (name: string, { prepared }: Circumstances): readonly string[] =>
  [...prepared.matchAll(new RegExp(`<tas:${name}>([^<]+)<`, 'g'))].map(([, id = '']) => id)

const element = (name: string, id = 'none') => `<tas:${name}>${id}</tas:${name}>`

/** With the first ID of this kind. */
const about = (operation: string, name: string) => (all: Circumstances) => tas(operation, element(name, idsIn(name, all)[0]))

const replace = (operation: string, name: string) => (all: Circumstances) => {
  const [first, second] = idsIn(name, all)
  return tas(operation, element(`Old${name}`, first) + element(`New${name}`, second))
}

const shown = (name: string, index: number) => (all: Circumstances) => new RegExp(`>${idsIn(name, all)[index]}<`)
const gone = (name: string) => (all: Circumstances) => new RegExp(`^(?!.*>${idsIn(name, all)[0]}<)`, 's')

/** Two of them over one certificate. */
async function two(what: (certificateId: string) => string) {
  const { pkcs8, der } = await makeIdentity('server')
  const make = (all: Circumstances) => what(idsIn('CertificateID', all)[0] ?? 'none')
  return [uploadKey(pkcs8), uploadCertificate(der), make, make]
}

const addPath = about('AddServerCertificateAssignment', PATH)
const addPolicy = about('AddCertPathValidationPolicyAssignment', POLICY)
const paths = tas('GetAssignedServerCertificates')
const policies = tas('GetAssignedCertPathValidationPolicies')
const flag = (name: string, element: string) => tas(name, `<tas:${element}>true</tas:${element}>`)

/** Every change that a client can make to the TLS server. */
export const tlsWriters: readonly Writer[] = [
  { operation: 'tas:AddServerCertificateAssignment', prepare: await two(createPath), write: addPath, read: paths, shows: shown(PATH, 0) },
  {
    operation: 'tas:ReplaceServerCertificateAssignment',
    prepare: [...(await two(createPath)), addPath],
    write: replace('ReplaceServerCertificateAssignment', PATH),
    read: paths,
    shows: shown(PATH, 1),
  },
  {
    operation: 'tas:RemoveServerCertificateAssignment',
    prepare: [...(await two(createPath)), addPath],
    write: about('RemoveServerCertificateAssignment', PATH),
    read: paths,
    shows: gone(PATH),
  },
  {
    operation: 'tas:SetEnabledTLSVersions',
    write: tas('SetEnabledTLSVersions', '<tas:Versions>1.3</tas:Versions>'),
    read: tas('GetEnabledTLSVersions'),
    shows: />1\.3</,
  },
  {
    operation: 'tas:AddCertPathValidationPolicyAssignment',
    prepare: await two(createPolicy),
    write: addPolicy,
    read: policies,
    shows: shown(POLICY, 0),
  },
  {
    operation: 'tas:ReplaceCertPathValidationPolicyAssignment',
    prepare: [...(await two(createPolicy)), addPolicy],
    write: replace('ReplaceCertPathValidationPolicyAssignment', POLICY),
    read: policies,
    shows: shown(POLICY, 1),
  },
  {
    operation: 'tas:RemoveCertPathValidationPolicyAssignment',
    prepare: [...(await two(createPolicy)), addPolicy],
    write: about('RemoveCertPathValidationPolicyAssignment', POLICY),
    read: policies,
    shows: gone(POLICY),
  },
  {
    operation: 'tas:SetClientAuthenticationRequired',
    prepare: [...(await two(createPolicy)), addPolicy],
    write: flag('SetClientAuthenticationRequired', 'clientAuthenticationRequired'),
    read: tas('GetClientAuthenticationRequired'),
    shows: />true</,
  },
  {
    operation: 'tas:SetCnMapsToUser',
    prepare: [...(await two(createPolicy)), addPolicy],
    write: flag('SetCnMapsToUser', 'cnMapsToUser'),
    read: tas('GetCnMapsToUser'),
    shows: />true</,
  },
]
