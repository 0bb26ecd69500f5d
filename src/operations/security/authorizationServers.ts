import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from '../notImplemented.ts'

/** Security 5.5.5: where a device gets tokens for connections that it opens itself. It opens none that takes any. */
export function authorizationServers(): Chapter<'authorizationServers'> {
  return {
    'tas:GetAuthorizationServerConfigurations': notImplemented('tas:GetAuthorizationServerConfigurations'),
    'tas:CreateAuthorizationServerConfiguration': notImplemented('tas:CreateAuthorizationServerConfiguration'),
    'tas:SetAuthorizationServerConfiguration': notImplemented('tas:SetAuthorizationServerConfiguration'),
    'tas:DeleteAuthorizationServerConfiguration': notImplemented('tas:DeleteAuthorizationServerConfiguration'),
  }
}
