import { limits } from '../../limits.ts'

/** RFC 952, RFC 1123 2.1: labels of letters, digits and inner hyphens, the last of them never of digits alone, as those of an address are. */
const name = /^(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?![0-9]+$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/

/** Whether a host or a domain can have this name. */
export const isHostName = (text: string): boolean => text.length <= limits.hostnameCharactersMax && name.test(text)
