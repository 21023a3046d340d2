import { priorities, type Priority } from '../../model/alarm.ts';
import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { AlarmId, BedId, PersonId } from '../../model/ids.ts';
import type { Shift } from '../../model/people.ts';
import type { TechnicalRequest } from '../alarm/technical.ts';
import { testCondition } from './router.ts';

/** Test mode of a bed lasts no longer (CLINICAL 1). */
export const longestTestMinutes = 30;

export interface TestModeHouse {
  readonly clock: Clock;
  readonly bed: (id: BedId) => Bed | undefined;
  readonly shift: (id: string) => Shift | undefined;
  readonly technical: {
    raise(condition: string, request: TechnicalRequest): AlarmId;
    end(condition: string, about?: string): void;
    presentOf(condition: string): readonly string[];
  };
  readonly record: (act: { by: PersonId; act: string; on: string; outcome: string; after?: unknown }) => void;
}

/** A named bed rings at a named handheld, marked TEST, for half an hour at most; it is passed on to nobody. */
export class TestMode {
  private readonly house: TestModeHouse;
  private readonly running = new Map<BedId, Cancel>();

  constructor(house: TestModeHouse) {
    this.house = house;
    // What ran when this process ended is over.
    for (const bed of house.technical.presentOf(testCondition)) house.technical.end(testCondition, bed);
  }

  begin(
    by: { readonly id: PersonId },
    wanted: {
      readonly bed: BedId;
      readonly shift: string;
      readonly priority: Priority;
      readonly minutes: number;
    },
  ): AlarmId | 'absent' | 'ended' | 'too-long' | 'already-testing' {
    const { bed: id, shift: shiftId, priority, minutes } = wanted;
    const bed = this.house.bed(id);
    const shift = this.house.shift(shiftId);
    if (!bed || !shift || !priorities.includes(priority)) return 'absent';
    if (shift.endedAtMs !== undefined) return 'ended';
    if (minutes > longestTestMinutes) return 'too-long';
    if (this.running.has(id)) return 'already-testing';
    const alarm = this.house.technical.raise(testCondition, {
      about: id,
      owner: 'nurse',
      priority,
      bed: id,
      ward: bed.ward,
      details: { test: 'TEST', recipient: shiftId, handheld: shift.handheld },
    });
    this.running.set(
      id,
      this.house.clock.after(minutes * 60_000, () => this.end({ id: 'vigil' }, id)),
    );
    this.house.record({
      by: by.id,
      act: 'begin-test',
      on: id,
      outcome: 'done',
      after: { shift: shiftId, minutes },
    });
    return alarm;
  }

  end(by: { readonly id: string }, bed: BedId): 'done' | 'absent' {
    const cancel = this.running.get(bed);
    if (!cancel) return 'absent';
    cancel();
    this.running.delete(bed);
    this.house.technical.end(testCondition, bed);
    this.house.record({ by: by.id, act: 'end-test', on: bed, outcome: 'done' });
    return 'done';
  }

  close(): void {
    for (const cancel of this.running.values()) cancel();
    this.running.clear();
  }
}
