import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { licenceOf, productionPackages, readJson, readLockFile, root } from './lockFile.ts'

/**
 * The bill of materials of a production installation, as CycloneDX JSON by `npm sbom`. With `--omit=dev` that would leave out whatever
 * development needs as well (npm/cli#7909), so it gets a project without any development to describe.
 */
export async function writeSbom(): Promise<string> {
  const { devDependencies: _, ...manifest } = readJson(`${root}package.json`)
  const lock = readLockFile()
  const { devDependencies: __, ...project } = lock.project
  const packages = productionPackages(lock).map(locked => [locked.path, { ...locked.entry, license: licenceOf(locked) }])
  const folder = await mkdtemp(join(tmpdir(), 'onvifd-sbom-'))
  try {
    // npm calls the product by the name of its folder.
    const home = join(folder, basename(String(manifest.name)))
    await mkdir(home)
    await writeFile(join(home, 'package.json'), JSON.stringify(manifest))
    await writeFile(
      join(home, 'package-lock.json'),
      JSON.stringify({ lockfileVersion: 3, requires: true, packages: { '': project, ...Object.fromEntries(packages) } }),
    )
    const { stdout } = await promisify(execFile)('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'], {
      cwd: home,
      maxBuffer: 16 * 1024 * 1024,
    })
    return stdout
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) process.stdout.write(await writeSbom())
