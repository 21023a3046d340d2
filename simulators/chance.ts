import type { Chance } from '../model/ids.ts';

/**
 * A small seeded generator (mulberry32): the same seed gives the same mischief, offsets and boot ids. For simulators
 * only; nothing secret may come from it.
 */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const hex = (bits: number): string => {
    let text = '';
    while (text.length * 4 < bits) text += word().toString(16).padStart(8, '0');
    return text.slice(0, bits / 4);
  };
  return {
    hex,
    id: (prefix) => `${prefix}-${hex(64)}`,
    fraction: () => word() / 2 ** 32,
  };
}

/** A generator of its own for each bed or wire, so that what one draws does not change what another does. */
export function chanceFor(seed: number, name: string): Chance {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed}/${name}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  return seededChance(hash);
}
