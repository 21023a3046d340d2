/**
 * A 64-bit digest of a message without `ageMs` and `historical`, over what was parsed, so that a re-send from the
 * backlog lane has the digest of its first sending. Two multiply–xor lanes; not meant against an adversary: the
 * sender can only harm its own device's record.
 */
const scratch = new Float64Array(1);
const words = new Uint32Array(scratch.buffer);

export class Digest {
  high = 0;
  low = 0;

  reset(): this {
    this.high = 0x9e3779b9;
    this.low = 0x85ebca6b;
    return this;
  }

  word(word: number): void {
    this.high = Math.imul(this.high ^ word, 0x01000193);
    this.high ^= this.high >>> 15;
    this.low = Math.imul(this.low ^ Math.imul(word, 0x27d4eb2f), 0x5bd1e995);
    this.low ^= this.low >>> 13;
  }

  number(value: number): void {
    scratch[0] = value;
    this.word(words[0] ?? 0);
    this.word(words[1] ?? 0);
  }

  text(text: string): void {
    this.word(hashText(text));
    this.word(text.length);
  }

  /** Any JSON value: for the parts a message rarely has. */
  json(value: unknown): void {
    if (value === undefined) this.word(1);
    else if (typeof value === 'number') this.number(value);
    else this.text(typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** Makes both words unsigned. */
  end(): void {
    this.high >>>= 0;
    this.low >>>= 0;
  }
}

/** FNV-1a over UTF-16 units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
