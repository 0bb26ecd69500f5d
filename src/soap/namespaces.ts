/** Names that SOAP and its extensions give; those of ONVIF's own vocabulary stand in the contract. */

export const XML = 'http://www.w3.org/XML/1998/namespace'
export const SOAP_ENVELOPE = 'http://www.w3.org/2003/05/soap-envelope'
export const SOAP_ENVELOPE_1_1 = 'http://schemas.xmlsoap.org/soap/envelope/'
export const ONVIF_ERROR = 'http://www.onvif.org/ver10/error'
export const WS_ADDRESSING = 'http://www.w3.org/2005/08/addressing'
/** The one of WS-Discovery, which knows no later. */
export const WS_ADDRESSING_2004 = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
export const WS_DISCOVERY = 'http://schemas.xmlsoap.org/ws/2005/04/discovery'
export const WS_SECURITY = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
export const WS_SECURITY_UTILITY = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
export const SCHEMA_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'

/** SOAP 1.2 Part 1, 2.2: the roles in which we act. An absent or empty role is that of the ultimate receiver. */
export const OUR_ROLES: ReadonlySet<string> = new Set(['', `${SOAP_ENVELOPE}/role/next`, `${SOAP_ENVELOPE}/role/ultimateReceiver`])

/** SOAP 1.2 Part 1, 5.1.1: says that nothing is said about the encoding. */
export const NO_ENCODING = `${SOAP_ENVELOPE}/encoding/none`
