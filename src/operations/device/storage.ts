import type { StorageConfiguration as Configuration, StorageConfigurations, StorageRequest } from '../../device/storageConfigurations.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { StorageConfiguration, StorageConfigurationData } from '../../onvif/types.generated.ts'

/** Core 8.8. */
export function storage({ storageConfigurations: subject }: { readonly storageConfigurations: StorageConfigurations }): Chapter<'storage'> {
  return {
    async GetStorageConfigurations() {
      return { StorageConfigurations: subject.list().map(toWire) }
    },

    async CreateStorageConfiguration({ StorageConfiguration: data }) {
      return { Token: subject.create(fromWire(data)) }
    },

    async GetStorageConfiguration({ Token }) {
      return { StorageConfiguration: toWire(subject.get(Token)) }
    },

    async SetStorageConfiguration({ StorageConfiguration: { token, Data } }) {
      subject.set(token, fromWire(Data))
      return {}
    },

    async DeleteStorageConfiguration({ Token }) {
      subject.delete(Token)
      return {}
    },
  }
}

/** What Core 8.8.2 has its Error for: a client that sets a renewal learns here that the log-in is not renewed by it. */
const notRenewed = 'this device keeps the renewal, and does not perform it'

const toWire = ({ token, type, region, localPath, uri, userName, policyId, renewal }: Configuration): StorageConfiguration => ({
  token,
  Data: {
    type,
    Region: region,
    LocalPath: localPath,
    StorageUri: uri,
    User: userName === undefined ? undefined : { UserName: userName },
    CertPathValidationPolicyID: policyId,
    ConfigurationRenewal: renewal && {
      RenewalEndpoint: renewal.endpoint,
      AuthorizationServer: renewal.authorizationServer,
      CertPathValidationPolicyID: renewal.policyId,
      Error: notRenewed,
    },
  },
})

const fromWire = ({ type, ConfigurationRenewal: renewal, ...data }: StorageConfigurationData): StorageRequest => ({
  type,
  region: data.Region,
  localPath: data.LocalPath,
  uri: data.StorageUri,
  user: data.User && { name: data.User.UserName, password: data.User.Password, token: data.User.Token },
  policyId: data.CertPathValidationPolicyID,
  renewal: renewal && {
    endpoint: renewal.RenewalEndpoint,
    authorizationServer: renewal.AuthorizationServer,
    policyId: renewal.CertPathValidationPolicyID,
  },
})
