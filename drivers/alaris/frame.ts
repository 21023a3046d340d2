/**
 * All that may ever be asked. The same protocol has words that start, stop and set an infusion; a question here is
 * a word alone, and setting needs a value after it, which nothing here can write.
 */
export const questions = [
  'INF',
  'INST_SERIALNO',
  'INF_VTBI',
  'INF_RATE_MAX_SYRINGE',
  'SYRINGE_STATUS',
  'COMMS_PROTOCOL',
  'COMMS_RESPONSE_MAX',
  'ALARM',
] as const;
export type Question = (typeof questions)[number];

/** CRC-16/CCITT-FALSE: polynomial 1021, start FFFF, as four upper-case hexadecimal digits. */
export function crc(text: string): string {
  let register = 0xffff;
  for (const byte of Buffer.from(text, 'latin1')) {
    register ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      register = register & 0x8000 ? ((register << 1) ^ 0x1021) & 0xffff : (register << 1) & 0xffff;
    }
  }
  return register.toString(16).toUpperCase().padStart(4, '0');
}

/** A question as bytes; undefined for a word that may not be sent. */
export const encodeQuestion = (word: string): Buffer | undefined =>
  questions.includes(word as Question) ? Buffer.from(`!${word}|${crc(word)}\r`, 'latin1') : undefined;

export interface Answer {
  readonly word: string;
  /** What stands after each `^`; none for the overheard question. */
  readonly values: readonly string[];
  readonly raw: Buffer;
}
export type Item =
  | ({ readonly kind: 'answer' } & Answer)
  | { readonly kind: 'bad'; readonly cause: string; readonly raw: Buffer };

export interface Framer {
  push(chunk: Uint8Array): { readonly items: readonly Item[]; readonly discarded: number };
  rest(): Buffer;
}

const bang = 0x21;
const cr = 0x0d;
const escape = 0x1b;
/** The longest answer, INF, is about 150 characters. */
const longest = 1_024;

/** Cuts a byte stream in pieces of any size at `!` and CR; ESC ends an answer early. */
export function createFramer(): Framer {
  let open: number[] | undefined;
  return {
    push: (chunk) => {
      const items: Item[] = [];
      let discarded = 0;
      const drop = (cause: string): void => {
        if (open) items.push({ kind: 'bad', cause, raw: Buffer.from(open) });
        open = undefined;
      };
      for (const byte of chunk) {
        if (byte === bang) {
          drop('cut off by the next answer');
          open = [byte];
        } else if (byte === escape) drop('ended early by the pump');
        else if (!open) discarded += byte === cr || byte === 0x0a ? 0 : 1;
        else if (byte === cr) {
          items.push(check(Buffer.from(open)));
          open = undefined;
        } else {
          open.push(byte);
          if (open.length > longest) drop('longer than any answer');
        }
      }
      return { items, discarded };
    },
    rest: () => Buffer.from(open ?? []),
  };
}

function check(raw: Buffer): Item {
  const found = /^!([^|]+)\|([0-9A-F]{4})$/.exec(raw.toString('latin1'));
  if (!found) return { kind: 'bad', cause: 'no text with its CRC', raw };
  const [, text = '', told] = found;
  const expected = crc(text);
  if (told !== expected) return { kind: 'bad', cause: `CRC ${expected} expected`, raw };
  const [word = '', ...values] = text.split('^');
  return { kind: 'answer', word, values, raw };
}
