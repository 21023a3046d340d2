/** A line of ASCII 1 is about 160 characters; what grows past this is no line. */
const longestLine = 512;

export interface Frames {
  /** Whole lines found, and how many bytes were thrown away because they can be no line. */
  push(chunk: Buffer): { readonly lines: readonly string[]; readonly discarded: number };
  /** What stands there without a line end. */
  rest(): string;
}

/** Cuts a byte stream, in pieces of any size, into lines. CR, LF and CRLF all end one; empty lines are nothing. */
export function createFrames(): Frames {
  let open = '';
  return {
    push: (chunk) => {
      const parts = (open + chunk.toString('latin1')).split(/[\r\n]+/);
      open = parts.pop() ?? '';
      let discarded = 0;
      if (open.length > longestLine) {
        discarded = open.length;
        open = '';
      }
      return { lines: parts.filter((line) => line !== ''), discarded };
    },
    rest: () => open,
  };
}
