import { expect } from 'vitest';
import type { TimeSeriesServer } from '../../bench/time-series-servers.ts';
import { numberRow } from '../gateway/store/bodies.ts';
import type { ServerRoom } from '../gateway/store/servers/room.ts';

export const metric = 'MDC_ECG_HEART_RATE';
/** What a sequence number must have become. */
export const valueOf = (seq: number): number => (seq * 7919) % 1_000;

/** Keeps `count` messages of each device, `perBatch` at a time; resolves when all are confirmed. */
export async function confirm(
  room: ServerRoom,
  {
    devices,
    fromSeq,
    count,
    perBatch,
    atMs,
  }: { devices: readonly string[]; fromSeq: number; count: number; perBatch: number; atMs: number },
): Promise<void> {
  const waiting = new Set<Promise<void>>();
  for (let seq = fromSeq; seq < fromSeq + count; seq += perBatch) {
    const messages = devices.flatMap((device) =>
      Array.from({ length: Math.min(perBatch, fromSeq + count - seq) }, (_, at) => [
        numberRow(device, metric, atMs + (seq + at) * 1_000, valueOf(seq + at), seq + at),
      ]),
    );
    const kept = room.keep(messages).finally(() => waiting.delete(kept));
    waiting.add(kept);
    if (waiting.size >= 16) await Promise.race(waiting);
  }
  await Promise.all(waiting);
}

/** Asks the server itself, apart from Vigil's reader. */
export async function query(server: TimeSeriesServer, statement: string): Promise<unknown[][]> {
  const answer = await fetch(`${server.url}/query?db=vigil&epoch=ns&q=${encodeURIComponent(statement)}`, {
    method: 'POST',
  });
  const { results } = (await answer.json()) as {
    results: { error?: string; series?: { values: unknown[][] }[] }[];
  };
  if (results[0]?.error !== undefined) throw new Error(results[0].error);
  return results[0]?.series?.[0]?.values ?? [];
}

/** Confirmed = stored: each sequence number once, with its own value, and nothing else. */
export async function expectStored(
  server: TimeSeriesServer,
  devices: readonly string[],
  count: number,
): Promise<void> {
  const most = 100_000;
  for (const device of devices) {
    const seen = new Uint8Array(count);
    let wrong = 0;
    for (let from = 0; from < count; from += most) {
      const rows = await query(
        server,
        `SELECT "seq", "value" FROM "vigil" WHERE "device" = '${device}' LIMIT ${most} OFFSET ${from}`,
      );
      for (const [, seq, value] of rows) {
        if (typeof seq !== 'number' || value !== valueOf(seq) || seen[seq] !== 0) wrong++;
        else seen[seq] = 1;
      }
    }
    expect([device, seen.indexOf(0), wrong]).toEqual([device, -1, 0]);
    expect(
      await query(server, `SELECT count("seq") FROM "vigil" WHERE "device" = '${device}'`),
    ).toMatchObject([[0, count]]);
  }
}
