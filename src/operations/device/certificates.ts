import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from './notImplemented.ts'

/** Withdrawn from Core (Annex D): the Security service is the successor. */
export function certificates(): Chapter<'certificates'> {
  return {
    CreateCertificate: notImplemented('CreateCertificate'),
    GetCertificates: notImplemented('GetCertificates'),
    GetCertificatesStatus: notImplemented('GetCertificatesStatus'),
    SetCertificatesStatus: notImplemented('SetCertificatesStatus'),
    DeleteCertificates: notImplemented('DeleteCertificates'),
    GetPkcs10Request: notImplemented('GetPkcs10Request'),
    LoadCertificates: notImplemented('LoadCertificates'),
    GetClientCertificateMode: notImplemented('GetClientCertificateMode'),
    SetClientCertificateMode: notImplemented('SetClientCertificateMode'),
    GetCACertificates: notImplemented('GetCACertificates'),
    LoadCertificateWithPrivateKey: notImplemented('LoadCertificateWithPrivateKey'),
    GetCertificateInformation: notImplemented('GetCertificateInformation'),
    LoadCACertificates: notImplemented('LoadCACertificates'),
    CreateDot1XConfiguration: notImplemented('CreateDot1XConfiguration'),
    SetDot1XConfiguration: notImplemented('SetDot1XConfiguration'),
    GetDot1XConfiguration: notImplemented('GetDot1XConfiguration'),
    GetDot1XConfigurations: notImplemented('GetDot1XConfigurations'),
    DeleteDot1XConfiguration: notImplemented('DeleteDot1XConfiguration'),
  }
}
