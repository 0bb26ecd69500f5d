import { randomUUID } from 'node:crypto'

export const DISCOVERY = 'http://schemas.xmlsoap.org/ws/2005/04/discovery'

/** The Probe that half the world has copied: no prefix `a` is declared, and the MessageID is always this one. */
export const copiedProbe = `<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
            xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
            xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
            xmlns:dn="http://www.onvif.org/ver10/device/wsdl">
  <e:Header>
    <w:MessageID>uuid:84ede3de-7dec-11d0-c360-f01234567890</w:MessageID>
    <w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
    <w:Action a:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>
  </e:Header>
  <e:Body><d:Probe><d:Types>dn:Device</d:Types></d:Probe></e:Body>
</e:Envelope>`

interface Parts {
  readonly messageId?: string
  readonly action?: string
  /** More blocks of the Header. */
  readonly header?: string
}

/** A Probe or Resolve with what stands inside of it. */
export function question(body: string, { messageId = `urn:uuid:${randomUUID()}`, action, header = '' }: Parts = {}): string {
  const name = /^<d:(\w+)/.exec(body)?.[1]
  return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="${DISCOVERY}" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header><a:MessageID>${messageId}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To><a:Action>${action ?? `${DISCOVERY}/${name}`}</a:Action>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
}

export const probe = (inside = '', parts?: Parts): string => question(`<d:Probe>${inside}</d:Probe>`, parts)

export const scopedProbe = (scopes: string, rule?: string, parts?: Parts): string =>
  probe(`<d:Scopes${rule === undefined ? '' : ` MatchBy="${DISCOVERY}/${rule}"`}>${scopes}</d:Scopes>`, parts)

export const resolve = (endpoint: string): string =>
  question(`<d:Resolve><a:EndpointReference><a:Address>${endpoint}</a:Address></a:EndpointReference></d:Resolve>`)
