import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from './notImplemented.ts'

/** Core 8.5, 5.9.3.1. */
export function securityPolicy(): Chapter<'securityPolicy'> {
  return {
    GetPasswordComplexityOptions: notImplemented('GetPasswordComplexityOptions'),
    GetPasswordComplexityConfiguration: notImplemented('GetPasswordComplexityConfiguration'),
    SetPasswordComplexityConfiguration: notImplemented('SetPasswordComplexityConfiguration'),
    GetPasswordHistoryConfiguration: notImplemented('GetPasswordHistoryConfiguration'),
    SetPasswordHistoryConfiguration: notImplemented('SetPasswordHistoryConfiguration'),
    GetAuthFailureWarningOptions: notImplemented('GetAuthFailureWarningOptions'),
    GetAuthFailureWarningConfiguration: notImplemented('GetAuthFailureWarningConfiguration'),
    SetAuthFailureWarningConfiguration: notImplemented('SetAuthFailureWarningConfiguration'),
    SetHashingAlgorithm: notImplemented('SetHashingAlgorithm'),
  }
}
