import { fault } from '../onvif/faults.ts'

/** Base64 as it arrives (RFC 4648 4), with line breaks wherever they are. What is no base64 is refused, and not skipped. */
export class Base64Decoder {
  /** Up to three characters, which wait for the rest of their four. */
  #kept = ''
  #padded = false

  /** Throws the fault InvalidArgVal. */
  write(characters: Buffer): Buffer {
    const received = this.#kept + characters.toString('latin1')
    const text = blanks.test(received) ? received.replaceAll(blanks, '') : received
    if (text === '') return nothing
    if (this.#padded) throw notBase64()
    const wholeLength = text.length - (text.length % 4)
    this.#kept = text.slice(wholeLength)
    const whole = text.slice(0, wholeLength)
    const padding = whole.endsWith('==') ? 2 : whole.endsWith('=') ? 1 : 0
    this.#padded = padding > 0
    const bytes = Buffer.from(whole, 'base64')
    // Node skips what it does not know, and takes the other alphabet (RFC 4648 5) as well.
    if (bytes.length !== (wholeLength / 4) * 3 - padding || whole.includes('-') || whole.includes('_')) throw notBase64()
    return bytes
  }

  /** After the last character. Throws the fault InvalidArgVal. */
  finish(): void {
    if (this.#kept !== '') throw notBase64()
  }
}

const blanks = /[\t\n\r ]+/g
const nothing = Buffer.alloc(0)
const notBase64 = () => fault('InvalidArgVal', 'the attachment is not base64')
