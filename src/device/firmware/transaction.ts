import { randomBytes } from 'node:crypto'

/** Digits without I, L, O and U, which people misread. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A ULID: 10 digits of the time in milliseconds, 16 of chance; sorts by time. */
export function newTransaction(now: Date): string {
  const chance = randomBytes(10).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const value = (BigInt(Math.max(0, now.getTime())) << 80n) | chance
  return Array.from({ length: 26 }, (_, index) => digits[Number((value >> BigInt(5 * (25 - index))) & 31n)]).join('')
}

/** When the transaction began, by the clock of that moment. */
export const startOf = (transaction: string): Date =>
  new Date(Number([...transaction.slice(0, 10)].reduce((sum, digit) => sum * 32n + BigInt(Math.max(0, digits.indexOf(digit))), 0n)))
