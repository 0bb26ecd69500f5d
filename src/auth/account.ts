import type { Caller } from '../onvif/handlers.ts'

/** A user who can log in. */
export interface Account extends Caller {
  readonly password: string
}

export interface Accounts {
  find(name: string): Account | undefined
}

/** What the check of one layer found. Only `wrong` is a guess: nothing else says a word about a password. */
export type Checked =
  | { readonly kind: 'right'; readonly account: Account }
  /** A right token that was used before. */
  | { readonly kind: 'repeated'; readonly account: Account }
  /** A right token of which nobody can tell whether it was used before. */
  | { readonly kind: 'doubtful'; readonly account: Account; readonly reason: string }
  | { readonly kind: 'wrong'; readonly name: string }
  /** `stale`: the same user may succeed with a new nonce. `reason` is for the log. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly stale: boolean }

export const unusable = (reason: string, stale = false): Checked => ({ kind: 'unusable', reason, stale })
