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

const toWire = ({ token, type, region, localPath, uri, userName }: Configuration): StorageConfiguration => ({
  token,
  Data: {
    type,
    Region: region,
    LocalPath: localPath,
    StorageUri: uri,
    User: userName === undefined ? undefined : { UserName: userName },
  },
})

function fromWire({ type, Region, LocalPath, StorageUri, User, ...rest }: StorageConfigurationData): StorageRequest {
  const unsupported = []
  if (rest.CertPathValidationPolicyID !== undefined) unsupported.push('certification path validation policies')
  if (rest.ConfigurationRenewal !== undefined) unsupported.push('renewal of the configuration')
  const user = User && { name: User.UserName, password: User.Password, token: User.Token }
  return { type, region: Region, localPath: LocalPath, uri: StorageUri, user, unsupported }
}
