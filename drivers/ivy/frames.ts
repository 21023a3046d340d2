/** FF `ANSAR-B `, 400 bytes of waves, lines of text each ended by CR, FE. */
const head = Buffer.concat([Buffer.from([0xff]), Buffer.from('ANSAR-B ')]);
const end = 0xfe;
export const waveBytes = 400;
/** The nine lines of the capture have 153 characters; texts may be longer. */
const longestText = 600;

export interface Frame {
  readonly waves: Buffer;
  readonly text: string;
}
export interface Frames {
  push(chunk: Buffer): { readonly frames: readonly Frame[]; readonly discarded: number };
}

/**
 * Cuts a byte stream, in pieces of any size, into frames. Wave bytes may have any value, so the head alone begins a
 * frame and the end is looked for behind the waves; a head inside of a frame means that bytes were lost before it.
 */
export function createFrames(): Frames {
  let open: Buffer = Buffer.alloc(0);
  return {
    push: (chunk) => {
      const frames: Frame[] = [];
      let discarded = 0;
      const drop = (count: number): void => {
        discarded += count;
        open = open.subarray(count);
      };
      open = Buffer.concat([open, chunk]);
      for (;;) {
        const start = open.indexOf(head);
        // What may yet become a head stays.
        if (start < 0) {
          drop(Math.max(0, open.length - head.length + 1));
          break;
        }
        drop(start);
        const next = open.indexOf(head, 1);
        const textAt = head.length + waveBytes;
        const finish = open.indexOf(end, textAt);
        if (next > 0 && (finish < 0 || next < finish)) {
          drop(next);
          continue;
        }
        if (finish < 0 && open.length <= textAt + longestText) break;
        if (finish < 0 || finish > textAt + longestText) {
          drop(1);
          continue;
        }
        frames.push({
          waves: Buffer.from(open.subarray(head.length, textAt)),
          text: open.toString('latin1', textAt, finish),
        });
        open = open.subarray(finish + 1);
      }
      return { frames, discarded };
    },
  };
}

/** The text part alone, as it stands in a capture that was cut: from behind the last wave byte to FE. */
export function bareText(bytes: Buffer): string | undefined {
  const finish = bytes.at(-1) === end ? bytes.length - 1 : bytes.length;
  const text = bytes.toString('latin1', 0, finish);
  return /(?:^|[^ -~\r])((?:[A-Z][A-Z0-9]*=[ -~]*\r)+)$/.exec(text)?.[1];
}
