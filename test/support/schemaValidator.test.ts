import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { officialFolder } from '../../wsdl/compare.ts'
import { validateMessage, validateMessageOfficially } from './schemaValidator.ts'

const message = (body: string): string =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><e:Body>${body}</e:Body></e:Envelope>`

const service = (capabilities: string): string =>
  `<tds:GetServicesResponse><tds:Service><tds:Namespace>n</tds:Namespace><tds:XAddr>x</tds:XAddr><tds:Capabilities>${capabilities}</tds:Capabilities><tds:Version><tt:Major>26</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service></tds:GetServicesResponse>`

const fault = (code: string, text: string): string =>
  `<e:Fault><e:Code><e:Value>${code}</e:Value><e:Subcode><e:Value>tt:Any</e:Value></e:Subcode></e:Code><e:Reason>${text}</e:Reason></e:Fault>`

const cases: readonly (readonly [what: string, xml: string, error: RegExp | undefined])[] = [
  ['a request', message('<tds:GetServices><tds:IncludeCapability>true</tds:IncludeCapability></tds:GetServices>'), undefined],
  ['a request without its parameter', message('<tds:GetServices/>'), /IncludeCapability/],
  ['an element in the wrong namespace', message('<tds:GetUsersResponse><tt:User/></tds:GetUsersResponse>'), /User/],
  ['a capability inside a wildcard', message(service('<tds:Capabilities><tds:Network/></tds:Capabilities>')), /Security/],
  ['an unknown element inside a wildcard', message(service('<other/>')), undefined],
  ['an undeclared body', message('<tds:Nothing/>'), /declaration/],
  ['an empty body', message(''), /0 children/],
  ['two bodies', message('<tds:GetUsers/><tds:GetUsers/>'), /2 children/],
  ['a fault', message(fault('e:Sender', '<e:Text xml:lang="en">why</e:Text>')), undefined],
  ['a fault with a code of SOAP 1.1', message(fault('e:Client', '<e:Text xml:lang="en">why</e:Text>')), /Client/],
  ['a fault without language', message(fault('e:Sender', '<e:Text>why</e:Text>')), /lang/],
  ['another root', '<tds:GetUsers xmlns:tds="http://www.onvif.org/ver10/device/wsdl"/>', /not a SOAP 1.2 Envelope/],
  ['broken XML', '<x', /not well-formed/],
]

for (const [what, xml, error] of cases) {
  test(`${what} is ${error ? 'refused' : 'valid'} by wsdl/, and by the official files where they are`, () => {
    for (const errors of [validateMessage(xml), validateMessageOfficially(xml)]) {
      if (errors === undefined) assert.ok(!existsSync(officialFolder))
      else if (error) assert.match(errors.join('\n'), error)
      else assert.deepEqual(errors, [])
    }
  })
}
