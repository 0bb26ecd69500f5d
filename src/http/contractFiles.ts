import { readdir, readFile } from 'node:fs/promises'

/** The folder of the package, seen from src/http/ and from dist/http/. */
const folder = new URL('../../wsdl/', import.meta.url)

/** What the files give as the address of the service; a served file names the address that its reader used. */
export const placeholder = 'http://localhost/'

/** The WSDL and XSD files by name, read once: nothing that a client sends ever becomes a file name. */
export async function readContractFiles(): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).filter(name => /\.(wsdl|xsd)$/.test(name))
  return new Map(await Promise.all(names.map(async name => [name, await readFile(new URL(name, folder), 'utf8')] as const)))
}
