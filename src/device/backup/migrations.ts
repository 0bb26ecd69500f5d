/** What a backup holds: the value of every document by its name. */
export type Documents = Readonly<Record<string, unknown>>

/** The schema of the documents that this version writes. */
export const schemaVersion = 2

/** From the schema of the key to the next one. */
const steps: Readonly<Record<number, (documents: Documents) => Documents>> = {
  // The hostname was a text before it could come from DHCP.
  1({ hostname, ...others }) {
    return typeof hostname === 'string' ? { ...others, hostname: { name: hostname, fromDHCP: false } } : others
  },
}

/** Takes the documents of an older version to the present one. Throws where it is newer, or never was. */
export function migrate(documents: Documents, from: number): Documents {
  if (!Number.isInteger(from) || from < 1 || from > schemaVersion) throw new Error(`the schema ${from} is not known`)
  let migrated = documents
  for (let version = from; version < schemaVersion; version += 1) migrated = steps[version]?.(migrated) ?? migrated
  return migrated
}
