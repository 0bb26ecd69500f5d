import type { Store } from './store.ts'

/** Who can log in, how, and what for: policies are kept with the users, or Soft would be the way around them. */
const admission = ['users', 'userRoles', 'accessPolicy', 'passwordComplexity', 'passwordHistory', 'hashingAlgorithms', 'jwt']
/** How the device is reached. HTTPS is nothing without its certificates, and those who log in by theirs would be locked out. */
const doors = ['hostname', 'interfaces', 'gateways', 'httpPorts', 'httpsPorts', 'protocolSwitches', 'addressFilter', 'keystore']

/**
 * Core 8.3.8. Hard takes back everything that clients ever set, users included: the next start makes the operator's first
 * Administrator again. Soft, which Core leaves to the maker, keeps who can log in and how the device is reached. Neither touches
 * the machine's own documents (identity, clock, what keeps tokens from being replayed), the firmware or the logs.
 */
export function factoryDefault(store: Store, type: 'Hard' | 'Soft'): void {
  store.clear(type === 'Hard' ? [] : [...admission, ...doors])
}
