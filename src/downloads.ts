import type { createBackup } from './device/backup/backup.ts'
import type { createSupportInformation } from './device/supportInformation.ts'
import type { Download } from './http/app.ts'
import { paths } from './operations/device/addresses.ts'
import type { Logs } from './platform/platform.ts'

/** What GetSystemUris names. The operation is for every user, the files are not: they are asked for on their own (Core 8.3.2). */
export function downloads(from: {
  readonly logs: Logs
  readonly supportInformation: ReturnType<typeof createSupportInformation>
  readonly backup: ReturnType<typeof createBackup>
}): ReadonlyMap<string, Download> {
  const access = 'READ_SYSTEM_SECRET'
  const log = (type: 'System' | 'Access', fileName: string) =>
    ({
      access,
      operation: 'GetSystemLog',
      contentType: 'text/plain; charset=utf-8',
      fileName,
      read: () => from.logs.read(type),
    }) as const
  return new Map<string, Download>([
    [paths.systemLog, log('System', 'system.log')],
    [paths.accessLog, log('Access', 'access.log')],
    [
      paths.supportInformation,
      {
        access,
        operation: 'GetSystemSupportInformation',
        contentType: 'application/x-tar',
        fileName: 'support.tar',
        read: async () => from.supportInformation.archive(),
      },
    ],
    [
      paths.backup,
      {
        access,
        operation: 'GetSystemBackup',
        contentType: 'application/octet-stream',
        fileName: 'onvifd.backup',
        read: from.backup.make,
        sent: from.backup.fetched,
      },
    ],
  ])
}
