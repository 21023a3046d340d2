import { noSample } from '../../model/observation.ts';

/** No piece is larger: what hands it on is never held up for longer. */
export const pieceBytes = 64 * 1024;
/** Names may take three bytes a character; figures take one. */
const pieceChars = 20_000;
const encoder = new TextEncoder();

/** JSON text put together piece by piece, as bytes that can be handed to another thread. */
export class JsonPieces {
  private readonly done: Uint8Array[] = [];
  private open: string[] = [];
  private chars = 0;

  text(text: string): void {
    for (let at = 0; at < text.length; at += pieceChars) {
      const part = text.length <= pieceChars ? text : text.slice(at, at + pieceChars);
      if (this.chars + part.length > pieceChars) this.close();
      this.open.push(part);
      this.chars += part.length;
    }
  }

  /** `"name":value` of each field that has a value, with a comma behind each. */
  fields(fields: Readonly<Record<string, string | number | boolean | undefined>>): void {
    for (const [name, value] of Object.entries(fields))
      if (value !== undefined) this.text(`${JSON.stringify(name)}:${JSON.stringify(value)},`);
  }

  /** An array of physical values; null where there is no sample. */
  values(samples: ArrayLike<number>, write: (sample: number) => string): void {
    this.text('[');
    for (let at = 0; at < samples.length; at++) {
      const text = write(samples[at] ?? noSample);
      this.text(at === 0 ? text : `,${text}`);
    }
    this.text(']');
  }

  /** int16 little-endian. */
  base64(samples: Int16Array): void {
    const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    this.text(`"${bytes.toString('base64')}"`);
  }

  pieces(): readonly Uint8Array[] {
    this.close();
    return this.done;
  }

  private close(): void {
    if (this.chars === 0) return;
    this.done.push(encoder.encode(this.open.join('')));
    this.open = [];
    this.chars = 0;
  }
}

/**
 * Writes samples as physical values, rounded to a tenth of the smallest step; each different one is worked out once.
 */
export function physicalText({ gain, offset }: { gain: number; offset: number }): (sample: number) => string {
  const decimals = Math.min(12, Math.max(0, Math.ceil(-Math.log10(Math.abs(gain))) + 1));
  const known = new Map<number, string>([[noSample, 'null']]);
  return (sample) => {
    let text = known.get(sample);
    if (text === undefined) {
      text = String(Number((sample * gain + offset).toFixed(decimals)));
      known.set(sample, text);
    }
    return text;
  };
}
