import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Store } from './store.ts'

/** What a password has to be made of (Core 8.5.1 to 8.5.3). */
export interface PasswordComplexity {
  readonly minLen: number
  readonly uppercase: number
  readonly number: number
  readonly specialChars: number
  readonly blockUsernameOccurrence: boolean
  /** Nothing here can be changed any more, until a factory default of the hard kind. */
  readonly locked: boolean
}

/** Whether passwords may come again (Core 8.5.4, 8.5.5). */
export interface PasswordHistory {
  readonly enabled: boolean
  /** How many of a user's last passwords cannot come again, the present one counted. */
  readonly length: number
}

export type PasswordPolicy = ReturnType<typeof createPasswordPolicy>

/** Both ends belong to the range. */
const ranges = {
  minLen: { min: limits.passwordCharactersMin, max: limits.passwordMinLenMax },
  uppercase: { min: 0, max: limits.passwordKindMax },
  number: { min: 0, max: limits.passwordKindMax },
  specialChars: { min: 0, max: limits.passwordKindMax },
  historyLength: { min: 1, max: limits.passwordHistoryMax },
} as const

/** The kinds of characters that can be asked for, in any script. */
const kinds = [
  { rule: 'uppercase', characters: /\p{Lu}/gu, called: 'upper-case letters' },
  { rule: 'number', characters: /\p{Nd}/gu, called: 'digits' },
  { rule: 'specialChars', characters: /[\p{P}\p{S}]/gu, called: 'punctuation marks or symbols' },
] as const

const easiest: PasswordComplexity = {
  minLen: limits.passwordCharactersMin,
  uppercase: 0,
  number: 0,
  specialChars: 0,
  blockUsernameOccurrence: false,
  locked: false,
}

/** Rules for passwords that are set from now on; those that users have stay good. */
export function createPasswordPolicy({ store }: { readonly store: Store }) {
  const complexity = store.document<PasswordComplexity>('passwordComplexity', parseComplexity, () => easiest)
  const history = store.document<PasswordHistory>('passwordHistory', parseHistory, () => ({ enabled: false, length: 5 }))

  return {
    ranges,
    complexity: (): PasswordComplexity => complexity.get(),

    /** What is not given stays as it is (Core 5.5). Throws InvalidArgVal. */
    setComplexity(wanted: { readonly [K in keyof PasswordComplexity]?: PasswordComplexity[K] | undefined }): void {
      const present = complexity.get()
      if (present.locked)
        throw fault('InvalidArgVal', 'the complexity of passwords is locked: only a factory default of the type Hard releases it')
      const next = {
        minLen: wanted.minLen ?? present.minLen,
        uppercase: wanted.uppercase ?? present.uppercase,
        number: wanted.number ?? present.number,
        specialChars: wanted.specialChars ?? present.specialChars,
        blockUsernameOccurrence: wanted.blockUsernameOccurrence ?? present.blockUsernameOccurrence,
        locked: wanted.locked ?? present.locked,
      }
      for (const rule of ['minLen', 'uppercase', 'number', 'specialChars'] as const) assertWithin(rule, next[rule])
      complexity.set(next)
    },

    history: (): PasswordHistory => history.get(),

    /** Throws InvalidArgVal. */
    setHistory({ enabled, length }: PasswordHistory): void {
      assertWithin('historyLength', length)
      history.set({ enabled, length })
    },

    /** How many of a user's last passwords cannot come again, the present one counted. */
    remembered: (): number => (history.get().enabled ? history.get().length : 0),

    /** Why this password will not do for this user, or undefined where it will. */
    weaknessOf(name: string, password: string): string | undefined {
      const rules = complexity.get()
      if ([...password].length < rules.minLen) return `a password has at least ${rules.minLen} characters`
      for (const { rule, characters, called } of kinds)
        if ((password.match(characters)?.length ?? 0) < rules[rule]) return `a password has at least ${rules[rule]} ${called}`
      if (rules.blockUsernameOccurrence && folded(password).includes(folded(name))) return 'a password does not contain the user name'
      return undefined
    },
  }
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase()

function assertWithin(rule: keyof typeof ranges, value: number): void {
  const { min, max } = ranges[rule]
  if (!isWithin(rule, value)) throw fault('InvalidArgVal', `${rule} goes from ${min} to ${max}`)
}

const isWithin = (rule: keyof typeof ranges, value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= ranges[rule].min && value <= ranges[rule].max

function parseComplexity(stored: unknown): PasswordComplexity {
  const problem = new Error('no rules for passwords')
  if (typeof stored !== 'object' || stored === null) throw problem
  const {
    minLen,
    uppercase,
    number,
    specialChars,
    blockUsernameOccurrence,
    locked,
  }: { readonly [K in keyof PasswordComplexity]?: unknown } = stored
  if (!isWithin('minLen', minLen) || !isWithin('uppercase', uppercase)) throw problem
  if (!isWithin('number', number) || !isWithin('specialChars', specialChars)) throw problem
  if (typeof blockUsernameOccurrence !== 'boolean' || typeof locked !== 'boolean') throw problem
  return { minLen, uppercase, number, specialChars, blockUsernameOccurrence, locked }
}

function parseHistory(stored: unknown): PasswordHistory {
  if (typeof stored !== 'object' || stored === null) throw new Error('no settings of the password history')
  const { enabled, length }: { enabled?: unknown; length?: unknown } = stored
  if (typeof enabled !== 'boolean' || !isWithin('historyLength', length)) throw new Error('no settings of the password history')
  return { enabled, length }
}
