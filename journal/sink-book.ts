import type { KnownSink } from './positions.ts';
import { bounded, count, minus, none, union } from './ranges.ts';
import type { JournalClass, Ranges } from './types.ts';

/** Ranges a sink may have before the shortest are forgotten and delivered again. */
const mostRanges = 4096;

/** The sinks that are known, joined or not, and what each has. */
export class SinkBook {
  private readonly sinks: Map<string, KnownSink>;
  /** Sinks that hold their position themselves and have not said it since the start. */
  private readonly awaited: Set<string>;

  constructor(sinks: readonly KnownSink[]) {
    this.sinks = new Map(sinks.map((sink) => [sink.id, sink]));
    this.awaited = new Set(sinks.filter((sink) => sink.own).map((sink) => sink.id));
  }

  get all(): readonly KnownSink[] {
    return [...this.sinks.values()];
  }

  of(klass: JournalClass): readonly KnownSink[] {
    return this.all.filter((sink) => sink.classes.includes(klass));
  }

  delivered(id: string, klass: JournalClass): Ranges {
    return this.sinks.get(id)?.delivered[klass] ?? none;
  }

  /** Delivered ranges that the sink does not say itself are those it had before. */
  joined(
    sink: Omit<KnownSink, 'delivered' | 'own'> & { readonly delivered: KnownSink['delivered'] | undefined },
  ): void {
    const delivered = sink.delivered ?? this.sinks.get(sink.id)?.delivered ?? {};
    this.sinks.set(sink.id, {
      id: sink.id,
      classes: sink.classes,
      own: sink.delivered !== undefined,
      delivered,
    });
    this.awaited.delete(sink.id);
  }

  /** False when it was not known. */
  forget(id: string): boolean {
    this.awaited.delete(id);
    return this.sinks.delete(id);
  }

  /** False when the sink is not known. */
  deliver(id: string, klass: JournalClass, ranges: Ranges): boolean {
    const sink = this.sinks.get(id);
    if (!sink) return false;
    const all = bounded(union(sink.delivered[klass] ?? none, ranges), mostRanges);
    this.sinks.set(id, { ...sink, delivered: { ...sink.delivered, [klass]: all } });
    return true;
  }

  /** Whether any sink may still want one of these. */
  need(klass: JournalClass, ranges: Ranges): boolean {
    return this.of(klass).some((sink) => this.awaited.has(sink.id) || this.lacks(sink, klass, ranges));
  }

  /** Sinks that have not got one of these. */
  lacking(klass: JournalClass, ranges: Ranges): string[] {
    return this.of(klass)
      .filter((sink) => this.lacks(sink, klass, ranges))
      .map(({ id }) => id);
  }

  private lacks(sink: KnownSink, klass: JournalClass, ranges: Ranges): boolean {
    return count(minus(ranges, sink.delivered[klass] ?? none)) > 0;
  }
}
