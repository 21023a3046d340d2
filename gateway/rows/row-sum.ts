/** A sum over what a row holds, kept with it: pages of the database have none of their own. */
import { crc32 } from 'node:zlib';

export const sumOf = (parts: readonly string[]): number => parts.reduce((sum, part) => crc32(part, sum), 0);

/** Rows of before there were sums have none. */
export const isWhole = (sum: unknown, parts: readonly unknown[]): boolean =>
  sum === null || sum === sumOf(parts.map(String));
