import { describe, expect, test } from 'vitest';
import {
  answerable,
  move,
  notPassing,
  redirection,
  redirectionEvents,
  redirections,
  ringing,
  type Passing,
  type Standing,
} from '../../../gateway/delivery/redirection.ts';

/** Three levels: anna, bela, cleo; dan is on shift too. */
const standing = (alive: readonly string[], more: Partial<Standing> = {}): Standing => ({
  reach: {
    levels: ['anna', 'bela', 'cleo'].map((person) => ({ persons: [person], board: false, outlets: [] })),
    everybody: ['anna', 'bela', 'cleo', 'dan'],
  },
  alive: (person) => alive.includes(person),
  boardAlive: false,
  patienceMs: 60_000,
  nowMs: 1_000,
  ...more,
});
const all = ['anna', 'bela', 'cleo', 'dan'];
const at = (level: number, more: Partial<Passing> = {}): Passing => ({
  ...notPassing,
  state: 'passing',
  level,
  ...more,
});

describe('the redirection table', () => {
  const listed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    resting: {
      rang: 'passing',
      rose: 'passing',
      passOn: 'passing',
      exhausted: 'everybody',
      handed: 'passing',
    },
    passing: {
      rose: 'passing',
      quieted: 'resting',
      gone: 'resting',
      passOn: 'passing',
      exhausted: 'everybody',
      handed: 'passing',
    },
    everybody: {
      quieted: 'resting',
      gone: 'resting',
      passOn: 'passing',
      exhausted: 'passing',
      handed: 'passing',
    },
  };
  const pairs = redirections.flatMap((state) => redirectionEvents.map((event) => ({ state, event })));
  test.each(pairs)('$state, $event', ({ state, event }) => {
    expect(redirection[state][event]?.[0]).toBe(listed[state]?.[event]);
  });

  test.each(pairs)(
    '$state, $event: what rings goes on ringing unless people rest it or it is gone',
    ({ state, event }) => {
      const before: Passing = { ...at(1), state };
      const after = move(before, event, standing(all), 'dan');
      const rings = ringing(after, true, standing(all)).persons.length > 0;
      const rested = event === 'quieted' || event === 'gone' || (state === 'resting' && after === before);
      expect(rings).toBe(!rested);
    },
  );
});

describe('a move', () => {
  test('starts at the first level and gives it the patience of the priority', () => {
    expect(move(notPassing, 'rang', standing(all))).toMatchObject({
      state: 'passing',
      level: 1,
      dueMs: 61_000,
    });
  });

  test('goes past every level on which nobody can ring', () => {
    expect(move(notPassing, 'rang', standing(['cleo']))).toMatchObject({ state: 'passing', level: 3 });
    expect(move(notPassing, 'rang', standing(['dan']))).toMatchObject({ state: 'everybody', level: 4 });
    expect(move(notPassing, 'rang', standing([]))).toMatchObject({ state: 'everybody' });
  });

  test('waits on a level for its board', () => {
    const levels = [{ persons: [], board: true, outlets: [] }];
    const withBoard = standing([], { reach: { levels, everybody: all }, boardAlive: true });
    expect(move(notPassing, 'rang', withBoard)).toMatchObject({ state: 'passing', level: 1 });
  });

  test('after everybody the chain starts again, and everybody goes on hearing it', () => {
    const again = move({ ...at(4), state: 'everybody' }, 'passOn', standing(all));
    expect(again).toMatchObject({ state: 'passing', level: 1, round: 2 });
    expect(ringing(again, false, standing(all)).persons.toSorted()).toEqual(all);
  });

  test('a rise in priority begins the chain anew, whoever has rejected it', () => {
    const risen = move(at(2, { rejectedBy: ['anna'] }), 'rose', standing(all));
    expect(risen).toMatchObject({ level: 1, rejectedBy: [], round: 1 });
  });

  test('by hand it rings at the named one until her patience is over', () => {
    const handed = move(at(1, { rejectedBy: ['anna'] }), 'handed', standing(all), 'dan');
    expect(ringing(handed, false, standing(all)).persons).toEqual(['dan']);
    expect(answerable(handed, standing(['anna']))).toBe(false);
    expect(move(handed, 'passOn', standing(all))).toMatchObject({ level: 2, named: [] });
  });
});

describe('boards', () => {
  test.each([
    { name: 'high, first level', passing: at(1), high: true, alive: all, boards: false },
    { name: 'high, unanswered by the first level', passing: at(2), high: true, alive: all, boards: true },
    { name: 'medium, unanswered by the first level', passing: at(2), high: false, alive: all, boards: false },
    {
      name: 'low, no handheld of the bed can ring',
      passing: at(2),
      high: false,
      alive: ['bela'],
      boards: true,
    },
    {
      name: 'the whole ward',
      passing: { ...at(4), state: 'everybody' as const },
      high: false,
      alive: all,
      boards: true,
    },
  ])('$name: $boards', ({ passing, high, alive, boards }) => {
    expect(ringing(passing, high, standing(alive)).boards).toBe(boards);
  });
});
