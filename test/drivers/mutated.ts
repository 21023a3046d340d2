import fc from 'fast-check';
import { expect } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { systemClock } from '../../model/clock.ts';

interface Change {
  readonly at: number;
  readonly byte: number;
  readonly how: 'replace' | 'insert' | 'remove' | 'cut';
}

function change(frame: Buffer, { at, byte, how }: Change): Buffer {
  const place = frame.length === 0 ? 0 : at % frame.length;
  const head = frame.subarray(0, place);
  if (how === 'cut') return head;
  const tail = frame.subarray(how === 'insert' ? place : place + 1);
  return Buffer.concat([head, how === 'remove' ? Buffer.alloc(0) : Buffer.from([byte]), tail]);
}

/** Frames changed in one to four places: decode() never throws and tells no metric it has not declared. */
export function expectMutationsHarmless(driver: Driver, frames: readonly Buffer[], runs = 2_000): void {
  const declared = new Set(driver.metrics);
  const clock = systemClock();
  const changes = fc.array(
    fc.record({
      at: fc.nat(5_000),
      byte: fc.nat(255),
      how: fc.constantFrom('replace' as const, 'insert' as const, 'remove' as const, 'cut' as const),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...frames), changes, (frame, list) => {
      const items = driver.decode?.(list.reduce(change, frame), { clock }) ?? [];
      for (const item of items) {
        if (item.kind !== 'observation') continue;
        expect(declared.has(item.metric), item.metric).toBe(true);
        if ('value' in item && item.value !== null) expect(Number.isFinite(item.value)).toBe(true);
      }
    }),
    { numRuns: runs },
  );
}

/** The cases' frames of a driver, as bytes. */
export const hexBytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
