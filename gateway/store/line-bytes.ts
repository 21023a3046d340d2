/** Text as bytes with no string a line: pieces made once, and numbers as their digits. */
const encoder = new TextEncoder();
const largestWhole = 1e15;
const lowWidth = 7;
const lowPart = 10 ** lowWidth;
const zero = 48;

export const piece = (text: string): Uint8Array => encoder.encode(text);

export class LineBytes {
  private bytes = new Uint8Array(1 << 18);
  private at = 0;
  private lastHigh = 0;
  private highDigits = piece('0');

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** As JSON writes a number that is none of NaN and the infinities. */
  number(value: number): void {
    if (value >= 0 && value < largestWhole && Number.isInteger(value)) this.whole(value);
    else this.put(encoder.encode(String(value)));
  }

  /** What was put since the last time, in a buffer of its own. */
  taken(): Uint8Array<ArrayBuffer> {
    const bytes = this.bytes.slice(0, this.at);
    this.at = 0;
    return bytes;
  }

  /** In two parts, each a whole of 32 bits: division of those is quick. Instants of one page share the first. */
  private whole(value: number): void {
    this.reserve(16);
    if (value < lowPart) return this.low(value | 0, widthOf(value));
    const high = Math.floor(value / lowPart);
    if (high !== this.lastHigh) {
      this.lastHigh = high;
      this.highDigits = piece(String(high));
    }
    const { highDigits } = this;
    for (let digit = 0; digit < highDigits.length; digit++) this.bytes[this.at++] = highDigits[digit] ?? zero;
    this.low((value - high * lowPart) | 0, lowWidth);
  }

  private low(value: number, width: number): void {
    const { bytes, at } = this;
    let rest = value;
    for (let place = at + width - 1; place >= at; place--) {
      const next = (rest / 10) | 0;
      bytes[place] = zero + rest - next * 10;
      rest = next;
    }
    this.at = at + width;
  }

  private reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }
}

function widthOf(value: number): number {
  let width = 1;
  for (let least = 10; value >= least; least *= 10) width++;
  return width;
}
