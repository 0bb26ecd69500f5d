import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from '../notImplemented.ts'

/** Security 5.5.2 to 5.5.4. The device has no media to sign. */
export function mediaSigning(): Chapter<'mediaSigning'> {
  return {
    'tas:AddMediaSigningCertificateAssignment': notImplemented('tas:AddMediaSigningCertificateAssignment'),
    'tas:RemoveMediaSigningCertificateAssignment': notImplemented('tas:RemoveMediaSigningCertificateAssignment'),
    'tas:GetAssignedMediaSigningCertificates': notImplemented('tas:GetAssignedMediaSigningCertificates'),
  }
}
