import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 as hex: enough for secrets of 256 random bits, which no dictionary holds (passwords go to Argon2id). */
export const digest = (secret: string): string => createHash('sha256').update(secret, 'utf8').digest('hex');

/** Compares two digests in a time that does not depend on where they differ. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}
