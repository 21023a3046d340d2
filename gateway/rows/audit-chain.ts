/** The chain of the audit: each record's hash covers all before it, so none can be changed or taken out unnoticed. */
import { createHash } from 'node:crypto';

export const chainStart = '0'.repeat(64);

/** SHA-256 of the previous hash, the number and the record as it is stored. */
export const chainHash = (previous: string, number: number, body: string): string =>
  createHash('sha256').update(`${previous}\n${number}\n${body}`).digest('hex');

/** JSON with sorted keys: the same record gives the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
