import type { Kind } from './fields.ts';

/** All that may ever be sent: two questions, and the clearing of the device's own receive buffer. */
export const requests = { reset: 'RSET', SNDA: 'SNDA', SNDF: 'SNDF' } as const;
export type Request = (typeof requests)[keyof typeof requests];

/** A request as bytes; undefined for a word that may not be sent. */
export const encodeRequest = (word: string): Buffer | undefined =>
  Object.values(requests).includes(word as Request) ? Buffer.from(`${word}\r`, 'latin1') : undefined;

export interface Frame {
  readonly kind: Kind;
  /** Text of a field by the manual's number (5 is the first), without its padding. */
  field(number: number): string;
  readonly fields: number;
}

export interface Lines {
  /** What stood before each line end, and how many bytes were thrown away because they can be no answer. */
  push(chunk: Buffer): { readonly lines: readonly string[]; readonly discarded: number };
  rest(): string;
}

/** An answer to SNDF is about 1250 bytes; what grows past this is none. */
const longestLine = 4_096;

/** Cuts a byte stream in pieces of any size at the CR that ends each answer, or the line end of the wave port. */
export function createLines(): Lines {
  let open = '';
  return {
    push: (chunk) => {
      const parts = (open + chunk.toString('latin1')).split(/[\r\n]/);
      open = parts.pop() ?? '';
      let discarded = 0;
      if (open.length > longestLine) {
        discarded = open.length;
        open = '';
      }
      return { lines: parts.filter((line) => line.trim() !== ''), discarded };
    },
    rest: () => open,
  };
}

const header = /MISC([AF]), *(\d{3,4}) *, *(\d{2,3}) *,\x02/g;
const firstField = 5;
/** Field 100 of MISCA is 9 wide with some software and 6 with others, which still say 706. */
const wideField = 100;

/** The answer, or in words why it is none. There is no checksum: both counts and the form are the check. */
export function readFrame(line: string): Frame | string {
  const found = [...line.matchAll(header)].at(-1);
  if (!found) return 'no MISCA or MISCF with its counts';
  const kind = found[1] === 'A' ? 'A' : 'F';
  const body = line.slice(found.index + found[0].length);
  const end = body.indexOf('\x03');
  if (end < 0) return 'no ETX';
  if (end !== body.length - 1) return 'bytes after ETX';
  const data = body.slice(0, end);
  if (!/^[ -~]*$/.test(data)) return 'bytes that are no text';
  if (!data.endsWith(',')) return 'the last field has no comma';
  const fields = data.slice(0, -1).split(',');
  const bytes = Number(found[2]);
  const narrow = kind === 'A' && fields[wideField - firstField]?.length === 6 && data.length === bytes - 3;
  if (data.length !== bytes && !narrow) return `${data.length} bytes instead of ${bytes}`;
  if (fields.length !== Number(found[3])) return `${fields.length} fields instead of ${found[3]}`;
  if (fields.some((field) => /^ +[^ ]/.test(field))) return 'a field that is not padded on its right';
  return { kind, field: (number) => (fields[number - firstField] ?? '').trimEnd(), fields: fields.length };
}
