import type { AuthorizationServer, AuthorizationServerRequest, AuthorizationServers } from '../../device/authorizationServers.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { AuthorizationServerConfiguration, AuthorizationServerConfigurationData } from '../../onvif/types.generated.ts'

/** Security 5.5.5. */
export function authorizationServers(subject: AuthorizationServers): Chapter<'authorizationServers'> {
  return {
    async 'tas:GetAuthorizationServerConfigurations'({ Token }) {
      const found = Token === undefined ? subject.list() : [subject.get(Token)]
      return { Configuration: found.map(toWire) }
    },

    async 'tas:CreateAuthorizationServerConfiguration'({ Configuration }) {
      return { Token: subject.create(fromWire(Configuration)) }
    },

    async 'tas:SetAuthorizationServerConfiguration'({ Configuration: { token, Data } }) {
      subject.set(token, fromWire(Data))
      return {}
    },

    async 'tas:DeleteAuthorizationServerConfiguration'({ Token }) {
      subject.delete(Token)
      return {}
    },
  }
}

const toWire = ({ token, ...server }: AuthorizationServer): AuthorizationServerConfiguration => ({
  token,
  Data: {
    Type: server.type,
    ClientAuth: server.clientAuth,
    ServerUri: server.serverUri,
    ClientID: server.clientId,
    Scope: server.scope,
    KeyID: server.keyId,
    CertificateID: server.certificateId,
    CertPathValidationPolicyID: server.policyId,
  },
})

const fromWire = (data: AuthorizationServerConfigurationData): AuthorizationServerRequest => ({
  type: data.Type,
  clientAuth: data.ClientAuth,
  serverUri: data.ServerUri,
  clientId: data.ClientID,
  secret: data.ClientSecret,
  scope: data.Scope,
  keyId: data.KeyID,
  certificateId: data.CertificateID,
  policyId: data.CertPathValidationPolicyID,
})
