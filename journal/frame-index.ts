import type { KeptFrame } from './messages.ts';

const columns = 7;

/** Where the batches of one segment lie, as plain numbers: a calm ward's segment holds tens of thousands of them. */
export class FrameIndex {
  private numbers = new Float64Array(columns * 64);
  length = 0;

  /** Numbers grow; one that does not is left out. */
  push({ number, offset, length, facts }: KeptFrame): void {
    if (this.length > 0 && number <= this.numberAt(this.length - 1)) return;
    const at = this.length++ * columns;
    if (at >= this.numbers.length) {
      const larger = new Float64Array(this.numbers.length * 2);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    const { messages, observations, firstAtMs, lastAtMs } = facts;
    this.numbers.set([number, offset, length, messages, observations, firstAtMs, lastAtMs], at);
  }

  find(number: number): KeptFrame | undefined {
    let low = 0;
    let high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.numberAt(middle);
      if (found === number) return this.at(middle);
      if (found < number) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  all(): KeptFrame[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index));
  }

  private numberAt(index: number): number {
    return this.numbers[index * columns] ?? 0;
  }

  private at(index: number): KeptFrame {
    const from = index * columns;
    const [number = 0, offset = 0, length = 0, messages = 0, observations = 0, firstAtMs = 0, lastAtMs = 0] =
      this.numbers.subarray(from, from + columns);
    return { number, offset, length, facts: { messages, observations, firstAtMs, lastAtMs } };
  }
}
