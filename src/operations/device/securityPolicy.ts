import type { AuthFailureWarning } from '../../device/authFailureWarning.ts'
import type { HashingAlgorithms } from '../../device/hashingAlgorithms.ts'
import type { PasswordPolicy } from '../../device/passwordPolicy.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { IntRange } from '../../onvif/types.generated.ts'

export interface SecurityPolicySubjects {
  readonly passwordPolicy: PasswordPolicy
  readonly authFailureWarning: AuthFailureWarning
  readonly hashingAlgorithms: HashingAlgorithms
}

/** Core 8.5, 5.9.3.1. */
export function securityPolicy(subjects: SecurityPolicySubjects): Chapter<'securityPolicy'> {
  const { passwordPolicy, authFailureWarning, hashingAlgorithms } = subjects
  return {
    async GetPasswordComplexityOptions() {
      const { minLen, uppercase, number, specialChars } = passwordPolicy.ranges
      return {
        MinLenRange: range(minLen),
        UppercaseRange: range(uppercase),
        NumberRange: range(number),
        SpecialCharsRange: range(specialChars),
        BlockUsernameOccurrenceSupported: true,
        PolicyConfigurationLockSupported: true,
      }
    },

    async GetPasswordComplexityConfiguration() {
      const { minLen, uppercase, number, specialChars, blockUsernameOccurrence, locked } = passwordPolicy.complexity()
      return {
        MinLen: minLen,
        Uppercase: uppercase,
        Number: number,
        SpecialChars: specialChars,
        BlockUsernameOccurrence: blockUsernameOccurrence,
        PolicyConfigurationLocked: locked,
      }
    },

    async SetPasswordComplexityConfiguration(wanted) {
      passwordPolicy.setComplexity({
        minLen: wanted.MinLen,
        uppercase: wanted.Uppercase,
        number: wanted.Number,
        specialChars: wanted.SpecialChars,
        blockUsernameOccurrence: wanted.BlockUsernameOccurrence,
        locked: wanted.PolicyConfigurationLocked,
      })
      return {}
    },

    async GetPasswordHistoryConfiguration() {
      const { enabled, length } = passwordPolicy.history()
      return { Enabled: enabled, Length: length }
    },

    async SetPasswordHistoryConfiguration({ Enabled, Length }) {
      passwordPolicy.setHistory({ enabled: Enabled, length: Length })
      return {}
    },

    async GetAuthFailureWarningOptions() {
      const { monitorPeriodSeconds, maxAuthFailures } = authFailureWarning.ranges
      return { MonitorPeriodRange: range(monitorPeriodSeconds), AuthFailureRange: range(maxAuthFailures) }
    },

    async GetAuthFailureWarningConfiguration() {
      const { enabled, monitorPeriodSeconds, maxAuthFailures } = authFailureWarning.get()
      return { Enabled: enabled, MonitorPeriod: monitorPeriodSeconds, MaxAuthFailures: maxAuthFailures }
    },

    async SetAuthFailureWarningConfiguration({ Enabled, MonitorPeriod, MaxAuthFailures }) {
      authFailureWarning.set({ enabled: Enabled, monitorPeriodSeconds: MonitorPeriod, maxAuthFailures: MaxAuthFailures })
      return {}
    },

    async SetHashingAlgorithm({ Algorithm }) {
      // The list has blanks between its names, but the example in the contract has commas.
      hashingAlgorithms.set(Algorithm.flatMap(names => names.split(',')).filter(name => name !== ''))
      return {}
    },
  }
}

const range = ({ min, max }: { readonly min: number; readonly max: number }): IntRange => ({ Min: min, Max: max })
