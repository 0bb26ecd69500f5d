// Generated from wsdl/ by `npm run generate`. Do not edit.
import type { AnyElement, AnyOrRaw, PrefixScope, Raw } from './schema.ts'

/** Request and response of every operation; the keys are those of the contract. */
export interface Operations {
  /** Lists the services of the device with address and version, and on request the capabilities of each. */
  readonly GetServices: { readonly request: GetServicesRequest; readonly response: GetServicesResponse }
  /** What the Device service itself can do; static while the firmware stays the same. */
  readonly GetServiceCapabilities: { readonly request: GetServiceCapabilitiesRequest; readonly response: GetServiceCapabilitiesResponse }
  /** Older form of GetServices: addresses and abilities by category. */
  readonly GetCapabilities: { readonly request: GetCapabilitiesRequest; readonly response: GetCapabilitiesResponse }
  /** Where a client finds the WSDL of the device. */
  readonly GetWsdlUrl: { readonly request: GetWsdlUrlRequest; readonly response: GetWsdlUrlResponse }
  /** The stable UUID by which WS-Discovery knows the device. */
  readonly GetEndpointReference: { readonly request: GetEndpointReferenceRequest; readonly response: GetEndpointReferenceResponse }
  /** Manufacturer, model, firmware version, serial number and hardware of the device. */
  readonly GetDeviceInformation: { readonly request: GetDeviceInformationRequest; readonly response: GetDeviceInformationResponse }
  /** The clock in UTC and local time, its time zone, and whether NTP sets it. Needs no log-in, so that clients can compute their digests. */
  readonly GetSystemDateAndTime: { readonly request: GetSystemDateAndTimeRequest; readonly response: GetSystemDateAndTimeResponse }
  /** Sets the clock, or hands it over to NTP. */
  readonly SetSystemDateAndTime: { readonly request: SetSystemDateAndTimeRequest; readonly response: SetSystemDateAndTimeResponse }
  /** Puts settings back as they left the factory: all of them, or all except what keeps the device reachable. */
  readonly SetSystemFactoryDefault: { readonly request: SetSystemFactoryDefaultRequest; readonly response: SetSystemFactoryDefaultResponse }
  /** Restarts the device after this answer has been sent. */
  readonly SystemReboot: { readonly request: SystemRebootRequest; readonly response: SystemRebootResponse }
  /** Hands out a URI that takes a firmware image by HTTP POST, and tells when it opens and how long the device will be away. */
  readonly StartFirmwareUpgrade: { readonly request: StartFirmwareUpgradeRequest; readonly response: StartFirmwareUpgradeResponse }
  /** Lets the device fetch the named firmware version from its vendor by itself. */
  readonly UpgradeFirmware: { readonly request: UpgradeFirmwareRequest; readonly response: UpgradeFirmwareResponse }
  /** Deprecated: a firmware image as an MTOM attachment. StartFirmwareUpgrade replaces it. */
  readonly UpgradeSystemFirmware: { readonly request: UpgradeSystemFirmwareRequest; readonly response: UpgradeSystemFirmwareResponse }
  /** Hands out a URI that takes a backup by HTTP POST, to be restored. */
  readonly StartSystemRestore: { readonly request: StartSystemRestoreRequest; readonly response: StartSystemRestoreResponse }
  /** Deprecated: restores backup files sent as MTOM attachments. StartSystemRestore replaces it. */
  readonly RestoreSystem: { readonly request: RestoreSystemRequest; readonly response: RestoreSystemResponse }
  /** Deprecated: backup files as MTOM attachments. GetSystemUris replaces it. */
  readonly GetSystemBackup: { readonly request: GetSystemBackupRequest; readonly response: GetSystemBackupResponse }
  /** Addresses from which logs, support information and a backup can be downloaded by HTTP GET. */
  readonly GetSystemUris: { readonly request: GetSystemUrisRequest; readonly response: GetSystemUrisResponse }
  /** The system or the access log inside the answer, as text or as an attachment. */
  readonly GetSystemLog: { readonly request: GetSystemLogRequest; readonly response: GetSystemLogResponse }
  /** Diagnostic details for the vendor's support, as text or as an attachment. */
  readonly GetSystemSupportInformation: { readonly request: GetSystemSupportInformationRequest; readonly response: GetSystemSupportInformationResponse }
  /** The scope URIs that discovery matches against, fixed and configurable ones. */
  readonly GetScopes: { readonly request: GetScopesRequest; readonly response: GetScopesResponse }
  /** Replaces all configurable scopes by the given list; fixed ones stay. */
  readonly SetScopes: { readonly request: SetScopesRequest; readonly response: SetScopesResponse }
  /** Adds configurable scopes to those there are. */
  readonly AddScopes: { readonly request: AddScopesRequest; readonly response: AddScopesResponse }
  /** Takes configurable scopes away and answers with those removed. */
  readonly RemoveScopes: { readonly request: RemoveScopesRequest; readonly response: RemoveScopesResponse }
  /** Whether the device shows itself to WS-Discovery. */
  readonly GetDiscoveryMode: { readonly request: GetDiscoveryModeRequest; readonly response: GetDiscoveryModeResponse }
  /** Makes the device visible or invisible to WS-Discovery. */
  readonly SetDiscoveryMode: { readonly request: SetDiscoveryModeRequest; readonly response: SetDiscoveryModeResponse }
  /** Deprecated: whether the device announces itself to a discovery proxy. */
  readonly GetRemoteDiscoveryMode: { readonly request: GetRemoteDiscoveryModeRequest; readonly response: GetRemoteDiscoveryModeResponse }
  /** Deprecated: switches the announcement to a discovery proxy on or off. */
  readonly SetRemoteDiscoveryMode: { readonly request: SetRemoteDiscoveryModeRequest; readonly response: SetRemoteDiscoveryModeResponse }
  /** Deprecated: the discovery proxies that the device announces itself to. */
  readonly GetDPAddresses: { readonly request: GetDPAddressesRequest; readonly response: GetDPAddressesResponse }
  /** Deprecated: sets the discovery proxies. */
  readonly SetDPAddresses: { readonly request: SetDPAddressesRequest; readonly response: SetDPAddressesResponse }
  /** Name and level of every account; never a password. */
  readonly GetUsers: { readonly request: GetUsersRequest; readonly response: GetUsersResponse }
  /** Creates accounts: all of them, or none when one is refused. */
  readonly CreateUsers: { readonly request: CreateUsersRequest; readonly response: CreateUsersResponse }
  /** Changes password or level of existing accounts: all of them, or none. */
  readonly SetUser: { readonly request: SetUserRequest; readonly response: SetUserResponse }
  /** Deletes accounts by name: all of them, or none. */
  readonly DeleteUsers: { readonly request: DeleteUsersRequest; readonly response: DeleteUsersResponse }
  /** The roles that accounts can have, with the functions each of them opens. */
  readonly GetUserRoles: { readonly request: GetUserRolesRequest; readonly response: GetUserRolesResponse }
  /** Creates a role, or changes the functions of one. */
  readonly SetUserRole: { readonly request: SetUserRoleRequest; readonly response: SetUserRoleResponse }
  /** Deletes a role of one's own; those of the standard stay. */
  readonly DeleteUserRole: { readonly request: DeleteUserRoleRequest; readonly response: DeleteUserRoleResponse }
  /** The account under which this device logs in to others, without its password. */
  readonly GetRemoteUser: { readonly request: GetRemoteUserRequest; readonly response: GetRemoteUserResponse }
  /** Sets the account under which this device logs in to others; an empty request removes it. */
  readonly SetRemoteUser: { readonly request: SetRemoteUserRequest; readonly response: SetRemoteUserResponse }
  /** Limits within which password rules can be set. */
  readonly GetPasswordComplexityOptions: { readonly request: GetPasswordComplexityOptionsRequest; readonly response: GetPasswordComplexityOptionsResponse }
  /** The password rules in force. */
  readonly GetPasswordComplexityConfiguration: { readonly request: GetPasswordComplexityConfigurationRequest; readonly response: GetPasswordComplexityConfigurationResponse }
  /** Sets the rules for passwords chosen from now on. */
  readonly SetPasswordComplexityConfiguration: { readonly request: SetPasswordComplexityConfigurationRequest; readonly response: SetPasswordComplexityConfigurationResponse }
  /** Whether earlier passwords are refused, and how many are remembered. */
  readonly GetPasswordHistoryConfiguration: { readonly request: GetPasswordHistoryConfigurationRequest; readonly response: GetPasswordHistoryConfigurationResponse }
  /** Sets how many earlier passwords are remembered and refused. */
  readonly SetPasswordHistoryConfiguration: { readonly request: SetPasswordHistoryConfigurationRequest; readonly response: SetPasswordHistoryConfigurationResponse }
  /** Limits within which warnings about failed log-ins can be set. */
  readonly GetAuthFailureWarningOptions: { readonly request: GetAuthFailureWarningOptionsRequest; readonly response: GetAuthFailureWarningOptionsResponse }
  /** When failed log-ins lead to a warning event. */
  readonly GetAuthFailureWarningConfiguration: { readonly request: GetAuthFailureWarningConfigurationRequest; readonly response: GetAuthFailureWarningConfigurationResponse }
  /** Sets how many failed log-ins in what time lead to a warning event. */
  readonly SetAuthFailureWarningConfiguration: { readonly request: SetAuthFailureWarningConfigurationRequest; readonly response: SetAuthFailureWarningConfigurationResponse }
  /** Chooses the hash functions that HTTP Digest offers. */
  readonly SetHashingAlgorithm: { readonly request: SetHashingAlgorithmRequest; readonly response: SetHashingAlgorithmResponse }
  /** The file that says which user levels may call which operations. */
  readonly GetAccessPolicy: { readonly request: GetAccessPolicyRequest; readonly response: GetAccessPolicyResponse }
  /** Loads another access policy file. */
  readonly SetAccessPolicy: { readonly request: SetAccessPolicyRequest; readonly response: SetAccessPolicyResponse }
  /** The host name, and whether DHCP gave it. */
  readonly GetHostname: { readonly request: GetHostnameRequest; readonly response: GetHostnameResponse }
  /** Gives the device a host name. */
  readonly SetHostname: { readonly request: SetHostnameRequest; readonly response: SetHostnameResponse }
  /** Lets DHCP name the device, or keeps the name set by hand; the answer says whether a reboot is due. */
  readonly SetHostnameFromDHCP: { readonly request: SetHostnameFromDHCPRequest; readonly response: SetHostnameFromDHCPResponse }
  /** Name servers and search domains, from DHCP or set by hand. */
  readonly GetDNS: { readonly request: GetDNSRequest; readonly response: GetDNSResponse }
  /** Sets name servers and search domains, or takes them from DHCP. */
  readonly SetDNS: { readonly request: SetDNSRequest; readonly response: SetDNSResponse }
  /** Time servers, from DHCP or set by hand. */
  readonly GetNTP: { readonly request: GetNTPRequest; readonly response: GetNTPResponse }
  /** Sets the time servers, or takes them from DHCP; whether NTP sets the clock stays as it was. */
  readonly SetNTP: { readonly request: SetNTPRequest; readonly response: SetNTPResponse }
  /** How the device keeps its own DNS entry up to date. */
  readonly GetDynamicDNS: { readonly request: GetDynamicDNSRequest; readonly response: GetDynamicDNSResponse }
  /** Sets how the device keeps its own DNS entry up to date. */
  readonly SetDynamicDNS: { readonly request: SetDynamicDNSRequest; readonly response: SetDynamicDNSResponse }
  /** Every network interface with its link, IPv4, IPv6 and wireless settings. */
  readonly GetNetworkInterfaces: { readonly request: GetNetworkInterfacesRequest; readonly response: GetNetworkInterfacesResponse }
  /** Changes one interface; the answer says whether the change waits for a reboot. */
  readonly SetNetworkInterfaces: { readonly request: SetNetworkInterfacesRequest; readonly response: SetNetworkInterfacesResponse }
  /** HTTP, HTTPS and RTSP: whether each is on, and its ports. */
  readonly GetNetworkProtocols: { readonly request: GetNetworkProtocolsRequest; readonly response: GetNetworkProtocolsResponse }
  /** Switches HTTP, HTTPS and RTSP on or off and sets their ports. */
  readonly SetNetworkProtocols: { readonly request: SetNetworkProtocolsRequest; readonly response: SetNetworkProtocolsResponse }
  /** The default gateways for IPv4 and IPv6. */
  readonly GetNetworkDefaultGateway: { readonly request: GetNetworkDefaultGatewayRequest; readonly response: GetNetworkDefaultGatewayResponse }
  /** Sets the default gateways. */
  readonly SetNetworkDefaultGateway: { readonly request: SetNetworkDefaultGatewayRequest; readonly response: SetNetworkDefaultGatewayResponse }
  /** Whether interfaces take a link-local IPv4 address (RFC 3927), and which. */
  readonly GetZeroConfiguration: { readonly request: GetZeroConfigurationRequest; readonly response: GetZeroConfigurationResponse }
  /** Switches the link-local IPv4 address of one interface on or off. */
  readonly SetZeroConfiguration: { readonly request: SetZeroConfigurationRequest; readonly response: SetZeroConfigurationResponse }
  /** Which addresses may reach the device, or may not. */
  readonly GetIPAddressFilter: { readonly request: GetIPAddressFilterRequest; readonly response: GetIPAddressFilterResponse }
  /** Replaces the address filter, including whether it allows or denies. */
  readonly SetIPAddressFilter: { readonly request: SetIPAddressFilterRequest; readonly response: SetIPAddressFilterResponse }
  /** Adds addresses to the filter; the Type in the request has no effect. */
  readonly AddIPAddressFilter: { readonly request: AddIPAddressFilterRequest; readonly response: AddIPAddressFilterResponse }
  /** Takes addresses out of the filter; the Type in the request has no effect. */
  readonly RemoveIPAddressFilter: { readonly request: RemoveIPAddressFilterRequest; readonly response: RemoveIPAddressFilterResponse }
  /** Which IEEE 802.11 ciphers and modes the device can use. */
  readonly GetDot11Capabilities: { readonly request: GetDot11CapabilitiesRequest; readonly response: GetDot11CapabilitiesResponse }
  /** The wireless network that an interface is in, and how well it hears it. */
  readonly GetDot11Status: { readonly request: GetDot11StatusRequest; readonly response: GetDot11StatusResponse }
  /** Looks for wireless networks in reach of an interface. */
  readonly ScanAvailableDot11Networks: { readonly request: ScanAvailableDot11NetworksRequest; readonly response: ScanAvailableDot11NetworksResponse }
  /** Deprecated in favour of the DeviceIO service: all relays and how they behave. */
  readonly GetRelayOutputs: { readonly request: GetRelayOutputsRequest; readonly response: GetRelayOutputsResponse }
  /** Deprecated in favour of the DeviceIO service: sets how a relay behaves. */
  readonly SetRelayOutputSettings: { readonly request: SetRelayOutputSettingsRequest; readonly response: SetRelayOutputSettingsResponse }
  /** Deprecated in favour of the DeviceIO service: switches a relay. */
  readonly SetRelayOutputState: { readonly request: SetRelayOutputStateRequest; readonly response: SetRelayOutputStateResponse }
  /** Runs one of the auxiliary commands that the capabilities list, such as a wiper. */
  readonly SendAuxiliaryCommand: { readonly request: SendAuxiliaryCommandRequest; readonly response: SendAuxiliaryCommandResponse }
  /** All places where the device can store recordings. */
  readonly GetStorageConfigurations: { readonly request: GetStorageConfigurationsRequest; readonly response: GetStorageConfigurationsResponse }
  /** One storage place by its token. */
  readonly GetStorageConfiguration: { readonly request: GetStorageConfigurationRequest; readonly response: GetStorageConfigurationResponse }
  /** Adds a storage place and answers with its token. */
  readonly CreateStorageConfiguration: { readonly request: CreateStorageConfigurationRequest; readonly response: CreateStorageConfigurationResponse }
  /** Changes a storage place. */
  readonly SetStorageConfiguration: { readonly request: SetStorageConfigurationRequest; readonly response: SetStorageConfigurationResponse }
  /** Removes a storage place. */
  readonly DeleteStorageConfiguration: { readonly request: DeleteStorageConfigurationRequest; readonly response: DeleteStorageConfigurationResponse }
  /** Where the device and its parts are, and which way they look. */
  readonly GetGeoLocation: { readonly request: GetGeoLocationRequest; readonly response: GetGeoLocationResponse }
  /** Sets positions by entity and token; others stay as they are. */
  readonly SetGeoLocation: { readonly request: SetGeoLocationRequest; readonly response: SetGeoLocationResponse }
  /** Removes positions by entity and token. */
  readonly DeleteGeoLocation: { readonly request: DeleteGeoLocationRequest; readonly response: DeleteGeoLocationResponse }
  /** Deprecated: makes a key pair and a self-signed certificate on the device. */
  readonly CreateCertificate: { readonly request: CreateCertificateRequest; readonly response: CreateCertificateResponse }
  /** Deprecated: the device's own certificates. */
  readonly GetCertificates: { readonly request: GetCertificatesRequest; readonly response: GetCertificatesResponse }
  /** Deprecated: which certificates the TLS server uses. */
  readonly GetCertificatesStatus: { readonly request: GetCertificatesStatusRequest; readonly response: GetCertificatesStatusResponse }
  /** Deprecated: chooses the certificates for the TLS server. */
  readonly SetCertificatesStatus: { readonly request: SetCertificatesStatusRequest; readonly response: SetCertificatesStatusResponse }
  /** Deprecated: deletes certificates together with their keys. */
  readonly DeleteCertificates: { readonly request: DeleteCertificatesRequest; readonly response: DeleteCertificatesResponse }
  /** Deprecated: a signing request for the key of a certificate. */
  readonly GetPkcs10Request: { readonly request: GetPkcs10RequestRequest; readonly response: GetPkcs10RequestResponse }
  /** Deprecated: stores certificates that answer earlier signing requests. */
  readonly LoadCertificates: { readonly request: LoadCertificatesRequest; readonly response: LoadCertificatesResponse }
  /** Deprecated: whether TLS clients must show a certificate. */
  readonly GetClientCertificateMode: { readonly request: GetClientCertificateModeRequest; readonly response: GetClientCertificateModeResponse }
  /** Deprecated: demands a certificate of TLS clients, or not. */
  readonly SetClientCertificateMode: { readonly request: SetClientCertificateModeRequest; readonly response: SetClientCertificateModeResponse }
  /** Deprecated: the certificate authorities that the device trusts. */
  readonly GetCACertificates: { readonly request: GetCACertificatesRequest; readonly response: GetCACertificatesResponse }
  /** Deprecated: stores certificates that come with their private keys. */
  readonly LoadCertificateWithPrivateKey: { readonly request: LoadCertificateWithPrivateKeyRequest; readonly response: LoadCertificateWithPrivateKeyResponse }
  /** Deprecated: the readable fields of one certificate. */
  readonly GetCertificateInformation: { readonly request: GetCertificateInformationRequest; readonly response: GetCertificateInformationResponse }
  /** Deprecated: adds trusted certificate authorities, all or none. */
  readonly LoadCACertificates: { readonly request: LoadCACertificatesRequest; readonly response: LoadCACertificatesResponse }
  /** Deprecated: makes a new IEEE 802.1X configuration. */
  readonly CreateDot1XConfiguration: { readonly request: CreateDot1XConfigurationRequest; readonly response: CreateDot1XConfigurationResponse }
  /** Deprecated: changes an IEEE 802.1X configuration. */
  readonly SetDot1XConfiguration: { readonly request: SetDot1XConfigurationRequest; readonly response: SetDot1XConfigurationResponse }
  /** Deprecated: one IEEE 802.1X configuration, without its secret. */
  readonly GetDot1XConfiguration: { readonly request: GetDot1XConfigurationRequest; readonly response: GetDot1XConfigurationResponse }
  /** Deprecated: every IEEE 802.1X configuration, without secrets. */
  readonly GetDot1XConfigurations: { readonly request: GetDot1XConfigurationsRequest; readonly response: GetDot1XConfigurationsResponse }
  /** Deprecated: removes IEEE 802.1X configurations. */
  readonly DeleteDot1XConfiguration: { readonly request: DeleteDot1XConfigurationRequest; readonly response: DeleteDot1XConfigurationResponse }
  /** What this service can do and how much it has room for; static while the firmware stays the same. */
  readonly 'tas:GetServiceCapabilities': { readonly request: AdvancedSecurityGetServiceCapabilitiesRequest; readonly response: AdvancedSecurityGetServiceCapabilitiesResponse }
  /** Whose JSON Web Tokens log clients in, and for which audience. */
  readonly 'tas:GetJWTConfiguration': { readonly request: GetJWTConfigurationRequest; readonly response: GetJWTConfigurationResponse }
  /** Says whose JSON Web Tokens log clients in, and for which audience. */
  readonly 'tas:SetJWTConfiguration': { readonly request: SetJWTConfigurationRequest; readonly response: SetJWTConfigurationResponse }
  /** Begins to make an RSA key pair and answers with its ID and a guess of the time; GetKeyStatus tells when it is there. */
  readonly 'tas:CreateRSAKeyPair': { readonly request: CreateRSAKeyPairRequest; readonly response: CreateRSAKeyPairResponse }
  /** The same for a key pair on an elliptic curve. */
  readonly 'tas:CreateECCKeyPair': { readonly request: CreateECCKeyPairRequest; readonly response: CreateECCKeyPairResponse }
  /** Deprecated: brings in a key pair as PKCS#8, in the clear or encrypted under a passphrase. */
  readonly 'tas:UploadKeyPairInPKCS8': { readonly request: UploadKeyPairInPKCS8Request; readonly response: UploadKeyPairInPKCS8Response }
  /** Brings in a PKCS#12 file: a private key, its certificate and the certificates above it. */
  readonly 'tas:UploadCertificateWithPrivateKeyInPKCS12': { readonly request: UploadCertificateWithPrivateKeyInPKCS12Request; readonly response: UploadCertificateWithPrivateKeyInPKCS12Response }
  /** Whether a key is ready for use, still being made, or beyond use. */
  readonly 'tas:GetKeyStatus': { readonly request: GetKeyStatusRequest; readonly response: GetKeyStatusResponse }
  /** Deprecated: whether the device holds the private half of a key pair. GetAllKeys tells it too. */
  readonly 'tas:GetPrivateKeyStatus': { readonly request: GetPrivateKeyStatusRequest; readonly response: GetPrivateKeyStatusResponse }
  /** Lists the keys by ID, alias and status; the keys themselves stay inside. */
  readonly 'tas:GetAllKeys': { readonly request: GetAllKeysRequest; readonly response: GetAllKeysResponse }
  /** Removes a key for good, or breaks off its making. A key that something else needs is kept. */
  readonly 'tas:DeleteKey': { readonly request: DeleteKeyRequest; readonly response: DeleteKeyResponse }
  /** Asks a certification authority for a certificate: a PKCS#10 request for a key pair, in DER. */
  readonly 'tas:CreatePKCS10CSR': { readonly request: CreatePKCS10CSRRequest; readonly response: CreatePKCS10CSRResponse }
  /** Makes a certificate for a key pair that is signed by this same key pair. */
  readonly 'tas:CreateSelfSignedCertificate': { readonly request: CreateSelfSignedCertificateRequest; readonly response: CreateSelfSignedCertificateResponse }
  /** Brings in a certificate in DER and ties it to the key pair that it belongs to. */
  readonly 'tas:UploadCertificate': { readonly request: UploadCertificateRequest; readonly response: UploadCertificateResponse }
  /** One certificate by its ID. */
  readonly 'tas:GetCertificate': { readonly request: GetCertificateRequest; readonly response: GetCertificateResponse }
  /** All certificates of the keystore. */
  readonly 'tas:GetAllCertificates': { readonly request: GetAllCertificatesRequest; readonly response: GetAllCertificatesResponse }
  /** Removes a certificate that nothing else needs; its key stays. */
  readonly 'tas:DeleteCertificate': { readonly request: DeleteCertificateRequest; readonly response: DeleteCertificateResponse }
  /** Puts certificates in a row, each signed by the one after it. */
  readonly 'tas:CreateCertificationPath': { readonly request: CreateCertificationPathRequest; readonly response: CreateCertificationPathResponse }
  /** The certificates of a path, in order. */
  readonly 'tas:GetCertificationPath': { readonly request: GetCertificationPathRequest; readonly response: GetCertificationPathResponse }
  /** The IDs of all paths. */
  readonly 'tas:GetAllCertificationPaths': { readonly request: GetAllCertificationPathsRequest; readonly response: GetAllCertificationPathsResponse }
  /** Gives a path other certificates under the ID that it has. */
  readonly 'tas:SetCertificationPath': { readonly request: SetCertificationPathRequest; readonly response: SetCertificationPathResponse }
  /** Removes a path that nothing else needs; its certificates stay. */
  readonly 'tas:DeleteCertificationPath': { readonly request: DeleteCertificationPathRequest; readonly response: DeleteCertificationPathResponse }
  /** Keeps a passphrase under an ID, for files that are opened with it and for IEEE 802.1X. */
  readonly 'tas:UploadPassphrase': { readonly request: UploadPassphraseRequest; readonly response: UploadPassphraseResponse }
  /** Lists the passphrases by ID and alias, never their text. */
  readonly 'tas:GetAllPassphrases': { readonly request: GetAllPassphrasesRequest; readonly response: GetAllPassphrasesResponse }
  /** Removes a passphrase for good. */
  readonly 'tas:DeletePassphrase': { readonly request: DeletePassphraseRequest; readonly response: DeletePassphraseResponse }
  /** Brings in a list of revoked certificates, in DER. */
  readonly 'tas:UploadCRL': { readonly request: UploadCRLRequest; readonly response: UploadCRLResponse }
  /** One revocation list by its ID. */
  readonly 'tas:GetCRL': { readonly request: GetCRLRequest; readonly response: GetCRLResponse }
  /** All revocation lists. */
  readonly 'tas:GetAllCRLs': { readonly request: GetAllCRLsRequest; readonly response: GetAllCRLsResponse }
  /** Removes a revocation list. */
  readonly 'tas:DeleteCRL': { readonly request: DeleteCRLRequest; readonly response: DeleteCRLResponse }
  /** Makes a rule by which certificates of others are trusted: anchors and what to look at. */
  readonly 'tas:CreateCertPathValidationPolicy': { readonly request: CreateCertPathValidationPolicyRequest; readonly response: CreateCertPathValidationPolicyResponse }
  /** One validation policy by its ID. */
  readonly 'tas:GetCertPathValidationPolicy': { readonly request: GetCertPathValidationPolicyRequest; readonly response: GetCertPathValidationPolicyResponse }
  /** All validation policies. */
  readonly 'tas:GetAllCertPathValidationPolicies': { readonly request: GetAllCertPathValidationPoliciesRequest; readonly response: GetAllCertPathValidationPoliciesResponse }
  /** Gives a validation policy other parameters and anchors under the ID that it has. */
  readonly 'tas:SetCertPathValidationPolicy': { readonly request: SetCertPathValidationPolicyRequest; readonly response: SetCertPathValidationPolicyResponse }
  /** Removes a validation policy that nothing else needs. */
  readonly 'tas:DeleteCertPathValidationPolicy': { readonly request: DeleteCertPathValidationPolicyRequest; readonly response: DeleteCertPathValidationPolicyResponse }
  /** Lets the TLS server show the certificates of a path. */
  readonly 'tas:AddServerCertificateAssignment': { readonly request: AddServerCertificateAssignmentRequest; readonly response: AddServerCertificateAssignmentResponse }
  /** Takes a path away from the TLS server. */
  readonly 'tas:RemoveServerCertificateAssignment': { readonly request: RemoveServerCertificateAssignmentRequest; readonly response: RemoveServerCertificateAssignmentResponse }
  /** Exchanges one path of the TLS server for another without a gap between. */
  readonly 'tas:ReplaceServerCertificateAssignment': { readonly request: ReplaceServerCertificateAssignmentRequest; readonly response: ReplaceServerCertificateAssignmentResponse }
  /** Says which versions of TLS the server speaks. */
  readonly 'tas:SetEnabledTLSVersions': { readonly request: SetEnabledTLSVersionsRequest; readonly response: SetEnabledTLSVersionsResponse }
  /** The versions of TLS that the server speaks. */
  readonly 'tas:GetEnabledTLSVersions': { readonly request: GetEnabledTLSVersionsRequest; readonly response: GetEnabledTLSVersionsResponse }
  /** The paths that the TLS server shows. */
  readonly 'tas:GetAssignedServerCertificates': { readonly request: GetAssignedServerCertificatesRequest; readonly response: GetAssignedServerCertificatesResponse }
  /** Whether clients have to show a certificate of their own. */
  readonly 'tas:SetClientAuthenticationRequired': { readonly request: SetClientAuthenticationRequiredRequest; readonly response: SetClientAuthenticationRequiredResponse }
  /** Tells whether clients have to show a certificate of their own. */
  readonly 'tas:GetClientAuthenticationRequired': { readonly request: GetClientAuthenticationRequiredRequest; readonly response: GetClientAuthenticationRequiredResponse }
  /** Whether the common name in a client certificate logs in the user of that name. */
  readonly 'tas:SetCnMapsToUser': { readonly request: SetCnMapsToUserRequest; readonly response: SetCnMapsToUserResponse }
  /** Tells whether the common name in a client certificate logs in the user of that name. */
  readonly 'tas:GetCnMapsToUser': { readonly request: GetCnMapsToUserRequest; readonly response: GetCnMapsToUserResponse }
  /** Lets the TLS server judge client certificates by a policy. */
  readonly 'tas:AddCertPathValidationPolicyAssignment': { readonly request: AddCertPathValidationPolicyAssignmentRequest; readonly response: AddCertPathValidationPolicyAssignmentResponse }
  /** Takes a policy away from the TLS server. */
  readonly 'tas:RemoveCertPathValidationPolicyAssignment': { readonly request: RemoveCertPathValidationPolicyAssignmentRequest; readonly response: RemoveCertPathValidationPolicyAssignmentResponse }
  /** Exchanges one policy of the TLS server for another. */
  readonly 'tas:ReplaceCertPathValidationPolicyAssignment': { readonly request: ReplaceCertPathValidationPolicyAssignmentRequest; readonly response: ReplaceCertPathValidationPolicyAssignmentResponse }
  /** The policies by which the TLS server judges client certificates. */
  readonly 'tas:GetAssignedCertPathValidationPolicies': { readonly request: GetAssignedCertPathValidationPoliciesRequest; readonly response: GetAssignedCertPathValidationPoliciesResponse }
  /** Keeps a way to log in to IEEE 802.1X networks; the device chooses the ID. */
  readonly 'tas:AddDot1XConfiguration': { readonly request: AddDot1XConfigurationRequest; readonly response: AddDot1XConfigurationResponse }
  /** All ways to log in to IEEE 802.1X networks. */
  readonly 'tas:GetAllDot1XConfigurations': { readonly request: GetAllDot1XConfigurationsRequest; readonly response: GetAllDot1XConfigurationsResponse }
  /** One way to log in to IEEE 802.1X networks, by its ID. */
  readonly 'tas:GetDot1XConfiguration': { readonly request: AdvancedSecurityGetDot1XConfigurationRequest; readonly response: AdvancedSecurityGetDot1XConfigurationResponse }
  /** Removes one that no network interface uses. */
  readonly 'tas:DeleteDot1XConfiguration': { readonly request: AdvancedSecurityDeleteDot1XConfigurationRequest; readonly response: AdvancedSecurityDeleteDot1XConfigurationResponse }
  /** Tells a network interface which one to use. */
  readonly 'tas:SetNetworkInterfaceDot1XConfiguration': { readonly request: SetNetworkInterfaceDot1XConfigurationRequest; readonly response: SetNetworkInterfaceDot1XConfigurationResponse }
  /** Which one a network interface uses, if any. */
  readonly 'tas:GetNetworkInterfaceDot1XConfiguration': { readonly request: GetNetworkInterfaceDot1XConfigurationRequest; readonly response: GetNetworkInterfaceDot1XConfigurationResponse }
  /** Lets a network interface do without IEEE 802.1X. */
  readonly 'tas:DeleteNetworkInterfaceDot1XConfiguration': { readonly request: DeleteNetworkInterfaceDot1XConfigurationRequest; readonly response: DeleteNetworkInterfaceDot1XConfigurationResponse }
  /** Signs media with the key of a path instead of the key from the factory. */
  readonly 'tas:AddMediaSigningCertificateAssignment': { readonly request: AddMediaSigningCertificateAssignmentRequest; readonly response: AddMediaSigningCertificateAssignmentResponse }
  /** Goes back to the key from the factory. */
  readonly 'tas:RemoveMediaSigningCertificateAssignment': { readonly request: RemoveMediaSigningCertificateAssignmentRequest; readonly response: RemoveMediaSigningCertificateAssignmentResponse }
  /** The paths that media are signed with. */
  readonly 'tas:GetAssignedMediaSigningCertificates': { readonly request: GetAssignedMediaSigningCertificatesRequest; readonly response: GetAssignedMediaSigningCertificatesResponse }
  /** The authorization servers that the device gets its tokens from: all, or the one asked for. */
  readonly 'tas:GetAuthorizationServerConfigurations': { readonly request: GetAuthorizationServerConfigurationsRequest; readonly response: GetAuthorizationServerConfigurationsResponse }
  /** Adds an authorization server. */
  readonly 'tas:CreateAuthorizationServerConfiguration': { readonly request: CreateAuthorizationServerConfigurationRequest; readonly response: CreateAuthorizationServerConfigurationResponse }
  /** Changes what is known of an authorization server. */
  readonly 'tas:SetAuthorizationServerConfiguration': { readonly request: SetAuthorizationServerConfigurationRequest; readonly response: SetAuthorizationServerConfigurationResponse }
  /** Removes an authorization server. */
  readonly 'tas:DeleteAuthorizationServerConfiguration': { readonly request: DeleteAuthorizationServerConfigurationRequest; readonly response: DeleteAuthorizationServerConfigurationResponse }
  /** What the Event service of this device can do. */
  readonly 'tev:GetServiceCapabilities': { readonly request: EventServiceGetServiceCapabilitiesRequest; readonly response: EventServiceGetServiceCapabilitiesResponse }
  /** Collects the messages of some topics until the client comes for them. */
  readonly 'tev:CreatePullPointSubscription': { readonly request: CreatePullPointSubscriptionRequest; readonly response: CreatePullPointSubscriptionResponse }
  /** The topics that this device has messages on, and the filters that it knows. */
  readonly 'tev:GetEventProperties': { readonly request: GetEventPropertiesRequest; readonly response: GetEventPropertiesResponse }
  /** Sends events to a broker from now on, or in another way. */
  readonly 'tev:AddEventBroker': { readonly request: AddEventBrokerRequest; readonly response: AddEventBrokerResponse }
  /** Sends no more events to a broker. */
  readonly 'tev:DeleteEventBroker': { readonly request: DeleteEventBrokerRequest; readonly response: DeleteEventBrokerResponse }
  /** The brokers to which events go. */
  readonly 'tev:GetEventBrokers': { readonly request: GetEventBrokersRequest; readonly response: GetEventBrokersResponse }
  /** Takes the messages that have come together, or waits for the first. */
  readonly 'tev:PullMessages': { readonly request: PullMessagesRequest; readonly response: PullMessagesResponse }
  /** Goes back to messages of before, on devices that keep them. */
  readonly 'tev:Seek': { readonly request: SeekRequest; readonly response: SeekResponse }
  /** Repeats the state of every property that the subscription is about. */
  readonly 'tev:SetSynchronizationPoint': { readonly request: SetSynchronizationPointRequest; readonly response: SetSynchronizationPointResponse }
  /** Ends a subscription at once. */
  readonly 'tev:Unsubscribe': { readonly request: UnsubscribeRequest; readonly response: UnsubscribeResponse }
  /** Has messages sent to an address, until a time. */
  readonly 'tev:Subscribe': { readonly request: SubscribeRequest; readonly response: SubscribeResponse }
  /** Gives the state of a property, as its last message had it. */
  readonly 'tev:GetCurrentMessage': { readonly request: GetCurrentMessageRequest; readonly response: GetCurrentMessageResponse }
  /** Gives a subscription another end. */
  readonly 'tev:Renew': { readonly request: RenewRequest; readonly response: RenewResponse }
}

export type OperationName = keyof Operations

/** Elements that travel inside of wildcards, with their types. */
export interface Carried {
  readonly 'tt:Message': Message
  readonly 'tev:ChangedOnly': AnyType
  readonly 'wsnt:TopicExpression': TopicExpressionType
  readonly 'wsnt:MessageContent': QueryExpressionType
  readonly 'wsnt:ProducerProperties': QueryExpressionType
  readonly 'wsnt:UseRaw': UseRaw
  readonly 'wsnt:UnableToGetMessagesFault': UnableToGetMessagesFaultType
  readonly 'wsa:EndpointReference': EndpointReferenceType
  readonly 'wsa:MessageID': AttributedURIType
  readonly 'wsa:RelatesTo': RelatesToType
  readonly 'wsa:ReplyTo': EndpointReferenceType
  readonly 'wsa:FaultTo': EndpointReferenceType
  readonly 'wsa:To': AttributedURIType
  readonly 'wsa:Action': AttributedURIType
  readonly 'wsa:ProblemHeaderQName': AttributedQNameType
}

export interface GetServicesRequest {
  readonly IncludeCapability: boolean
}

export interface GetServicesResponse {
  readonly Service: readonly Service[]
}

export interface GetServiceCapabilitiesRequest {}

export interface GetServiceCapabilitiesResponse {
  readonly Capabilities: DeviceServiceCapabilities
}

export interface GetCapabilitiesRequest {
  readonly Category?: readonly CapabilityCategory[] | undefined
}

export interface GetCapabilitiesResponse {
  readonly Capabilities: Capabilities
}

export interface GetWsdlUrlRequest {}

export interface GetWsdlUrlResponse {
  readonly WsdlUrl: string
}

export interface GetEndpointReferenceRequest {}

export interface GetEndpointReferenceResponse {
  readonly GUID: string
  readonly $any?: readonly AnyElement[] | undefined
}

export interface GetDeviceInformationRequest {}

export interface GetDeviceInformationResponse {
  readonly Manufacturer: string
  readonly Model: string
  readonly FirmwareVersion: string
  readonly SerialNumber: string
  readonly HardwareId: string
}

export interface GetSystemDateAndTimeRequest {}

export interface GetSystemDateAndTimeResponse {
  readonly SystemDateAndTime: SystemDateTime
}

export interface SetSystemDateAndTimeRequest {
  readonly DateTimeType: SetDateTimeType
  readonly DaylightSavings: boolean
  readonly TimeZone?: TimeZone | undefined
  readonly UTCDateTime?: DateTime | undefined
}

export interface SetSystemDateAndTimeResponse {}

export interface SetSystemFactoryDefaultRequest {
  readonly FactoryDefault: FactoryDefaultType
}

export interface SetSystemFactoryDefaultResponse {}

export interface SystemRebootRequest {}

export interface SystemRebootResponse {
  readonly Message: string
}

export interface StartFirmwareUpgradeRequest {}

export interface StartFirmwareUpgradeResponse {
  readonly UploadUri: string
  readonly UploadDelay: string
  readonly ExpectedDownTime: string
}

export interface UpgradeFirmwareRequest {
  readonly Version: string
}

export interface UpgradeFirmwareResponse {
  readonly ExpectedDownTime: string
}

export interface UpgradeSystemFirmwareRequest {
  readonly Firmware: AttachmentData
}

export interface UpgradeSystemFirmwareResponse {
  readonly Message?: string | undefined
}

export interface StartSystemRestoreRequest {}

export interface StartSystemRestoreResponse {
  readonly UploadUri: string
  readonly ExpectedDownTime: string
}

export interface RestoreSystemRequest {
  readonly BackupFiles: readonly BackupFile[]
}

export interface RestoreSystemResponse {}

export interface GetSystemBackupRequest {}

export interface GetSystemBackupResponse {
  readonly BackupFiles: readonly BackupFile[]
}

export interface GetSystemUrisRequest {}

export interface GetSystemUrisResponse {
  readonly SystemLogUris?: SystemLogUriList | undefined
  readonly SupportInfoUri?: string | undefined
  readonly SystemBackupUri?: string | undefined
  readonly Extension?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

export interface GetSystemLogRequest {
  readonly LogType: SystemLogType
}

export interface GetSystemLogResponse {
  readonly SystemLog: SystemLog
}

export interface GetSystemSupportInformationRequest {}

export interface GetSystemSupportInformationResponse {
  readonly SupportInformation: SupportInformation
}

export interface GetScopesRequest {}

export interface GetScopesResponse {
  readonly Scopes: readonly Scope[]
}

export interface SetScopesRequest {
  readonly Scopes: readonly string[]
}

export interface SetScopesResponse {}

export interface AddScopesRequest {
  readonly ScopeItem: readonly string[]
}

export interface AddScopesResponse {}

export interface RemoveScopesRequest {
  readonly ScopeItem: readonly string[]
}

export interface RemoveScopesResponse {
  readonly ScopeItem?: readonly string[] | undefined
}

export interface GetDiscoveryModeRequest {}

export interface GetDiscoveryModeResponse {
  readonly DiscoveryMode: DiscoveryMode
}

export interface SetDiscoveryModeRequest {
  readonly DiscoveryMode: DiscoveryMode
}

export interface SetDiscoveryModeResponse {}

export interface GetRemoteDiscoveryModeRequest {}

export interface GetRemoteDiscoveryModeResponse {
  readonly RemoteDiscoveryMode: DiscoveryMode
}

export interface SetRemoteDiscoveryModeRequest {
  readonly RemoteDiscoveryMode: DiscoveryMode
}

export interface SetRemoteDiscoveryModeResponse {}

export interface GetDPAddressesRequest {}

export interface GetDPAddressesResponse {
  readonly DPAddress?: readonly NetworkHost[] | undefined
}

export interface SetDPAddressesRequest {
  readonly DPAddress?: readonly NetworkHost[] | undefined
}

export interface SetDPAddressesResponse {}

export interface GetUsersRequest {}

export interface GetUsersResponse {
  readonly User?: readonly User[] | undefined
}

export interface CreateUsersRequest {
  readonly User: readonly User[]
}

export interface CreateUsersResponse {}

export interface SetUserRequest {
  readonly User: readonly User[]
}

export interface SetUserResponse {}

export interface DeleteUsersRequest {
  readonly Username: readonly string[]
}

export interface DeleteUsersResponse {}

export interface GetUserRolesRequest {
  readonly UserRole?: string | undefined
}

export interface GetUserRolesResponse {
  readonly UserRole?: readonly UserRole[] | undefined
}

export interface SetUserRoleRequest {
  readonly UserRole: UserRole
}

export interface SetUserRoleResponse {}

export interface DeleteUserRoleRequest {
  readonly UserRole: string
}

export interface DeleteUserRoleResponse {}

export interface GetRemoteUserRequest {}

export interface GetRemoteUserResponse {
  readonly RemoteUser?: RemoteUser | undefined
}

export interface SetRemoteUserRequest {
  readonly RemoteUser?: RemoteUser | undefined
}

export interface SetRemoteUserResponse {}

export interface GetPasswordComplexityOptionsRequest {}

export interface GetPasswordComplexityOptionsResponse {
  readonly MinLenRange?: IntRange | undefined
  readonly UppercaseRange?: IntRange | undefined
  readonly NumberRange?: IntRange | undefined
  readonly SpecialCharsRange?: IntRange | undefined
  readonly BlockUsernameOccurrenceSupported?: boolean | undefined
  readonly PolicyConfigurationLockSupported?: boolean | undefined
}

export interface GetPasswordComplexityConfigurationRequest {}

export interface GetPasswordComplexityConfigurationResponse {
  readonly MinLen?: number | undefined
  readonly Uppercase?: number | undefined
  readonly Number?: number | undefined
  readonly SpecialChars?: number | undefined
  readonly BlockUsernameOccurrence?: boolean | undefined
  readonly PolicyConfigurationLocked?: boolean | undefined
}

export interface SetPasswordComplexityConfigurationRequest {
  readonly MinLen?: number | undefined
  readonly Uppercase?: number | undefined
  readonly Number?: number | undefined
  readonly SpecialChars?: number | undefined
  readonly BlockUsernameOccurrence?: boolean | undefined
  readonly PolicyConfigurationLocked?: boolean | undefined
}

export interface SetPasswordComplexityConfigurationResponse {}

export interface GetPasswordHistoryConfigurationRequest {}

export interface GetPasswordHistoryConfigurationResponse {
  readonly Enabled: boolean
  readonly Length: number
}

export interface SetPasswordHistoryConfigurationRequest {
  readonly Enabled: boolean
  readonly Length: number
}

export interface SetPasswordHistoryConfigurationResponse {}

export interface GetAuthFailureWarningOptionsRequest {}

export interface GetAuthFailureWarningOptionsResponse {
  readonly MonitorPeriodRange: IntRange
  readonly AuthFailureRange: IntRange
}

export interface GetAuthFailureWarningConfigurationRequest {}

export interface GetAuthFailureWarningConfigurationResponse {
  readonly Enabled: boolean
  readonly MonitorPeriod: number
  readonly MaxAuthFailures: number
}

export interface SetAuthFailureWarningConfigurationRequest {
  readonly Enabled: boolean
  readonly MonitorPeriod: number
  readonly MaxAuthFailures: number
}

export interface SetAuthFailureWarningConfigurationResponse {}

export interface SetHashingAlgorithmRequest {
  readonly Algorithm: StringList
}

export interface SetHashingAlgorithmResponse {}

export interface GetAccessPolicyRequest {}

export interface GetAccessPolicyResponse {
  readonly PolicyFile: BinaryData
}

export interface SetAccessPolicyRequest {
  readonly PolicyFile: BinaryData
}

export interface SetAccessPolicyResponse {}

export interface GetHostnameRequest {}

export interface GetHostnameResponse {
  readonly HostnameInformation: HostnameInformation
}

export interface SetHostnameRequest {
  readonly Name: string
}

export interface SetHostnameResponse {}

export interface SetHostnameFromDHCPRequest {
  readonly FromDHCP: boolean
}

export interface SetHostnameFromDHCPResponse {
  readonly RebootNeeded: boolean
}

export interface GetDNSRequest {}

export interface GetDNSResponse {
  readonly DNSInformation: DNSInformation
}

export interface SetDNSRequest {
  readonly FromDHCP: boolean
  readonly SearchDomain?: readonly string[] | undefined
  readonly DNSManual?: readonly IPAddress[] | undefined
}

export interface SetDNSResponse {}

export interface GetNTPRequest {}

export interface GetNTPResponse {
  readonly NTPInformation: NTPInformation
}

export interface SetNTPRequest {
  readonly FromDHCP: boolean
  readonly NTPManual?: readonly NetworkHost[] | undefined
}

export interface SetNTPResponse {}

export interface GetDynamicDNSRequest {}

export interface GetDynamicDNSResponse {
  readonly DynamicDNSInformation: DynamicDNSInformation
}

export interface SetDynamicDNSRequest {
  readonly Type: DynamicDNSType
  readonly Name?: DNSName | undefined
  readonly TTL?: string | undefined
}

export interface SetDynamicDNSResponse {}

export interface GetNetworkInterfacesRequest {}

export interface GetNetworkInterfacesResponse {
  readonly NetworkInterfaces: readonly NetworkInterface[]
}

export interface SetNetworkInterfacesRequest {
  readonly InterfaceToken: ReferenceToken
  readonly NetworkInterface: NetworkInterfaceSetConfiguration
}

export interface SetNetworkInterfacesResponse {
  readonly RebootNeeded: boolean
}

export interface GetNetworkProtocolsRequest {}

export interface GetNetworkProtocolsResponse {
  readonly NetworkProtocols?: readonly NetworkProtocol[] | undefined
}

export interface SetNetworkProtocolsRequest {
  readonly NetworkProtocols: readonly NetworkProtocol[]
}

export interface SetNetworkProtocolsResponse {}

export interface GetNetworkDefaultGatewayRequest {}

export interface GetNetworkDefaultGatewayResponse {
  readonly NetworkGateway: NetworkGateway
}

export interface SetNetworkDefaultGatewayRequest {
  readonly IPv4Address?: readonly IPv4Address[] | undefined
  readonly IPv6Address?: readonly IPv6Address[] | undefined
}

export interface SetNetworkDefaultGatewayResponse {}

export interface GetZeroConfigurationRequest {}

export interface GetZeroConfigurationResponse {
  readonly ZeroConfiguration: NetworkZeroConfiguration
}

export interface SetZeroConfigurationRequest {
  readonly InterfaceToken: ReferenceToken
  readonly Enabled: boolean
}

export interface SetZeroConfigurationResponse {}

export interface GetIPAddressFilterRequest {}

export interface GetIPAddressFilterResponse {
  readonly IPAddressFilter: IPAddressFilter
}

export interface SetIPAddressFilterRequest {
  readonly IPAddressFilter: IPAddressFilter
}

export interface SetIPAddressFilterResponse {}

export interface AddIPAddressFilterRequest {
  readonly IPAddressFilter: IPAddressFilter
}

export interface AddIPAddressFilterResponse {}

export interface RemoveIPAddressFilterRequest {
  readonly IPAddressFilter: IPAddressFilter
}

export interface RemoveIPAddressFilterResponse {}

export interface GetDot11CapabilitiesRequest {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface GetDot11CapabilitiesResponse {
  readonly Capabilities: Dot11Capabilities
}

export interface GetDot11StatusRequest {
  readonly InterfaceToken: ReferenceToken
}

export interface GetDot11StatusResponse {
  readonly Status: Dot11Status
}

export interface ScanAvailableDot11NetworksRequest {
  readonly InterfaceToken: ReferenceToken
}

export interface ScanAvailableDot11NetworksResponse {
  readonly Networks?: readonly Dot11AvailableNetworks[] | undefined
}

export interface GetRelayOutputsRequest {}

export interface GetRelayOutputsResponse {
  readonly RelayOutputs?: readonly RelayOutput[] | undefined
}

export interface SetRelayOutputSettingsRequest {
  readonly RelayOutputToken: ReferenceToken
  readonly Properties: RelayOutputSettings
}

export interface SetRelayOutputSettingsResponse {}

export interface SetRelayOutputStateRequest {
  readonly RelayOutputToken: ReferenceToken
  readonly LogicalState: RelayLogicalState
}

export interface SetRelayOutputStateResponse {}

export interface SendAuxiliaryCommandRequest {
  readonly AuxiliaryCommand: AuxiliaryData
}

export interface SendAuxiliaryCommandResponse {
  readonly AuxiliaryCommandResponse?: AuxiliaryData | undefined
}

export interface GetStorageConfigurationsRequest {}

export interface GetStorageConfigurationsResponse {
  readonly StorageConfigurations?: readonly StorageConfiguration[] | undefined
}

export interface GetStorageConfigurationRequest {
  readonly Token: ReferenceToken
}

export interface GetStorageConfigurationResponse {
  readonly StorageConfiguration: StorageConfiguration
}

export interface CreateStorageConfigurationRequest {
  readonly StorageConfiguration: StorageConfigurationData
}

export interface CreateStorageConfigurationResponse {
  readonly Token: ReferenceToken
}

export interface SetStorageConfigurationRequest {
  readonly StorageConfiguration: StorageConfiguration
}

export interface SetStorageConfigurationResponse {}

export interface DeleteStorageConfigurationRequest {
  readonly Token: ReferenceToken
}

export interface DeleteStorageConfigurationResponse {}

export interface GetGeoLocationRequest {}

export interface GetGeoLocationResponse {
  readonly Location?: readonly LocationEntity[] | undefined
}

export interface SetGeoLocationRequest {
  readonly Location: readonly LocationEntity[]
}

export interface SetGeoLocationResponse {}

export interface DeleteGeoLocationRequest {
  readonly Location: readonly LocationEntity[]
}

export interface DeleteGeoLocationResponse {}

export interface CreateCertificateRequest {
  readonly CertificateID?: string | undefined
  readonly Subject?: string | undefined
  readonly ValidNotBefore?: string | undefined
  readonly ValidNotAfter?: string | undefined
}

export interface CreateCertificateResponse {
  readonly NvtCertificate: Certificate
}

export interface GetCertificatesRequest {}

export interface GetCertificatesResponse {
  readonly NvtCertificate?: readonly Certificate[] | undefined
}

export interface GetCertificatesStatusRequest {}

export interface GetCertificatesStatusResponse {
  readonly CertificateStatus?: readonly CertificateStatus[] | undefined
}

export interface SetCertificatesStatusRequest {
  readonly CertificateStatus?: readonly CertificateStatus[] | undefined
}

export interface SetCertificatesStatusResponse {}

export interface DeleteCertificatesRequest {
  readonly CertificateID: readonly string[]
}

export interface DeleteCertificatesResponse {}

export interface GetPkcs10RequestRequest {
  readonly CertificateID: string
  readonly Subject?: string | undefined
  readonly Attributes?: BinaryData | undefined
}

export interface GetPkcs10RequestResponse {
  readonly Pkcs10Request: BinaryData
}

export interface LoadCertificatesRequest {
  readonly NVTCertificate: readonly Certificate[]
}

export interface LoadCertificatesResponse {}

export interface GetClientCertificateModeRequest {}

export interface GetClientCertificateModeResponse {
  readonly Enabled: boolean
}

export interface SetClientCertificateModeRequest {
  readonly Enabled: boolean
}

export interface SetClientCertificateModeResponse {}

export interface GetCACertificatesRequest {}

export interface GetCACertificatesResponse {
  readonly CACertificate?: readonly Certificate[] | undefined
}

export interface LoadCertificateWithPrivateKeyRequest {
  readonly CertificateWithPrivateKey: readonly CertificateWithPrivateKey[]
}

export interface LoadCertificateWithPrivateKeyResponse {}

export interface GetCertificateInformationRequest {
  readonly CertificateID: string
}

export interface GetCertificateInformationResponse {
  readonly CertificateInformation: CertificateInformation
}

export interface LoadCACertificatesRequest {
  readonly CACertificate: readonly Certificate[]
}

export interface LoadCACertificatesResponse {}

export interface CreateDot1XConfigurationRequest {
  readonly Dot1XConfiguration: Dot1XConfiguration
}

export interface CreateDot1XConfigurationResponse {}

export interface SetDot1XConfigurationRequest {
  readonly Dot1XConfiguration: Dot1XConfiguration
}

export interface SetDot1XConfigurationResponse {}

export interface GetDot1XConfigurationRequest {
  readonly Dot1XConfigurationToken: ReferenceToken
}

export interface GetDot1XConfigurationResponse {
  readonly Dot1XConfiguration: Dot1XConfiguration
}

export interface GetDot1XConfigurationsRequest {}

export interface GetDot1XConfigurationsResponse {
  readonly Dot1XConfiguration?: readonly Dot1XConfiguration[] | undefined
}

export interface DeleteDot1XConfigurationRequest {
  readonly Dot1XConfigurationToken?: readonly ReferenceToken[] | undefined
}

export interface DeleteDot1XConfigurationResponse {}

export interface AdvancedSecurityGetServiceCapabilitiesRequest {}

export interface AdvancedSecurityGetServiceCapabilitiesResponse {
  readonly Capabilities: AdvancedSecurityCapabilities
}

export interface GetJWTConfigurationRequest {}

export interface GetJWTConfigurationResponse {
  readonly Configuration: JWTConfiguration
}

export interface SetJWTConfigurationRequest {
  readonly Configuration: JWTConfiguration
}

export interface SetJWTConfigurationResponse {}

export interface CreateRSAKeyPairRequest {
  readonly KeyLength: number
  readonly Alias?: string | undefined
}

export interface CreateRSAKeyPairResponse {
  readonly KeyID: KeyID
  readonly EstimatedCreationTime: string
}

export interface CreateECCKeyPairRequest {
  readonly EllipticCurve: string
  readonly Alias?: string | undefined
}

export interface CreateECCKeyPairResponse {
  readonly KeyID: KeyID
  readonly EstimatedCreationTime: string
}

export interface UploadKeyPairInPKCS8Request {
  readonly KeyPair: Base64DERencodedASN1Value
  readonly Alias?: string | undefined
  readonly EncryptionPassphraseID?: PassphraseID | undefined
  readonly EncryptionPassphrase?: string | undefined
}

export interface UploadKeyPairInPKCS8Response {
  readonly KeyID: KeyID
}

export interface UploadCertificateWithPrivateKeyInPKCS12Request {
  readonly CertWithPrivateKey: Base64DERencodedASN1Value
  readonly CertificationPathAlias?: string | undefined
  readonly KeyAlias?: string | undefined
  readonly IgnoreAdditionalCertificates?: boolean | undefined
  readonly IntegrityPassphraseID?: PassphraseID | undefined
  readonly EncryptionPassphraseID?: PassphraseID | undefined
  readonly Passphrase?: string | undefined
}

export interface UploadCertificateWithPrivateKeyInPKCS12Response {
  readonly CertificationPathID: CertificationPathID
  readonly KeyID: KeyID
}

export interface GetKeyStatusRequest {
  readonly KeyID: KeyID
}

export interface GetKeyStatusResponse {
  readonly KeyStatus: string
}

export interface GetPrivateKeyStatusRequest {
  readonly KeyID: KeyID
}

export interface GetPrivateKeyStatusResponse {
  readonly hasPrivateKey: boolean
}

export interface GetAllKeysRequest {}

export interface GetAllKeysResponse {
  readonly KeyAttribute?: readonly KeyAttribute[] | undefined
}

export interface DeleteKeyRequest {
  readonly KeyID: KeyID
}

export interface DeleteKeyResponse {}

export interface CreatePKCS10CSRRequest {
  readonly Subject: DistinguishedName
  readonly KeyID: KeyID
  readonly CSRAttribute?: readonly CSRAttribute[] | undefined
  readonly SignatureAlgorithm: AlgorithmIdentifier
}

export interface CreatePKCS10CSRResponse {
  readonly PKCS10CSR: Base64DERencodedASN1Value
}

export interface CreateSelfSignedCertificateRequest {
  readonly X509Version?: number | undefined
  readonly Subject: DistinguishedName
  readonly KeyID: KeyID
  readonly Alias?: string | undefined
  readonly notValidBefore?: string | undefined
  readonly notValidAfter?: string | undefined
  readonly SignatureAlgorithm: AlgorithmIdentifier
  readonly Extension?: readonly X509v3Extension[] | undefined
}

export interface CreateSelfSignedCertificateResponse {
  readonly CertificateID: CertificateID
}

export interface UploadCertificateRequest {
  readonly Certificate: Base64DERencodedASN1Value
  readonly Alias?: string | undefined
  readonly KeyAlias?: string | undefined
  readonly PrivateKeyRequired?: boolean | undefined
}

export interface UploadCertificateResponse {
  readonly CertificateID: CertificateID
  readonly KeyID: KeyID
}

export interface GetCertificateRequest {
  readonly CertificateID: CertificateID
}

export interface GetCertificateResponse {
  readonly Certificate: X509Certificate
}

export interface GetAllCertificatesRequest {}

export interface GetAllCertificatesResponse {
  readonly Certificate?: readonly X509Certificate[] | undefined
}

export interface DeleteCertificateRequest {
  readonly CertificateID: CertificateID
}

export interface DeleteCertificateResponse {}

export interface CreateCertificationPathRequest {
  readonly CertificateIDs: CertificateIDs
  readonly Alias?: string | undefined
}

export interface CreateCertificationPathResponse {
  readonly CertificationPathID: CertificationPathID
}

export interface GetCertificationPathRequest {
  readonly CertificationPathID: CertificationPathID
}

export interface GetCertificationPathResponse {
  readonly CertificationPath: CertificationPath
}

export interface GetAllCertificationPathsRequest {}

export interface GetAllCertificationPathsResponse {
  readonly CertificationPathID?: readonly CertificationPathID[] | undefined
}

export interface SetCertificationPathRequest {
  readonly CertificationPathID: CertificationPathID
  readonly CertificationPath: CertificationPath
}

export interface SetCertificationPathResponse {}

export interface DeleteCertificationPathRequest {
  readonly CertificationPathID: CertificationPathID
}

export interface DeleteCertificationPathResponse {}

export interface UploadPassphraseRequest {
  readonly Passphrase: string
  readonly PassphraseAlias?: string | undefined
}

export interface UploadPassphraseResponse {
  readonly PassphraseID: PassphraseID
}

export interface GetAllPassphrasesRequest {}

export interface GetAllPassphrasesResponse {
  readonly PassphraseAttribute?: readonly PassphraseAttribute[] | undefined
}

export interface DeletePassphraseRequest {
  readonly PassphraseID: PassphraseID
}

export interface DeletePassphraseResponse {}

export interface UploadCRLRequest {
  readonly Crl: Base64DERencodedASN1Value
  readonly Alias?: string | undefined
  readonly anyParameters?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

export interface UploadCRLResponse {
  readonly CrlID: CRLID
}

export interface GetCRLRequest {
  readonly CrlID: CRLID
}

export interface GetCRLResponse {
  readonly Crl: CRL
}

export interface GetAllCRLsRequest {}

export interface GetAllCRLsResponse {
  readonly Crl?: readonly CRL[] | undefined
}

export interface DeleteCRLRequest {
  readonly CrlID: CRLID
}

export interface DeleteCRLResponse {}

export interface CreateCertPathValidationPolicyRequest {
  readonly Alias?: string | undefined
  readonly Parameters: CertPathValidationParameters
  readonly TrustAnchor: readonly TrustAnchor[]
  readonly anyParameters?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

export interface CreateCertPathValidationPolicyResponse {
  readonly CertPathValidationPolicyID: CertPathValidationPolicyID
}

export interface GetCertPathValidationPolicyRequest {
  readonly CertPathValidationPolicyID: CertPathValidationPolicyID
}

export interface GetCertPathValidationPolicyResponse {
  readonly CertPathValidationPolicy: CertPathValidationPolicy
}

export interface GetAllCertPathValidationPoliciesRequest {}

export interface GetAllCertPathValidationPoliciesResponse {
  readonly CertPathValidationPolicy?: readonly CertPathValidationPolicy[] | undefined
}

export interface SetCertPathValidationPolicyRequest {
  readonly CertPathValidationPolicyID?: CertPathValidationPolicyID | undefined
  readonly CertPathValidationPolicy: CertPathValidationPolicy
}

export interface SetCertPathValidationPolicyResponse {}

export interface DeleteCertPathValidationPolicyRequest {
  readonly CertPathValidationPolicyID: CertPathValidationPolicyID
}

export interface DeleteCertPathValidationPolicyResponse {}

export interface AddServerCertificateAssignmentRequest {
  readonly CertificationPathID: CertificationPathID
}

export interface AddServerCertificateAssignmentResponse {}

export interface RemoveServerCertificateAssignmentRequest {
  readonly CertificationPathID: CertificationPathID
}

export interface RemoveServerCertificateAssignmentResponse {}

export interface ReplaceServerCertificateAssignmentRequest {
  readonly OldCertificationPathID: CertificationPathID
  readonly NewCertificationPathID: CertificationPathID
}

export interface ReplaceServerCertificateAssignmentResponse {}

export interface SetEnabledTLSVersionsRequest {
  readonly Versions: TLSVersions
}

export interface SetEnabledTLSVersionsResponse {}

export interface GetEnabledTLSVersionsRequest {}

export interface GetEnabledTLSVersionsResponse {
  readonly Versions: TLSVersions
}

export interface GetAssignedServerCertificatesRequest {}

export interface GetAssignedServerCertificatesResponse {
  readonly CertificationPathID?: readonly CertificationPathID[] | undefined
}

export interface SetClientAuthenticationRequiredRequest {
  readonly clientAuthenticationRequired: boolean
}

export interface SetClientAuthenticationRequiredResponse {}

export interface GetClientAuthenticationRequiredRequest {}

export interface GetClientAuthenticationRequiredResponse {
  readonly clientAuthenticationRequired: boolean
}

export interface SetCnMapsToUserRequest {
  readonly cnMapsToUser: boolean
}

export interface SetCnMapsToUserResponse {}

export interface GetCnMapsToUserRequest {}

export interface GetCnMapsToUserResponse {
  readonly cnMapsToUser: boolean
}

export interface AddCertPathValidationPolicyAssignmentRequest {
  readonly CertPathValidationPolicyID: CertPathValidationPolicyID
}

export interface AddCertPathValidationPolicyAssignmentResponse {}

export interface RemoveCertPathValidationPolicyAssignmentRequest {
  readonly CertPathValidationPolicyID: CertPathValidationPolicyID
}

export interface RemoveCertPathValidationPolicyAssignmentResponse {}

export interface ReplaceCertPathValidationPolicyAssignmentRequest {
  readonly OldCertPathValidationPolicyID: CertPathValidationPolicyID
  readonly NewCertPathValidationPolicyID: CertPathValidationPolicyID
}

export interface ReplaceCertPathValidationPolicyAssignmentResponse {}

export interface GetAssignedCertPathValidationPoliciesRequest {}

export interface GetAssignedCertPathValidationPoliciesResponse {
  readonly CertPathValidationPolicyID?: readonly CertPathValidationPolicyID[] | undefined
}

export interface AddDot1XConfigurationRequest {
  readonly Dot1XConfiguration: AdvancedSecurityDot1XConfiguration
}

export interface AddDot1XConfigurationResponse {
  readonly Dot1XID: Dot1XID
}

export interface GetAllDot1XConfigurationsRequest {}

export interface GetAllDot1XConfigurationsResponse {
  readonly Configuration?: readonly AdvancedSecurityDot1XConfiguration[] | undefined
}

export interface AdvancedSecurityGetDot1XConfigurationRequest {
  readonly Dot1XID: Dot1XID
}

export interface AdvancedSecurityGetDot1XConfigurationResponse {
  readonly Dot1XConfiguration: AdvancedSecurityDot1XConfiguration
}

export interface AdvancedSecurityDeleteDot1XConfigurationRequest {
  readonly Dot1XID: Dot1XID
}

export interface AdvancedSecurityDeleteDot1XConfigurationResponse {}

export interface SetNetworkInterfaceDot1XConfigurationRequest {
  readonly token: string
  readonly Dot1XID: Dot1XID
}

export interface SetNetworkInterfaceDot1XConfigurationResponse {
  readonly RebootNeeded: boolean
}

export interface GetNetworkInterfaceDot1XConfigurationRequest {
  readonly token: string
}

export interface GetNetworkInterfaceDot1XConfigurationResponse {
  readonly Dot1XID?: Dot1XID | undefined
}

export interface DeleteNetworkInterfaceDot1XConfigurationRequest {
  readonly token: string
}

export interface DeleteNetworkInterfaceDot1XConfigurationResponse {
  readonly RebootNeeded: boolean
}

export interface AddMediaSigningCertificateAssignmentRequest {
  readonly CertificationPathID: CertificationPathID
}

export interface AddMediaSigningCertificateAssignmentResponse {}

export interface RemoveMediaSigningCertificateAssignmentRequest {
  readonly CertificationPathID: CertificationPathID
}

export interface RemoveMediaSigningCertificateAssignmentResponse {}

export interface GetAssignedMediaSigningCertificatesRequest {}

export interface GetAssignedMediaSigningCertificatesResponse {
  readonly CertificationPathID?: readonly CertificationPathID[] | undefined
}

export interface GetAuthorizationServerConfigurationsRequest {
  readonly Token?: ReferenceToken | undefined
}

export interface GetAuthorizationServerConfigurationsResponse {
  readonly Configuration?: readonly AuthorizationServerConfiguration[] | undefined
}

export interface CreateAuthorizationServerConfigurationRequest {
  readonly Configuration: AuthorizationServerConfigurationData
}

export interface CreateAuthorizationServerConfigurationResponse {
  readonly Token: ReferenceToken
}

export interface SetAuthorizationServerConfigurationRequest {
  readonly Configuration: AuthorizationServerConfiguration
}

export interface SetAuthorizationServerConfigurationResponse {}

export interface DeleteAuthorizationServerConfigurationRequest {
  readonly Token: ReferenceToken
}

export interface DeleteAuthorizationServerConfigurationResponse {}

export interface EventServiceGetServiceCapabilitiesRequest {}

export interface EventServiceGetServiceCapabilitiesResponse {
  readonly Capabilities: EventServiceCapabilities
}

/** Without a filter all topics are wanted. */
export interface CreatePullPointSubscriptionRequest {
  readonly Filter?: FilterType | undefined
  readonly InitialTerminationTime?: AbsoluteOrRelativeTimeType | undefined
  readonly SubscriptionPolicy?: { readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Where to pull, and until when if nobody does. */
export interface CreatePullPointSubscriptionResponse {
  readonly SubscriptionReference: EndpointReferenceType
  readonly CurrentTime: string
  readonly TerminationTime?: string | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

export interface GetEventPropertiesRequest {}

/** The topics of a device, and the dialects of filters that it knows. A single empty MessageContentFilterDialect stands for none. */
export interface GetEventPropertiesResponse {
  readonly TopicNamespaceLocation: readonly string[]
  readonly FixedTopicSet: boolean
  readonly TopicSet: TopicSetType
  readonly TopicExpressionDialect: readonly string[]
  readonly MessageContentFilterDialect: readonly string[]
  readonly ProducerPropertiesFilterDialect?: readonly string[] | undefined
  readonly MessageContentSchemaLocation: readonly string[]
  readonly $any?: readonly AnyOrRaw[] | undefined
}

export interface AddEventBrokerRequest {
  readonly EventBroker: EventBrokerConfig
}

export interface AddEventBrokerResponse {}

export interface DeleteEventBrokerRequest {
  readonly Address: string
}

export interface DeleteEventBrokerResponse {}

/** Without an address all brokers are meant. */
export interface GetEventBrokersRequest {
  readonly Address?: string | undefined
}

export interface GetEventBrokersResponse {
  readonly EventBroker?: readonly EventBrokerConfig[] | undefined
}

/** How long to wait for the first message, and how many are taken at once. */
export interface PullMessagesRequest {
  readonly Timeout: string
  readonly MessageLimit: number
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Without messages where the time is up. */
export interface PullMessagesResponse {
  readonly CurrentTime: string
  readonly TerminationTime: string
  readonly NotificationMessage?: readonly NotificationMessageHolderType[] | undefined
}

/** Messages are pulled from this time on, or backwards. */
export interface SeekRequest {
  readonly UtcTime: string
  readonly Reverse?: boolean | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

export interface SeekResponse {}

export interface SetSynchronizationPointRequest {}

export interface SetSynchronizationPointResponse {}

/** Ends a subscription. */
export interface UnsubscribeRequest {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** It has ended. */
export interface UnsubscribeResponse {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Asks for the messages of some topics to be sent to an address. */
export interface SubscribeRequest {
  readonly ConsumerReference: EndpointReferenceType
  readonly Filter?: FilterType | undefined
  readonly InitialTerminationTime?: AbsoluteOrRelativeTimeType | undefined
  readonly SubscriptionPolicy?: { readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Where the subscription is looked after, and when it ends. */
export interface SubscribeResponse {
  readonly SubscriptionReference: EndpointReferenceType
  readonly CurrentTime?: string | undefined
  readonly TerminationTime?: string | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Asks for the last message of one topic. */
export interface GetCurrentMessageRequest {
  readonly Topic: TopicExpressionType
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** The message itself. */
export interface GetCurrentMessageResponse {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Moves the end of a subscription. */
export interface RenewRequest {
  readonly TerminationTime?: AbsoluteOrRelativeTimeType | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** When it ends now. */
export interface RenewResponse {
  readonly TerminationTime?: string | undefined
  readonly CurrentTime?: string | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** One service of the device. */
export interface Service {
  readonly Namespace: string
  readonly XAddr: string
  readonly Capabilities?: { readonly $any: readonly AnyElement[] } | undefined
  readonly Version: OnvifVersion
  readonly $any?: readonly AnyElement[] | undefined
}

/** Version 26.06 is Major 26, Minor 6. */
export interface OnvifVersion {
  readonly Major: number
  readonly Minor: number
}

/** What the Device service can do. An absent attribute means no, or none. */
export interface DeviceServiceCapabilities {
  readonly Network: DeviceNetworkCapabilities
  readonly Security: DeviceSecurityCapabilities
  readonly System: DeviceSystemCapabilities
  readonly Misc?: MiscCapabilities | undefined
}

/** Which network settings there are. */
export interface DeviceNetworkCapabilities {
  readonly IPFilter?: boolean | undefined
  readonly ZeroConfiguration?: boolean | undefined
  readonly IPVersion6?: boolean | undefined
  readonly DynDNS?: boolean | undefined
  readonly Dot11Configuration?: boolean | undefined
  readonly Dot1XConfigurations?: number | undefined
  readonly HostnameFromDHCP?: boolean | undefined
  readonly NTP?: number | undefined
  readonly DHCPv6?: boolean | undefined
}

/** How clients can log in, and how many users there may be. */
export interface DeviceSecurityCapabilities {
  readonly 'TLS1.0'?: boolean | undefined
  readonly 'TLS1.1'?: boolean | undefined
  readonly 'TLS1.2'?: boolean | undefined
  readonly OnboardKeyGeneration?: boolean | undefined
  readonly AccessPolicyConfig?: boolean | undefined
  readonly DefaultAccessPolicy?: boolean | undefined
  readonly Dot1X?: boolean | undefined
  readonly RemoteUserHandling?: boolean | undefined
  readonly 'X.509Token'?: boolean | undefined
  readonly SAMLToken?: boolean | undefined
  readonly KerberosToken?: boolean | undefined
  readonly UsernameToken?: boolean | undefined
  readonly HttpDigest?: boolean | undefined
  readonly RELToken?: boolean | undefined
  readonly JsonWebToken?: boolean | undefined
  readonly SupportedEAPMethods?: IntList | undefined
  readonly MaxUsers?: number | undefined
  readonly MaxUserNameLength?: number | undefined
  readonly MaxPasswordLength?: number | undefined
  readonly SecurityPolicies?: StringList | undefined
  readonly MaxPasswordHistory?: number | undefined
  readonly HashingAlgorithms?: StringList | undefined
  readonly MaxUserRoles?: number | undefined
}

/** Integers with spaces between them. */
export type IntList = readonly number[]

/** Words with spaces between them. */
export type StringList = readonly string[]

/** Discovery, firmware, backup, logs, storage and location. */
export interface DeviceSystemCapabilities {
  readonly DiscoveryResolve?: boolean | undefined
  readonly DiscoveryBye?: boolean | undefined
  readonly RemoteDiscovery?: boolean | undefined
  readonly SystemBackup?: boolean | undefined
  readonly SystemLogging?: boolean | undefined
  readonly CloudFirmwareUpgrade?: boolean | undefined
  readonly HttpFirmwareUpgrade?: boolean | undefined
  readonly HttpSystemBackup?: boolean | undefined
  readonly HttpSystemLogging?: boolean | undefined
  readonly HttpSupportInformation?: boolean | undefined
  readonly StorageConfiguration?: boolean | undefined
  readonly MaxStorageConfigurations?: number | undefined
  readonly StorageConfigurationRenewal?: boolean | undefined
  readonly GeoLocationEntries?: number | undefined
  readonly AutoGeo?: StringAttrList | undefined
  readonly StorageTypesSupported?: StringAttrList | undefined
  readonly DiscoveryNotSupported?: boolean | undefined
  readonly NetworkConfigNotSupported?: boolean | undefined
  readonly UserConfigNotSupported?: boolean | undefined
  readonly Addons?: StringAttrList | undefined
  readonly HardwareType?: string | undefined
}

/** Words with spaces between them, in an attribute. */
export type StringAttrList = readonly string[]

/** What fits nowhere else. */
export interface MiscCapabilities {
  readonly AuxiliaryCommands?: StringAttrList | undefined
}

/** What GetCapabilities can be asked for. */
export type CapabilityCategory = 'All' | 'Analytics' | 'Device' | 'Events' | 'Imaging' | 'Media' | 'PTZ'

/** The answer of GetCapabilities: one member for every service that exists. */
export interface Capabilities {
  readonly Analytics?: AnalyticsCapabilities | undefined
  readonly Device?: DeviceCapabilities | undefined
  readonly Events?: EventCapabilities | undefined
  readonly Imaging?: ImagingCapabilities | undefined
  readonly Media?: MediaCapabilities | undefined
  readonly PTZ?: PTZCapabilities | undefined
  readonly Extension?: CapabilitiesExtension | undefined
}

export interface AnalyticsCapabilities {
  readonly XAddr: string
  readonly RuleSupport: boolean
  readonly AnalyticsModuleSupport: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

/** The Device service as GetCapabilities tells it. */
export interface DeviceCapabilities {
  readonly XAddr: string
  readonly Network?: NetworkCapabilities | undefined
  readonly System?: SystemCapabilities | undefined
  readonly IO?: IOCapabilities | undefined
  readonly Security?: SecurityCapabilities | undefined
  readonly Extension?: DeviceCapabilitiesExtension | undefined
}

/** Network abilities as GetCapabilities tells them. */
export interface NetworkCapabilities {
  readonly IPFilter?: boolean | undefined
  readonly ZeroConfiguration?: boolean | undefined
  readonly IPVersion6?: boolean | undefined
  readonly DynDNS?: boolean | undefined
  readonly Extension?: NetworkCapabilitiesExtension | undefined
}

export interface NetworkCapabilitiesExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly Dot11Configuration?: boolean | undefined
  readonly Extension?: NetworkCapabilitiesExtension2 | undefined
}

export interface NetworkCapabilitiesExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** System abilities as GetCapabilities tells them. */
export interface SystemCapabilities {
  readonly DiscoveryResolve: boolean
  readonly DiscoveryBye: boolean
  readonly RemoteDiscovery: boolean
  readonly SystemBackup: boolean
  readonly SystemLogging: boolean
  readonly FirmwareUpgrade: boolean
  readonly SupportedVersions: readonly OnvifVersion[]
  readonly Extension?: SystemCapabilitiesExtension | undefined
}

export interface SystemCapabilitiesExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly HttpFirmwareUpgrade?: boolean | undefined
  readonly HttpSystemBackup?: boolean | undefined
  readonly HttpSystemLogging?: boolean | undefined
  readonly HttpSupportInformation?: boolean | undefined
  readonly Extension?: SystemCapabilitiesExtension2 | undefined
}

export interface SystemCapabilitiesExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** How many inputs and relays there are. */
export interface IOCapabilities {
  readonly InputConnectors?: number | undefined
  readonly RelayOutputs?: number | undefined
  readonly Extension?: IOCapabilitiesExtension | undefined
}

export interface IOCapabilitiesExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly Auxiliary?: boolean | undefined
  readonly AuxiliaryCommands?: readonly AuxiliaryData[] | undefined
  readonly Extension: IOCapabilitiesExtension2
}

/** An auxiliary command, or what it answered. */
export type AuxiliaryData = string

export interface IOCapabilitiesExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Security abilities as GetCapabilities tells them. */
export interface SecurityCapabilities {
  readonly 'TLS1.1': boolean
  readonly 'TLS1.2': boolean
  readonly OnboardKeyGeneration: boolean
  readonly AccessPolicyConfig: boolean
  readonly 'X.509Token': boolean
  readonly SAMLToken: boolean
  readonly KerberosToken: boolean
  readonly RELToken: boolean
  readonly $any?: readonly AnyElement[] | undefined
  readonly Extension?: SecurityCapabilitiesExtension | undefined
}

export interface SecurityCapabilitiesExtension {
  readonly 'TLS1.0': boolean
  readonly Extension?: SecurityCapabilitiesExtension2 | undefined
}

export interface SecurityCapabilitiesExtension2 {
  readonly Dot1X: boolean
  readonly SupportedEAPMethod?: readonly number[] | undefined
  readonly RemoteUserHandling: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

export interface DeviceCapabilitiesExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface EventCapabilities {
  readonly XAddr: string
  readonly WSSubscriptionPolicySupport: boolean
  readonly WSPullPointSupport: boolean
  readonly WSPausableSubscriptionManagerInterfaceSupport: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

export interface ImagingCapabilities {
  readonly XAddr: string
}

export interface MediaCapabilities {
  readonly XAddr: string
  readonly StreamingCapabilities: RealTimeStreamingCapabilities
  readonly $any?: readonly AnyElement[] | undefined
  readonly Extension?: MediaCapabilitiesExtension | undefined
}

export interface RealTimeStreamingCapabilities {
  readonly RTPMulticast?: boolean | undefined
  readonly RTP_TCP?: boolean | undefined
  readonly RTP_RTSP_TCP?: boolean | undefined
  readonly Extension?: RealTimeStreamingCapabilitiesExtension | undefined
}

export interface RealTimeStreamingCapabilitiesExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface MediaCapabilitiesExtension {
  readonly ProfileCapabilities: ProfileCapabilities
  readonly $any?: readonly AnyElement[] | undefined
}

export interface ProfileCapabilities {
  readonly MaximumNumberOfProfiles: number
  readonly $any?: readonly AnyElement[] | undefined
}

export interface PTZCapabilities {
  readonly XAddr: string
  readonly $any?: readonly AnyElement[] | undefined
}

export interface CapabilitiesExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly DeviceIO?: DeviceIOCapabilities | undefined
  readonly Display?: DisplayCapabilities | undefined
  readonly Recording?: RecordingCapabilities | undefined
  readonly Search?: SearchCapabilities | undefined
  readonly Replay?: ReplayCapabilities | undefined
  readonly Receiver?: ReceiverCapabilities | undefined
  readonly AnalyticsDevice?: AnalyticsDeviceCapabilities | undefined
  readonly Extensions?: CapabilitiesExtension2 | undefined
}

export interface DeviceIOCapabilities {
  readonly XAddr: string
  readonly VideoSources: number
  readonly VideoOutputs: number
  readonly AudioSources: number
  readonly AudioOutputs: number
  readonly RelayOutputs: number
  readonly $any?: readonly AnyElement[] | undefined
}

export interface DisplayCapabilities {
  readonly XAddr: string
  readonly FixedLayout: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

export interface RecordingCapabilities {
  readonly XAddr: string
  readonly ReceiverSource: boolean
  readonly MediaProfileSource: boolean
  readonly DynamicRecordings: boolean
  readonly DynamicTracks: boolean
  readonly MaxStringLength: number
  readonly $any?: readonly AnyElement[] | undefined
}

export interface SearchCapabilities {
  readonly XAddr: string
  readonly MetadataSearch: boolean
  readonly NLSearch?: boolean | undefined
  readonly ImageSearch?: boolean | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export interface ReplayCapabilities {
  readonly XAddr: string
  readonly $any?: readonly AnyElement[] | undefined
}

export interface ReceiverCapabilities {
  readonly XAddr: string
  readonly RTP_Multicast: boolean
  readonly RTP_TCP: boolean
  readonly RTP_RTSP_TCP: boolean
  readonly SupportedReceivers: number
  readonly MaximumRTSPURILength: number
  readonly $any?: readonly AnyElement[] | undefined
}

export interface AnalyticsDeviceCapabilities {
  readonly XAddr: string
  readonly RuleSupport?: boolean | undefined
  readonly Extension?: AnalyticsDeviceExtension | undefined
}

export interface AnalyticsDeviceExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface CapabilitiesExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** The state of the clock. */
export interface SystemDateTime {
  readonly DateTimeType: SetDateTimeType
  readonly DaylightSavings: boolean
  readonly TimeZone?: TimeZone | undefined
  readonly UTCDateTime?: DateTime | undefined
  readonly LocalDateTime?: DateTime | undefined
  readonly Extension?: SystemDateTimeExtension | undefined
}

/** Who sets the clock. */
export type SetDateTimeType = 'Manual' | 'NTP'

/** The zone as a POSIX TZ text. */
export interface TimeZone {
  readonly TZ: string
}

/** A moment on the wall; whether UTC or local, its use says. */
export interface DateTime {
  readonly Time: Time
  readonly Date: Date
}

/** Hour 0 to 23, minute 0 to 59, second 0 to 61. */
export interface Time {
  readonly Hour: number
  readonly Minute: number
  readonly Second: number
}

/** Month 1 to 12, day 1 to 31. */
export interface Date {
  readonly Year: number
  readonly Month: number
  readonly Day: number
}

export interface SystemDateTimeExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Hard resets everything; Soft keeps the device reachable. */
export type FactoryDefaultType = 'Hard' | 'Soft'

/** Bytes beside the message, in another part of an MTOM package. */
export interface AttachmentData {
  readonly contentType?: string | undefined
  readonly Include: Include
}

export interface Include {
  readonly href: string
  readonly $any?: readonly AnyElement[] | undefined
}

/** One file of a backup. */
export interface BackupFile {
  readonly Name: string
  readonly Data: AttachmentData
}

/** Download addresses of logs. */
export interface SystemLogUriList {
  readonly SystemLog?: readonly SystemLogUri[] | undefined
}

/** Download address of one log. */
export interface SystemLogUri {
  readonly Type: SystemLogType
  readonly Uri: string
  readonly $any?: readonly AnyElement[] | undefined
}

/** What happened in the device, or who called it. */
export type SystemLogType = 'System' | 'Access'

/** A log as text, or as an attachment. */
export interface SystemLog {
  readonly Binary?: AttachmentData | undefined
  readonly String?: string | undefined
}

/** Diagnostic details as text, or as an attachment. */
export interface SupportInformation {
  readonly Binary?: AttachmentData | undefined
  readonly String?: string | undefined
}

/** A scope, and whether clients may change it. */
export interface Scope {
  readonly ScopeDef: ScopeDefinition
  readonly ScopeItem: string
}

/** Fixed scopes belong to the device; configurable ones to its users. */
export type ScopeDefinition = 'Fixed' | 'Configurable'

/** Whether the device answers WS-Discovery. */
export type DiscoveryMode = 'Discoverable' | 'NonDiscoverable'

/** A host by address or by name; Type says which member counts. */
export interface NetworkHost {
  readonly Type: NetworkHostType
  readonly IPv4Address?: IPv4Address | undefined
  readonly IPv6Address?: IPv6Address | undefined
  readonly DNSname?: DNSName | undefined
  readonly Extension?: NetworkHostExtension | undefined
}

export type NetworkHostType = 'IPv4' | 'IPv6' | 'DNS'

/** Dotted decimal. The schema itself checks no syntax. */
export type IPv4Address = string

/** As RFC 4291 writes them. The schema itself checks no syntax. */
export type IPv6Address = string

export type DNSName = string

export interface NetworkHostExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** An account. */
export interface User {
  readonly Username: string
  readonly Password?: string | undefined
  readonly UserLevel: UserLevel
  readonly Extension?: UserExtension | undefined
}

/** What an account may do, from everything to hardly anything. */
export type UserLevel = 'Administrator' | 'Operator' | 'User' | 'Anonymous' | 'Extended'

/** The roles of an account. */
export interface UserExtension {
  readonly Roles: StringList
  readonly $any?: readonly AnyElement[] | undefined
}

/** A role and the functions it opens. */
export interface UserRole {
  readonly Name: string
  readonly Functions: StringList
}

/** An account for logging in to other devices. */
export interface RemoteUser {
  readonly Username: string
  readonly Password?: string | undefined
  readonly UseDerivedPassword: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

/** Both ends belong to the range. */
export interface IntRange {
  readonly Min: number
  readonly Max: number
}

/** Bytes inside the message, in base64. */
export interface BinaryData {
  readonly contentType?: string | undefined
  readonly Data: Uint8Array
}

/** The host name and where it came from. */
export interface HostnameInformation {
  readonly FromDHCP: boolean
  readonly Name?: string | undefined
  readonly Extension?: HostnameInformationExtension | undefined
}

export interface HostnameInformationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Name servers and where they came from. */
export interface DNSInformation {
  readonly FromDHCP: boolean
  readonly SearchDomain?: readonly string[] | undefined
  readonly DNSFromDHCP?: readonly IPAddress[] | undefined
  readonly DNSManual?: readonly IPAddress[] | undefined
  readonly Extension?: DNSInformationExtension | undefined
}

/** An address; Type says which member counts. */
export interface IPAddress {
  readonly Type: IPType
  readonly IPv4Address?: IPv4Address | undefined
  readonly IPv6Address?: IPv6Address | undefined
}

export type IPType = 'IPv4' | 'IPv6'

export interface DNSInformationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Time servers and where they came from. */
export interface NTPInformation {
  readonly FromDHCP: boolean
  readonly NTPFromDHCP?: readonly NetworkHost[] | undefined
  readonly NTPManual?: readonly NetworkHost[] | undefined
  readonly Extension?: NTPInformationExtension | undefined
}

export interface NTPInformationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Who updates the device's DNS entry, and for how long it holds. */
export interface DynamicDNSInformation {
  readonly Type: DynamicDNSType
  readonly Name?: DNSName | undefined
  readonly TTL?: string | undefined
  readonly Extension?: DynamicDNSInformationExtension | undefined
}

export type DynamicDNSType = 'NoUpdate' | 'ClientUpdates' | 'ServerUpdates'

export interface DynamicDNSInformationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** A network interface as it is. */
export interface NetworkInterface {
  readonly token: ReferenceToken
  readonly Enabled: boolean
  readonly Info?: NetworkInterfaceInfo | undefined
  readonly Link?: NetworkInterfaceLink | undefined
  readonly IPv4?: IPv4NetworkInterface | undefined
  readonly IPv6?: IPv6NetworkInterface | undefined
  readonly Extension?: NetworkInterfaceExtension | undefined
}

/** Something in the device that has a token. */
export interface DeviceEntity {
  readonly token: ReferenceToken
}

/** Short name by which one thing in the device is referred to. */
export type ReferenceToken = string

/** Name, MAC address and MTU of an interface. */
export interface NetworkInterfaceInfo {
  readonly Name?: string | undefined
  readonly HwAddress: HwAddress
  readonly MTU?: number | undefined
}

export type HwAddress = string

/** Speed and duplex, as set and as they came out. */
export interface NetworkInterfaceLink {
  readonly AdminSettings: NetworkInterfaceConnectionSetting
  readonly OperSettings: NetworkInterfaceConnectionSetting
  readonly InterfaceType: IANAIfTypes
}

/** Speed in megabits per second. */
export interface NetworkInterfaceConnectionSetting {
  readonly AutoNegotiation: boolean
  readonly Speed: number
  readonly Duplex: Duplex
}

export type Duplex = 'Full' | 'Half'

/** Number of the interface type in IANA's registry; 6 is Ethernet, 71 is IEEE 802.11. */
export type IANAIfTypes = number

export interface IPv4NetworkInterface {
  readonly Enabled: boolean
  readonly Config: IPv4Configuration
}

/** IPv4 addresses of an interface by their origin. */
export interface IPv4Configuration {
  readonly Manual?: readonly PrefixedIPv4Address[] | undefined
  readonly LinkLocal?: PrefixedIPv4Address | undefined
  readonly FromDHCP?: PrefixedIPv4Address | undefined
  readonly DHCP: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

/** An address with the length of its network prefix. */
export interface PrefixedIPv4Address {
  readonly Address: IPv4Address
  readonly PrefixLength: number
}

export interface IPv6NetworkInterface {
  readonly Enabled: boolean
  readonly Config?: IPv6Configuration | undefined
}

/** IPv6 addresses of an interface by their origin. */
export interface IPv6Configuration {
  readonly AcceptRouterAdvert?: boolean | undefined
  readonly DHCP: IPv6DHCPConfiguration
  readonly Manual?: readonly PrefixedIPv6Address[] | undefined
  readonly LinkLocal?: readonly PrefixedIPv6Address[] | undefined
  readonly FromDHCP?: readonly PrefixedIPv6Address[] | undefined
  readonly FromRA?: readonly PrefixedIPv6Address[] | undefined
  readonly Extension?: IPv6ConfigurationExtension | undefined
}

export type IPv6DHCPConfiguration = 'Auto' | 'Stateful' | 'Stateless' | 'Off'

/** An address with the length of its network prefix. */
export interface PrefixedIPv6Address {
  readonly Address: IPv6Address
  readonly PrefixLength: number
}

export interface IPv6ConfigurationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface NetworkInterfaceExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly InterfaceType: IANAIfTypes
  readonly Dot3?: readonly Dot3Configuration[] | undefined
  readonly Dot11?: readonly Dot11Configuration[] | undefined
  readonly Extension?: NetworkInterfaceExtension2 | undefined
}

export interface Dot3Configuration {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Settings of one wireless network. */
export interface Dot11Configuration {
  readonly SSID: Dot11SSIDType
  readonly Mode: Dot11StationMode
  readonly Alias: Name
  readonly Priority: NetworkInterfaceConfigPriority
  readonly Security: Dot11SecurityConfiguration
  readonly $any?: readonly AnyElement[] | undefined
}

/** The network's name as raw bytes. */
export type Dot11SSIDType = Uint8Array

export type Dot11StationMode = 'Ad-hoc' | 'Infrastructure' | 'Extended'

/** Name for people to read. */
export type Name = string

export type NetworkInterfaceConfigPriority = number

/** How a wireless network is protected. */
export interface Dot11SecurityConfiguration {
  readonly Mode: Dot11SecurityMode
  readonly Algorithm?: Dot11Cipher | undefined
  readonly PSK?: Dot11PSKSet | undefined
  readonly Dot1X?: ReferenceToken | undefined
  readonly Extension?: Dot11SecurityConfigurationExtension | undefined
}

export type Dot11SecurityMode = 'None' | 'WEP' | 'PSK' | 'Dot1X' | 'Extended'

export type Dot11Cipher = 'CCMP' | 'TKIP' | 'Any' | 'Extended'

/** A key, or the passphrase it is made from. Never part of an answer. */
export interface Dot11PSKSet {
  readonly Key?: Dot11PSK | undefined
  readonly Passphrase?: Dot11PSKPassphrase | undefined
  readonly Extension?: Dot11PSKSetExtension | undefined
}

export type Dot11PSK = Uint8Array

export type Dot11PSKPassphrase = string

export interface Dot11PSKSetExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface Dot11SecurityConfigurationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface NetworkInterfaceExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Changes to an interface; what is absent stays. */
export interface NetworkInterfaceSetConfiguration {
  readonly Enabled?: boolean | undefined
  readonly Link?: NetworkInterfaceConnectionSetting | undefined
  readonly MTU?: number | undefined
  readonly IPv4?: IPv4NetworkInterfaceSetConfiguration | undefined
  readonly IPv6?: IPv6NetworkInterfaceSetConfiguration | undefined
  readonly Extension?: NetworkInterfaceSetConfigurationExtension | undefined
}

export interface IPv4NetworkInterfaceSetConfiguration {
  readonly Enabled?: boolean | undefined
  readonly Manual?: readonly PrefixedIPv4Address[] | undefined
  readonly DHCP?: boolean | undefined
}

export interface IPv6NetworkInterfaceSetConfiguration {
  readonly Enabled?: boolean | undefined
  readonly AcceptRouterAdvert?: boolean | undefined
  readonly Manual?: readonly PrefixedIPv6Address[] | undefined
  readonly DHCP?: IPv6DHCPConfiguration | undefined
}

export interface NetworkInterfaceSetConfigurationExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly Dot3?: readonly Dot3Configuration[] | undefined
  readonly Dot11?: readonly Dot11Configuration[] | undefined
  readonly Extension?: NetworkInterfaceSetConfigurationExtension2 | undefined
}

export interface NetworkInterfaceSetConfigurationExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** A protocol, whether it is on, and its ports. */
export interface NetworkProtocol {
  readonly Name: NetworkProtocolType
  readonly Enabled: boolean
  readonly Port: readonly number[]
  readonly Extension?: NetworkProtocolExtension | undefined
}

export type NetworkProtocolType = 'HTTP' | 'HTTPS' | 'RTSP'

export interface NetworkProtocolExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Default gateways. */
export interface NetworkGateway {
  readonly IPv4Address?: readonly IPv4Address[] | undefined
  readonly IPv6Address?: readonly IPv6Address[] | undefined
}

/** Link-local address of an interface (RFC 3927). */
export interface NetworkZeroConfiguration {
  readonly InterfaceToken: ReferenceToken
  readonly Enabled: boolean
  readonly Addresses?: readonly IPv4Address[] | undefined
  readonly Extension?: NetworkZeroConfigurationExtension | undefined
}

export interface NetworkZeroConfigurationExtension {
  readonly $any?: readonly AnyElement[] | undefined
  readonly Additional?: readonly NetworkZeroConfiguration[] | undefined
  readonly Extension?: NetworkZeroConfigurationExtension2 | undefined
}

export interface NetworkZeroConfigurationExtension2 {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Addresses that are let in, or kept out. */
export interface IPAddressFilter {
  readonly Type: IPAddressFilterType
  readonly IPv4Address?: readonly PrefixedIPv4Address[] | undefined
  readonly IPv6Address?: readonly PrefixedIPv6Address[] | undefined
  readonly Extension?: IPAddressFilterExtension | undefined
}

export type IPAddressFilterType = 'Allow' | 'Deny'

export interface IPAddressFilterExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** Which wireless modes exist. */
export interface Dot11Capabilities {
  readonly TKIP: boolean
  readonly ScanAvailableNetworks: boolean
  readonly MultipleConfiguration: boolean
  readonly AdHocStationMode: boolean
  readonly WEP: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

/** The wireless network that an interface is in. */
export interface Dot11Status {
  readonly SSID: Dot11SSIDType
  readonly BSSID?: string | undefined
  readonly PairCipher?: Dot11Cipher | undefined
  readonly GroupCipher?: Dot11Cipher | undefined
  readonly SignalStrength?: Dot11SignalStrength | undefined
  readonly ActiveConfigAlias: ReferenceToken
  readonly $any?: readonly AnyElement[] | undefined
}

export type Dot11SignalStrength = 'None' | 'Very Bad' | 'Bad' | 'Good' | 'Very Good' | 'Extended'

/** A wireless network in reach. */
export interface Dot11AvailableNetworks {
  readonly SSID: Dot11SSIDType
  readonly BSSID?: string | undefined
  readonly AuthAndMangementSuite?: readonly Dot11AuthAndMangementSuite[] | undefined
  readonly PairCipher?: readonly Dot11Cipher[] | undefined
  readonly GroupCipher?: readonly Dot11Cipher[] | undefined
  readonly SignalStrength?: Dot11SignalStrength | undefined
  readonly Extension?: Dot11AvailableNetworksExtension | undefined
}

export type Dot11AuthAndMangementSuite = 'None' | 'Dot1X' | 'PSK' | 'Extended'

export interface Dot11AvailableNetworksExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** A relay and how it behaves. */
export interface RelayOutput {
  readonly token: ReferenceToken
  readonly Properties: RelayOutputSettings
  readonly $any?: readonly AnyElement[] | undefined
}

/** How a relay behaves: mode, delay, and what it rests in. */
export interface RelayOutputSettings {
  readonly Mode: RelayMode
  readonly DelayTime: string
  readonly IdleState: RelayIdleState
}

/** Bistable keeps its state; Monostable falls back after the delay. */
export type RelayMode = 'Monostable' | 'Bistable'

export type RelayIdleState = 'closed' | 'open'

export type RelayLogicalState = 'active' | 'inactive'

/** A storage place with its token. */
export interface StorageConfiguration {
  readonly token: ReferenceToken
  readonly Data: StorageConfigurationData
}

/** Where recordings go, and how to log in there. */
export interface StorageConfigurationData {
  readonly type: string
  readonly Region?: string | undefined
  readonly LocalPath?: string | undefined
  readonly StorageUri?: string | undefined
  readonly User?: UserCredential | undefined
  readonly Extension?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
  readonly CertPathValidationPolicyID?: string | undefined
  readonly ConfigurationRenewal?: { readonly RenewalEndpoint: string; readonly AuthorizationServer: ReferenceToken; readonly CertPathValidationPolicyID?: string | undefined; readonly Error?: string | undefined } | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

/** Log-in for a storage place. The password is never part of an answer. */
export interface UserCredential {
  readonly UserName: string
  readonly Password?: string | undefined
  readonly Extension?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
  readonly Token?: string | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

/** Position and orientation of one part of the device. */
export interface LocationEntity {
  readonly Entity?: string | undefined
  readonly Token?: ReferenceToken | undefined
  readonly Fixed?: boolean | undefined
  readonly GeoSource?: string | undefined
  readonly AutoGeo?: boolean | undefined
  readonly GeoLocation?: GeoLocation | undefined
  readonly GeoOrientation?: GeoOrientation | undefined
  readonly LocalLocation?: LocalLocation | undefined
  readonly LocalOrientation?: LocalOrientation | undefined
}

/** Degrees and metres, WGS 84. */
export interface GeoLocation {
  readonly lon?: number | undefined
  readonly lat?: number | undefined
  readonly elevation?: number | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export interface GeoOrientation {
  readonly roll?: number | undefined
  readonly pitch?: number | undefined
  readonly yaw?: number | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export interface LocalLocation {
  readonly x?: number | undefined
  readonly y?: number | undefined
  readonly z?: number | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export interface LocalOrientation {
  readonly pan?: number | undefined
  readonly tilt?: number | undefined
  readonly roll?: number | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

/** A certificate with its ID. */
export interface Certificate {
  readonly CertificateID: string
  readonly Certificate: BinaryData
}

/** Whether the TLS server uses a certificate. */
export interface CertificateStatus {
  readonly CertificateID: string
  readonly Status: boolean
  readonly $any?: readonly AnyElement[] | undefined
}

export interface CertificateWithPrivateKey {
  readonly CertificateID?: string | undefined
  readonly Certificate: BinaryData
  readonly PrivateKey: BinaryData
  readonly $any?: readonly AnyElement[] | undefined
}

/** Readable fields of a certificate. */
export interface CertificateInformation {
  readonly CertificateID: string
  readonly IssuerDN?: string | undefined
  readonly SubjectDN?: string | undefined
  readonly KeyUsage?: CertificateUsage | undefined
  readonly ExtendedKeyUsage?: CertificateUsage | undefined
  readonly KeyLength?: number | undefined
  readonly Version?: string | undefined
  readonly SerialNum?: string | undefined
  readonly SignatureAlgorithm?: string | undefined
  readonly Validity?: DateTimeRange | undefined
  readonly Extension?: CertificateInformationExtension | undefined
}

export interface CertificateUsage {
  readonly Critical: boolean
  readonly $value: string
}

export interface DateTimeRange {
  readonly From: string
  readonly Until: string
  readonly $any?: readonly AnyElement[] | undefined
}

export interface CertificateInformationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** How the device identifies itself to an IEEE 802.1X network. */
export interface Dot1XConfiguration {
  readonly Dot1XConfigurationToken: ReferenceToken
  readonly Identity: string
  readonly AnonymousID?: string | undefined
  readonly EAPMethod: number
  readonly CACertificateID?: readonly string[] | undefined
  readonly EAPMethodConfiguration?: EAPMethodConfiguration | undefined
  readonly Extension?: Dot1XConfigurationExtension | undefined
}

export interface EAPMethodConfiguration {
  readonly TLSConfiguration?: TLSConfiguration | undefined
  readonly Password?: string | undefined
  readonly Extension?: EapMethodExtension | undefined
}

export interface TLSConfiguration {
  readonly CertificateID: string
  readonly $any?: readonly AnyElement[] | undefined
}

export interface EapMethodExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface Dot1XConfigurationExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

/** What the service can do, by subject. */
export interface AdvancedSecurityCapabilities {
  readonly KeystoreCapabilities: KeystoreCapabilities
  readonly TLSServerCapabilities: TLSServerCapabilities
  readonly Dot1XCapabilities?: Dot1XCapabilities | undefined
  readonly AuthorizationServer?: AuthorizationServerConfigurationCapabilities | undefined
  readonly MediaSigning?: MediaSigningCapabilities | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export interface KeystoreCapabilities {
  readonly MaximumNumberOfKeys?: number | undefined
  readonly MaximumNumberOfCertificates?: number | undefined
  readonly MaximumNumberOfCertificationPaths?: number | undefined
  readonly SetCertPath?: boolean | undefined
  readonly RSAKeyPairGeneration?: boolean | undefined
  readonly ECCKeyPairGeneration?: boolean | undefined
  readonly KeyPairGeneration?: StringList | undefined
  readonly RSAKeyLengths?: RSAKeyLengths | undefined
  readonly EllipticCurves?: EllipticCurves | undefined
  readonly PKCS10ExternalCertificationWithRSA?: boolean | undefined
  readonly PKCS10?: boolean | undefined
  readonly SelfSignedCertificateCreationWithRSA?: boolean | undefined
  readonly SelfSignedCertificateCreation?: boolean | undefined
  readonly X509Versions?: X509Versions | undefined
  readonly MaximumNumberOfPassphrases?: number | undefined
  readonly PKCS8RSAKeyPairUpload?: boolean | undefined
  readonly PKCS8?: boolean | undefined
  readonly PKCS12CertificateWithRSAPrivateKeyUpload?: boolean | undefined
  readonly PKCS12?: boolean | undefined
  readonly PasswordBasedEncryptionAlgorithms?: PasswordBasedEncryptionAlgorithms | undefined
  readonly PasswordBasedMACAlgorithms?: PasswordBasedMACAlgorithms | undefined
  readonly MaximumNumberOfCRLs?: number | undefined
  readonly MaximumNumberOfCertificationPathValidationPolicies?: number | undefined
  readonly EnforceTLSWebClientAuthExtKeyUsage?: boolean | undefined
  readonly NoPrivateKeySharing?: boolean | undefined
  readonly SignatureAlgorithms?: readonly AlgorithmIdentifier[] | undefined
  readonly anyElement?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

/** An algorithm by its OID, with its parameters in DER. */
export interface AlgorithmIdentifier {
  readonly algorithm: DotDecimalOID
  readonly parameters?: Base64DERencodedASN1Value | undefined
  readonly anyParameters?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

/** The dots of the pattern match any character, as they do in the original. */
export type DotDecimalOID = string

export type Base64DERencodedASN1Value = Uint8Array

export type RSAKeyLengths = readonly number[]

export type EllipticCurves = readonly string[]

export type X509Versions = readonly number[]

export type PasswordBasedEncryptionAlgorithms = readonly string[]

export type PasswordBasedMACAlgorithms = readonly string[]

export interface TLSServerCapabilities {
  readonly TLSServerSupported?: TLSVersions | undefined
  readonly EnabledVersionsSupported?: boolean | undefined
  readonly MaximumNumberOfTLSCertificationPaths?: number | undefined
  readonly TLSClientAuthSupported?: boolean | undefined
  readonly CnMapsToUserSupported?: boolean | undefined
  readonly MaximumNumberOfTLSCertificationPathValidationPolicies?: number | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export type TLSVersions = readonly string[]

export interface Dot1XCapabilities {
  readonly MaximumNumberOfDot1XConfigurations?: number | undefined
  readonly Dot1XMethods?: Dot1XMethods | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export type Dot1XMethods = readonly string[]

export interface AuthorizationServerConfigurationCapabilities {
  readonly MaxConfigurations?: number | undefined
  readonly ConfigurationTypesSupported?: StringList | undefined
  readonly ClientAuthenticationMethodsSupported?: StringList | undefined
}

export interface MediaSigningCapabilities {
  readonly MediaSigningSupported?: boolean | undefined
  readonly UserMediaSigningKeySupported?: boolean | undefined
}

/** Which tokens are taken. */
export interface JWTConfiguration {
  readonly Audiences: StringList
  readonly TrustedIssuers?: readonly string[] | undefined
  readonly KeyID?: readonly KeyID[] | undefined
  readonly ValidationPolicy?: CertPathValidationPolicyID | undefined
  readonly CustomClaims?: readonly CustomClaim[] | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export type KeyID = string

export type CertPathValidationPolicyID = string

/** A claim that has to be there, with one of these values. */
export interface CustomClaim {
  readonly Name: string
  readonly SupportedValues: StringList
  readonly $any?: readonly AnyElement[] | undefined
}

export type PassphraseID = string

export type CertificationPathID = string

/** What a client learns of a key. */
export interface KeyAttribute {
  readonly KeyID: KeyID
  readonly Alias?: string | undefined
  readonly hasPrivateKey?: boolean | undefined
  readonly KeyStatus: string
  readonly $any?: readonly AnyElement[] | undefined
  readonly externallyGenerated?: boolean | undefined
  readonly securelyStored?: boolean | undefined
  readonly Extension?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

/** A name as certificates have it; each list holds the attributes of one kind. */
export interface DistinguishedName {
  readonly Country?: readonly DNAttributeValue[] | undefined
  readonly Organization?: readonly DNAttributeValue[] | undefined
  readonly OrganizationalUnit?: readonly DNAttributeValue[] | undefined
  readonly DistinguishedNameQualifier?: readonly DNAttributeValue[] | undefined
  readonly StateOrProvinceName?: readonly DNAttributeValue[] | undefined
  readonly CommonName?: readonly DNAttributeValue[] | undefined
  readonly SerialNumber?: readonly DNAttributeValue[] | undefined
  readonly Locality?: readonly DNAttributeValue[] | undefined
  readonly Title?: readonly DNAttributeValue[] | undefined
  readonly Surname?: readonly DNAttributeValue[] | undefined
  readonly GivenName?: readonly DNAttributeValue[] | undefined
  readonly Initials?: readonly DNAttributeValue[] | undefined
  readonly Pseudonym?: readonly DNAttributeValue[] | undefined
  readonly GenerationQualifier?: readonly DNAttributeValue[] | undefined
  readonly GenericAttribute?: readonly DNAttributeTypeAndValue[] | undefined
  readonly MultiValuedRDN?: readonly MultiValuedRDN[] | undefined
  readonly anyAttribute?: { readonly DomainComponent?: readonly DNAttributeValue[] | undefined; readonly $any?: readonly AnyElement[] | undefined } | undefined
}

export type DNAttributeValue = string

/** An attribute that has no element of its own, by its OID in dotted form. */
export interface DNAttributeTypeAndValue {
  readonly Type: DNAttributeType
  readonly Value: DNAttributeValue
  readonly $any?: readonly AnyElement[] | undefined
}

export type DNAttributeType = string

export interface MultiValuedRDN {
  readonly Attribute?: readonly DNAttributeTypeAndValue[] | undefined
}

/** An attribute of a certification request. */
export interface CSRAttribute {
  readonly X509v3Extension?: X509v3Extension | undefined
  readonly BasicRequestAttribute?: BasicRequestAttribute | undefined
  readonly anyAttribute?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

/** An extension of a certificate; the value is DER. */
export interface X509v3Extension {
  readonly extnOID: DotDecimalOID
  readonly critical: boolean
  readonly extnValue: Base64DERencodedASN1Value
  readonly $any?: readonly AnyElement[] | undefined
}

export interface BasicRequestAttribute {
  readonly OID: DotDecimalOID
  readonly value: Base64DERencodedASN1Value
  readonly $any?: readonly AnyElement[] | undefined
}

export type CertificateID = string

/** A certificate in DER with the key that it belongs to. */
export interface X509Certificate {
  readonly CertificateID: CertificateID
  readonly KeyID: KeyID
  readonly Alias?: string | undefined
  readonly CertificateContent: Base64DERencodedASN1Value
  readonly HasPrivateKey?: boolean | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export interface CertificateIDs {
  readonly CertificateID: readonly CertificateID[]
}

/** Certificates from the end entity upwards. */
export interface CertificationPath {
  readonly CertificateID: readonly CertificateID[]
  readonly Alias?: string | undefined
  readonly anyElement?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

export interface PassphraseAttribute {
  readonly PassphraseID: PassphraseID
  readonly Alias?: string | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

export type CRLID = string

/** A revocation list in DER. */
export interface CRL {
  readonly CRLID: CRLID
  readonly Alias: string
  readonly CRLContent: Base64DERencodedASN1Value
  readonly $any?: readonly AnyElement[] | undefined
}

export interface CertPathValidationParameters {
  readonly RequireTLSWWWClientAuthExtendedKeyUsage?: boolean | undefined
  readonly UseDeltaCRLs?: boolean | undefined
  readonly anyParameters?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

/** A certificate that is trusted for itself. */
export interface TrustAnchor {
  readonly CertificateID: CertificateID
  readonly $any?: readonly AnyElement[] | undefined
}

/** By which anchors and which tests a certificate is judged. */
export interface CertPathValidationPolicy {
  readonly CertPathValidationPolicyID: CertPathValidationPolicyID
  readonly Alias?: string | undefined
  readonly Parameters: CertPathValidationParameters
  readonly TrustAnchor: readonly TrustAnchor[]
  readonly anyParameters?: { readonly $any?: readonly AnyElement[] | undefined } | undefined
}

/** How the device logs in to a network. */
export interface AdvancedSecurityDot1XConfiguration {
  readonly Dot1XID?: Dot1XID | undefined
  readonly Alias?: string | undefined
  readonly Outer: Dot1XStage
  readonly $any?: readonly AnyElement[] | undefined
}

export type Dot1XID = string

/** One layer of EAP; the method runs inside of the one that holds it. */
export interface Dot1XStage {
  readonly Method: string
  readonly CertPathValidationPolicyID?: CertPathValidationPolicyID | undefined
  readonly Identity?: string | undefined
  readonly CertificationPathID?: CertificationPathID | undefined
  readonly PassphraseID?: PassphraseID | undefined
  readonly Inner?: Dot1XStage | undefined
  readonly Extension?: Dot1XStageExtension | undefined
}

export interface Dot1XStageExtension {
  readonly $any?: readonly AnyElement[] | undefined
}

export interface AuthorizationServerConfiguration {
  readonly token: ReferenceToken
  readonly Data: AuthorizationServerConfigurationData
  readonly $any?: readonly AnyElement[] | undefined
}

/** An OAuth 2 or OpenID Connect server and how the device shows who it is. */
export interface AuthorizationServerConfigurationData {
  readonly Type: string
  readonly ClientAuth?: string | undefined
  readonly ServerUri: string
  readonly ClientID?: string | undefined
  readonly ClientSecret?: string | undefined
  readonly Scope?: string | undefined
  readonly KeyID?: KeyID | undefined
  readonly CertificateID?: CertificateID | undefined
  readonly CertPathValidationPolicyID?: CertPathValidationPolicyID | undefined
  readonly $any?: readonly AnyElement[] | undefined
}

/** What the Event service of a device can do. MaxNotificationProducers counts the subscriptions that it delivers itself. */
export interface EventServiceCapabilities {
  readonly WSSubscriptionPolicySupport?: boolean | undefined
  readonly WSPausableSubscriptionManagerInterfaceSupport?: boolean | undefined
  readonly MaxNotificationProducers?: number | undefined
  readonly MaxPullPoints?: number | undefined
  readonly PersistentNotificationStorage?: boolean | undefined
  readonly EventBrokerProtocols?: string | undefined
  readonly MaxEventBrokers?: number | undefined
  readonly MetadataOverMQTT?: boolean | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** What messages are wanted: those that pass every filter. */
export interface FilterType {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** A point in time, or a span from now on. */
export type AbsoluteOrRelativeTimeType = string

/** Where messages go, and what has to go with them. */
export interface EndpointReferenceType {
  readonly Address: AttributedURIType
  readonly ReferenceParameters?: ReferenceParametersType | undefined
  readonly Metadata?: MetadataType | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** A URI, which may have attributes of other vocabularies. */
export interface AttributedURIType {
  readonly $value: string
}

/** Header blocks that every message to this address has to carry. */
export interface ReferenceParametersType {
  readonly $any?: readonly Raw[] | undefined
}

/** What else is known of whoever is at the address. */
export interface MetadataType {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** There is no subscription at this address, or none any more. */
export interface ResourceUnknownFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** When something went wrong, and what. */
export interface BaseFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** Anything. */
export interface AnyType {
  readonly $text: string
  readonly $scope?: PrefixScope | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** A filter is of a kind that is not known. */
export interface InvalidFilterFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
  readonly UnknownFilter: readonly string[]
}

/** Topics are chosen in a dialect that is not known. */
export interface TopicExpressionDialectUnknownFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** The choice of topics cannot be understood. */
export interface InvalidTopicExpressionFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** There is no such topic here. */
export interface TopicNotSupportedFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** The filter on properties of the device cannot be understood. */
export interface InvalidProducerPropertiesExpressionFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** The filter on the content of messages cannot be understood. */
export interface InvalidMessageContentExpressionFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** The subscription cannot live so long, or so short. */
export interface UnacceptableInitialTerminationTimeFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
  readonly MinimumTime: string
  readonly MaximumTime?: string | undefined
}

/** A policy is not known. */
export interface UnrecognizedPolicyRequestFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
  readonly UnrecognizedPolicy?: readonly string[] | undefined
}

/** A policy is known, and not to be had. */
export interface UnsupportedPolicyRequestFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
  readonly UnsupportedPolicy?: readonly string[] | undefined
}

/** The raw form of delivery was asked for, or refused, where there is no other. */
export interface NotifyMessageNotSupportedFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** The subscription could not be made. */
export interface SubscribeCreationFailedFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** Trees of elements, each of which is named like a topic. Those that messages can have say so by the attribute topic. */
export interface TopicSetType {
  readonly documentation?: Documentation | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** What can be described in words. */
export interface ExtensibleDocumented {
  readonly documentation?: Documentation | undefined
}

/** Words, with any markup. */
export interface Documentation {
  readonly $text: string
  readonly $scope?: PrefixScope | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** A broker to which events go, and how. Nobody can read the password back. */
export interface EventBrokerConfig {
  readonly Address: string
  readonly TopicPrefix: string
  readonly UserName?: string | undefined
  readonly Password?: string | undefined
  readonly CertificateID?: string | undefined
  readonly PublishFilter?: FilterType | undefined
  readonly QoS?: number | undefined
  readonly Status?: string | undefined
  readonly CertPathValidationPolicyID?: string | undefined
  readonly MetadataFilter?: FilterType | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** One message with its topic. */
export interface NotificationMessageHolderType {
  readonly SubscriptionReference?: EndpointReferenceType | undefined
  readonly Topic?: TopicExpressionType | undefined
  readonly ProducerReference?: EndpointReferenceType | undefined
  readonly Message: { readonly $any: readonly AnyOrRaw[] }
}

/** One topic or many, written in a dialect; its prefixes are those of the place where it stands. */
export interface TopicExpressionType {
  readonly Dialect: string
  readonly $text: string
  readonly $scope?: PrefixScope | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** Detail of a fault: the largest Timeout and MessageLimit that are taken. */
export interface PullMessagesFaultResponse {
  readonly MaxTimeout: string
  readonly MaxMessageLimit: number
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** The subscription could not be ended. */
export interface UnableToDestroySubscriptionFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** What a device sends to a consumer: messages, the oldest first. */
export interface Notify {
  readonly NotificationMessage: readonly NotificationMessageHolderType[]
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** The topic has no state, or none yet. */
export interface NoCurrentMessageOnTopicFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** One topic is wanted, and the expression names several. */
export interface MultipleTopicsSpecifiedFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** The subscription cannot go on for so long, or so short. */
export interface UnacceptableTerminationTimeFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
  readonly MinimumTime: string
  readonly MaximumTime?: string | undefined
}

/** One event: where it happened, and what. PropertyOperation is there where it is about a property. */
export interface Message {
  readonly UtcTime: string
  readonly PropertyOperation?: PropertyOperation | undefined
  readonly Source?: ItemList | undefined
  readonly Key?: ItemList | undefined
  readonly Data?: ItemList | undefined
  readonly Extension?: MessageExtension | undefined
}

/** Values with their names; those that are more than a text are elements. */
export interface ItemList {
  readonly SimpleItem?: readonly { readonly Name: string; readonly Value: string }[] | undefined
  readonly ElementItem?: readonly { readonly Name: string; readonly $any: readonly AnyOrRaw[] }[] | undefined
  readonly Extension?: ItemListExtension | undefined
}

export interface ItemListExtension {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

export interface MessageExtension {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** What became of a property: it is there, it has changed, or it is gone. */
export type PropertyOperation = 'Initialized' | 'Deleted' | 'Changed'

/** What the messages of a topic hold. No schema declares an element of this type; Core 9 has one, tt:MessageDescription, in the set of topics. */
export interface MessageDescription {
  readonly IsProperty?: boolean | undefined
  readonly Source?: ItemListDescription | undefined
  readonly Key?: ItemListDescription | undefined
  readonly Data?: ItemListDescription | undefined
  readonly Extension?: MessageDescriptionExtension | undefined
}

/** Names and types of items; no name comes twice. */
export interface ItemListDescription {
  readonly SimpleItemDescription?: readonly { readonly Name: string; readonly Type: string }[] | undefined
  readonly ElementItemDescription?: readonly { readonly Name: string; readonly Type: string }[] | undefined
  readonly Extension?: ItemListDescriptionExtension | undefined
}

export interface ItemListDescriptionExtension {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

export interface MessageDescriptionExtension {
  readonly $any?: readonly AnyOrRaw[] | undefined
}

/** A condition, written in a dialect. */
export interface QueryExpressionType {
  readonly Dialect: string
  readonly $text: string
  readonly $scope?: PrefixScope | undefined
  readonly $any?: readonly AnyOrRaw[] | undefined
}

export interface UseRaw {}

/** Messages cannot be had now, for somebody else is waiting for them. */
export interface UnableToGetMessagesFaultType {
  readonly $any?: readonly AnyOrRaw[] | undefined
  readonly Timestamp: string
  readonly Originator?: EndpointReferenceType | undefined
  readonly ErrorCode?: { readonly dialect: string; readonly $text: string; readonly $scope?: PrefixScope | undefined; readonly $any?: readonly AnyOrRaw[] | undefined } | undefined
  readonly Description?: readonly { readonly lang?: string | '' | undefined; readonly $value: string }[] | undefined
  readonly FaultCause?: { readonly $any: readonly AnyOrRaw[] } | undefined
}

/** MessageID of another message, and what this one has to do with it. */
export interface RelatesToType {
  readonly RelationshipType?: RelationshipTypeOpenEnum | undefined
  readonly $value: string
}

/** The relation that the W3C has named, or one of somebody else's. */
export type RelationshipTypeOpenEnum = RelationshipType | string

export type RelationshipType = 'http://www.w3.org/2005/08/addressing/reply'

/** Name of a header block that is at fault. */
export interface AttributedQNameType {
  readonly $value: string
}
