/** Lines that go to the server in one request, and what is refused of them found out line by line. */
import type { BodyFacts, JournalClass } from '../../../journal/types.ts';
import { verdictOf, type Verdict } from './answers.ts';
import type { Interruption } from './gate.ts';
import type { BatchPoints } from './points.ts';
import type { Reply } from './transport.ts';

/** A batch of the journal on its way. */
export interface Held {
  readonly klass: JournalClass;
  readonly number: number;
  readonly facts: BodyFacts;
  readonly points: BatchPoints;
  /** First observation not yet in a request. */
  next: number;
}

export interface Lines {
  readonly lines: readonly string[];
  /** By line: its batch, and its place in it. */
  readonly held: readonly Held[];
  readonly at: readonly number[];
  /** Observations passed by, of a kind the server does not hold. */
  readonly leftOut: number;
}

/** Takes at most `most` lines from the front of the queue; batches stay in it. */
export function takeLines(queue: readonly Held[], most: number): Lines {
  const lines: string[] = [];
  const held: Held[] = [];
  const at: number[] = [];
  let leftOut = 0;
  for (const batch of queue) {
    for (; batch.next < batch.points.observations && lines.length < most; batch.next++) {
      const line = batch.points.line(batch.next);
      if (line === undefined) {
        leftOut++;
        continue;
      }
      lines.push(line);
      held.push(batch);
      at.push(batch.next);
    }
    if (lines.length >= most) break;
  }
  return { lines, held, at, leftOut };
}

/** Observations of one series in one batch that the server will not take. */
export interface RefusedStretch {
  readonly klass: JournalClass;
  readonly number: number;
  readonly device: string;
  readonly metric: string;
  /** By receipt. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly observations: number;
  readonly cause: string;
}

export type Outcome =
  | { readonly kind: 'settled'; readonly refused: readonly RefusedStretch[] }
  | { readonly kind: 'interrupted'; readonly why: Interruption };

export interface Sending {
  readonly post: (lines: readonly string[]) => Promise<Reply>;
  readonly nowMs: () => number;
  /** A line of ours that any working server takes: tells a bad line from a server that refuses everything. */
  readonly control: () => string;
  /** A request was too large; this many lines may fit. */
  readonly tooLarge: (lines: number) => void;
}

/** So many lines and not one taken: then it is hardly the lines. */
const hardlyTheLines = 100;

/**
 * Sends all lines. Refused ones are found by the server's word or by halving; what is sent twice meanwhile overwrites
 * itself. Nothing is called refused unless the server took another line in the same round.
 */
export async function settle(request: Lines, sending: Sending): Promise<Outcome> {
  const round = new Round(request, sending);
  const why = (await round.send(request.lines.map((_, at) => at))) ?? (await round.doubt());
  return why ? { kind: 'interrupted', why } : { kind: 'settled', refused: round.stretches() };
}

class Round {
  private readonly request: Lines;
  private readonly sending: Sending;
  private readonly refused = new Map<number, string>();
  private onlyOld = true;

  constructor(request: Lines, sending: Sending) {
    this.request = request;
    this.sending = sending;
  }

  async send(part: readonly number[]): Promise<Interruption | undefined> {
    const lines = part.map((at) => this.request.lines[at] ?? '');
    const verdict = await this.ask(lines);
    switch (verdict.kind) {
      case 'stored':
        return undefined;
      case 'later':
      case 'pause':
        return verdict;
      case 'tooLarge':
        if (part.length > 1) this.sending.tooLarge(Math.ceil(part.length / 2));
        return this.halve(part, { cause: 'too large for the server', tooOld: false });
      case 'linesRefused': {
        if (verdict.named.length === 0) return this.halve(part, verdict);
        const named = new Set(verdict.named);
        for (const place of named) this.refuse(part[place] ?? 0, verdict);
        const rest = part.filter((_, place) => !named.has(place));
        return rest.length === 0 ? undefined : this.send(rest);
      }
      default:
        return verdict satisfies never;
    }
  }

  /** When nothing at all was taken: is it the lines, or the server? */
  async doubt(): Promise<Interruption | undefined> {
    const { lines } = this.request;
    if (this.refused.size === 0 || this.refused.size < lines.length) return undefined;
    const [cause = ''] = this.refused.values();
    const refusesAll: Interruption = { kind: 'pause', code: 'SINK_REFUSES', cause };
    if (lines.length >= hardlyTheLines && !this.onlyOld) return refusesAll;
    const verdict = await this.ask([this.sending.control()]);
    if (verdict.kind === 'stored') return undefined;
    return verdict.kind === 'later' || verdict.kind === 'pause' ? verdict : refusesAll;
  }

  stretches(): RefusedStretch[] {
    const found = new Map<string, RefusedStretch>();
    for (const [line, cause] of this.refused) {
      const held = this.request.held[line];
      if (!held) continue;
      const { device, metric, receivedAtMs } = held.points.origin(this.request.at[line] ?? 0);
      const key = JSON.stringify([held.klass, held.number, device, metric]);
      const known = found.get(key);
      found.set(key, {
        klass: held.klass,
        number: held.number,
        device,
        metric,
        fromMs: Math.min(known?.fromMs ?? Infinity, receivedAtMs),
        toMs: Math.max(known?.toMs ?? -Infinity, receivedAtMs),
        observations: (known?.observations ?? 0) + 1,
        cause: known?.cause ?? cause,
      });
    }
    return [...found.values()];
  }

  private async ask(lines: readonly string[]): Promise<Verdict> {
    return verdictOf(await this.sending.post(lines), lines, this.sending.nowMs());
  }

  private async halve(
    part: readonly number[],
    why: { readonly cause: string; readonly tooOld: boolean },
  ): Promise<Interruption | undefined> {
    const [only] = part;
    if (part.length === 1 && only !== undefined) {
      this.refuse(only, why);
      return undefined;
    }
    const middle = part.length >> 1;
    return (await this.send(part.slice(0, middle))) ?? (await this.send(part.slice(middle)));
  }

  private refuse(
    line: number,
    { cause, tooOld }: { readonly cause: string; readonly tooOld: boolean },
  ): void {
    this.refused.set(line, cause);
    if (!tooOld) this.onlyOld = false;
  }
}
