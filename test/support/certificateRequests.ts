import { base64 } from './keystoreRequests.ts'

/** Requests about certificates to the Device service as they stand inside of the Body. */

export const tds = (operation: string, content = ''): string => `<tds:${operation}>${content}</tds:${operation}>`
const id = (certificateId: string) => `<tds:CertificateID>${certificateId}</tds:CertificateID>`
const data = (bytes: Uint8Array) => `<tt:Data>${base64(bytes)}</tt:Data>`
const certificate = (certificateId: string, der: Uint8Array) =>
  `<tt:CertificateID>${certificateId}</tt:CertificateID><tt:Certificate>${data(der)}</tt:Certificate>`

export const createCertificate = (certificateId: string, rest = '<tds:Subject>CN=camera</tds:Subject>') =>
  tds('CreateCertificate', id(certificateId) + rest)
export const deleteCertificates = (...ids: readonly string[]) => tds('DeleteCertificates', ids.map(id).join(''))
export const certificateRequest = (certificateId: string, rest = '') => tds('GetPkcs10Request', id(certificateId) + rest)
export const certificateInformation = (certificateId: string) => tds('GetCertificateInformation', id(certificateId))

type Entry = readonly [id: string, der: Uint8Array]

export const loadCertificates = (...entries: readonly Entry[]) =>
  tds('LoadCertificates', entries.map(entry => `<tds:NVTCertificate>${certificate(...entry)}</tds:NVTCertificate>`).join(''))
export const loadAuthorities = (...entries: readonly Entry[]) =>
  tds('LoadCACertificates', entries.map(entry => `<tds:CACertificate>${certificate(...entry)}</tds:CACertificate>`).join(''))
export const loadWithKey = (...entries: readonly (readonly [id: string, der: Uint8Array, pkcs8: Uint8Array])[]) =>
  tds(
    'LoadCertificateWithPrivateKey',
    entries
      .map(
        ([id, der, pkcs8]) =>
          `<tds:CertificateWithPrivateKey>${certificate(id, der)}<tt:PrivateKey>${data(pkcs8)}</tt:PrivateKey></tds:CertificateWithPrivateKey>`,
      )
      .join(''),
  )

export const certificateStatus = (certificateId: string, enabled: boolean) =>
  tds(
    'SetCertificatesStatus',
    `<tds:CertificateStatus><tt:CertificateID>${certificateId}</tt:CertificateID><tt:Status>${enabled}</tt:Status></tds:CertificateStatus>`,
  )
export const clientMode = (enabled: boolean) => tds('SetClientCertificateMode', `<tds:Enabled>${enabled}</tds:Enabled>`)

/** `method` and what belongs to it: by default EAP-PEAP with a password. */
export const dot1x = (
  operation: 'CreateDot1XConfiguration' | 'SetDot1XConfiguration',
  token: string,
  { identity = 'camera', method = 25, authority = '', own = '<tt:Password>secret</tt:Password>' } = {},
) =>
  tds(
    operation,
    `<tds:Dot1XConfiguration><tt:Dot1XConfigurationToken>${token}</tt:Dot1XConfigurationToken><tt:Identity>${identity}</tt:Identity><tt:EAPMethod>${method}</tt:EAPMethod>${authority && `<tt:CACertificateID>${authority}</tt:CACertificateID>`}<tt:EAPMethodConfiguration>${own}</tt:EAPMethodConfiguration></tds:Dot1XConfiguration>`,
  )
export const withCertificate = (certificateId: string) => ({
  method: 13,
  own: `<tt:TLSConfiguration><tt:CertificateID>${certificateId}</tt:CertificateID></tt:TLSConfiguration>`,
})
const dot1xToken = (token: string) => `<tds:Dot1XConfigurationToken>${token}</tds:Dot1XConfigurationToken>`
export const getDot1x = (token: string) => tds('GetDot1XConfiguration', dot1xToken(token))
export const deleteDot1x = (...tokens: readonly string[]) => tds('DeleteDot1XConfiguration', tokens.map(dot1xToken).join(''))
