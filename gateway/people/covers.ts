import type { PersonId, WardId } from '../../model/ids.ts';
import { longestCoverMinutes, type Cover } from '../../model/people.ts';
import type { PeopleDesk, PeopleRows } from './desk.ts';

/** Nobody answered: the question is gone after this. */
const unansweredMs = 15 * 60_000;
const endedBound = 500;

/** *Cover my beds*: named by one person, accepted by the other, at most an hour; then the alarms are the first one's again. */
export class Covers {
  private readonly desk: PeopleDesk;
  private readonly standing = new Map<string, Cover>();
  private readonly ended = new Map<string, Cover>();

  constructor(desk: PeopleDesk) {
    this.desk = desk;
  }

  async load(rows: PeopleRows): Promise<void> {
    for (const cover of await rows.load('covers')) this.hold(cover);
    this.sweep();
  }

  list(filter: { ward?: WardId; open?: boolean } = {}): readonly Cover[] {
    const pool = filter.open === true ? [] : [...this.ended.values()];
    return [...pool, ...this.standing.values()].filter(
      (cover) => filter.ward === undefined || cover.ward === filter.ward,
    );
  }

  cover(id: string): Cover | undefined {
    return this.standing.get(id) ?? this.ended.get(id);
  }

  /** Who hears this person's alarms now, and until when. */
  coveredBy(person: PersonId): Cover | undefined {
    const nowMs = this.desk.clock.nowMs();
    for (const cover of this.standing.values()) {
      if (cover.from === person && cover.untilMs !== undefined && cover.untilMs > nowMs) return cover;
    }
    return undefined;
  }

  ask(
    by: { readonly id: PersonId },
    wanted: { readonly ward: WardId; readonly to: PersonId; readonly minutes: number },
  ): Cover | 'oneself' | 'too-long' | 'already-asked' {
    if (wanted.to === by.id) return 'oneself';
    if (wanted.minutes > longestCoverMinutes) return 'too-long';
    if ([...this.standing.values()].some((cover) => cover.from === by.id)) return 'already-asked';
    const cover: Cover = {
      id: this.desk.chance.id('cover'),
      ...wanted,
      from: by.id,
      askedAtMs: this.desk.clock.nowMs(),
    };
    this.change(cover, by.id, 'ask-cover');
    return cover;
  }

  /** Only by the one who was named; the time runs from here. */
  accept(by: { readonly id: PersonId }, id: string): Cover | 'absent' | 'ended' | 'not-named' {
    const cover = this.cover(id);
    if (!cover) return 'absent';
    if (cover.endedAtMs !== undefined) return 'ended';
    if (cover.to !== by.id) return 'not-named';
    if (cover.acceptedAtMs !== undefined) return cover;
    const nowMs = this.desk.clock.nowMs();
    const accepted = { ...cover, acceptedAtMs: nowMs, untilMs: nowMs + cover.minutes * 60_000 };
    this.change(accepted, by.id, 'accept-cover');
    return accepted;
  }

  /** Either of the two ends it, or says no. */
  end(by: { readonly id: PersonId }, id: string): Cover | 'absent' | 'ended' | 'not-named' {
    const cover = this.cover(id);
    if (!cover) return 'absent';
    if (cover.endedAtMs !== undefined) return 'ended';
    if (cover.to !== by.id && cover.from !== by.id) return 'not-named';
    return this.finish(cover, by.id);
  }

  /** Ends what its time is over for. */
  sweep(): void {
    const nowMs = this.desk.clock.nowMs();
    for (const cover of this.standing.values()) {
      const overAtMs = cover.untilMs ?? cover.askedAtMs + unansweredMs;
      if (overAtMs <= nowMs) this.finish(cover, 'vigil');
    }
  }

  private finish(cover: Cover, by: string): Cover {
    const over = { ...cover, endedAtMs: this.desk.clock.nowMs() };
    this.change(over, by, 'end-cover');
    return over;
  }

  private change(cover: Cover, by: string, act: string): void {
    this.hold(cover);
    this.desk.keeper.keep('covers', cover);
    const { id, ward } = cover;
    this.desk.record({ by, act, on: id, outcome: 'done', ward, after: cover });
    this.desk.changed({ kind: 'cover', ward, person: cover.from });
  }

  private hold(cover: Cover): void {
    if (cover.endedAtMs === undefined) {
      this.standing.set(cover.id, cover);
      return;
    }
    this.standing.delete(cover.id);
    this.ended.set(cover.id, cover);
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= endedBound) break;
      this.ended.delete(oldest);
    }
  }
}
