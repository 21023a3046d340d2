import { news2, type Acvpu, type News2Score } from '../scores/news2.ts';
import { inSpan, type Column, type RecordedRow } from './recorded.ts';

export interface News2Replay {
  readonly acvpu?: Acvpu;
  /** As charted; FiO2 above 0.21 in the file means oxygen whatever was charted. */
  readonly oxygen?: boolean;
  readonly scale: 1 | 2;
  /** A value older than this is missing. */
  readonly staleS: number;
}

/** One score a row: each part is the newest present value no older than `staleS`, as it stands. */
export function replayNews2(
  rows: readonly RecordedRow[],
  options: News2Replay,
): ({ readonly time: number } & News2Score)[] {
  const newest = new Map<Column, { readonly atMs: number; readonly value: number }>();
  return rows.map(({ time, atMs, values }) => {
    for (const [name, value] of Object.entries(values) as [Column, number][])
      if (name === 'fio2' || inSpan(name, value)) newest.set(name, { atMs, value });
    // The preferred source first, as CLINICAL 2 orders them.
    const fresh = (...sources: Column[]): number | undefined => {
      for (const source of sources) {
        const held = newest.get(source);
        if (held && atMs - held.atMs <= options.staleS * 1_000) return held.value;
      }
      return undefined;
    };
    const fio2 = fresh('fio2');
    const score = news2(
      {
        rr: fresh('rr'),
        spo2: fresh('spo2'),
        oxygen:
          fio2 !== undefined && fio2 > 0.21
            ? true
            : (options.oxygen ?? (fio2 === undefined ? undefined : false)),
        sys: fresh('abp_sys', 'nbp_sys'),
        pulse: fresh('hr', 'pr'),
        acvpu: options.acvpu,
        temp: fresh('temp'),
      },
      options.scale,
    );
    return { time, ...score };
  });
}
