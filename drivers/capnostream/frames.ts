/** Begins every frame and stands nowhere else: inside a frame 80 is sent as 80 00, and 85 as 80 05. */
const start = 0x85;
const escape = 0x80;
/** Length of the longest frame: length, code, 254 bytes, check. */
const longest = 257;

export interface Frame {
  readonly code: number;
  readonly payload: Buffer;
}
export type Found = Frame | { readonly cause: string; readonly raw: Buffer; readonly checksum?: true };

/** Cuts a byte stream, in pieces of any size, into frames `85 length code payload check`. */
export function createFrames(): { push(chunk: Buffer): Found[]; rest(): Found[] } {
  /** Undefined: between frames. */
  let open: number[] | undefined;
  let escaped = false;
  let raw: number[] = [];

  const refuse = (cause: string, checksum?: true): Found[] => {
    const bytes = Buffer.from(raw);
    open = undefined;
    escaped = false;
    raw = [];
    return bytes.length === 0 ? [] : [{ cause, raw: bytes, ...(checksum && { checksum }) }];
  };
  const read = (byte: number): Found[] => {
    if (byte === start) {
      const before = refuse('no whole frame');
      open = [];
      raw = [byte];
      return before;
    }
    raw.push(byte);
    if (!open) return raw.length > longest ? refuse('no frame') : [];
    if (byte === escape && !escaped) {
      escaped = true;
      return [];
    }
    if (escaped && byte !== 0x00 && byte !== 0x05) return refuse('80 without its second byte');
    open.push(escaped ? escape + byte : byte);
    escaped = false;
    const [length = 0] = open;
    if (length === 0) return refuse('a length of 0');
    if (open.length < length + 2) return [];
    return finish(open);
  };
  const finish = (content: readonly number[]): Found[] => {
    // Escaping leaves the sum as it is: 80 xor 00 = 80, 80 xor 05 = 85.
    if (content.reduce((sum, byte) => sum ^ byte, 0) !== 0) return refuse('wrong checksum', true);
    open = undefined;
    raw = [];
    return [{ code: content[1] ?? 0, payload: Buffer.from(content.slice(2, -1)) }];
  };
  return { push: (chunk) => [...chunk].flatMap(read), rest: () => refuse('no whole frame') };
}

/** A frame as it is sent. */
export function frameOf(code: number, payload: readonly number[] = []): Buffer {
  const content = [payload.length + 1, code, ...payload];
  const check = content.reduce((sum, byte) => sum ^ byte, 0);
  const escapedBytes = [...content, check].flatMap((byte) =>
    byte === escape || byte === start ? [escape, byte - escape] : [byte],
  );
  return Buffer.from([start, ...escapedBytes]);
}
