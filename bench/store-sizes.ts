import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openJournal } from '../journal/journal.ts';
import { pauseMs } from './peer.ts';
import { BodyMaker, playDay, type DaySpec } from './store-day.ts';
import { bytesOf, fillHistorian, fillInflux } from './store-fill.ts';
import { startInfluxd } from './time-series-servers.ts';

const dayS = 86_400;
const hourMs = 3_600_000;
/** Messages for the journal's figure: enough that half a segment is no matter. */
const journalMessages = 60_000;
const segmentBytes = 1 << 20;
const wards = [
  [8, 6],
  [20, 8],
  [30, 12],
  [60, 12],
  [200, 12],
] as const;

/**
 * What a day takes in the historian, the journal and InfluxDB: bytes an observation, measured on recorded patients one
 * after the other, and from them a table of wards. Prints the table of docs/operating.md; the last line is one JSON object.
 */
export async function benchSizes(): Promise<void> {
  const toMs = Math.floor(Date.now() / hourMs) * hourMs;
  const spec: DaySpec = { devices: 2, fromMs: toMs - dayS * 1_000, seconds: dayS, recordings: 'in turn' };
  const historian = await inFolder((folder) => Promise.resolve(fillHistorian(join(folder, 'store'), spec)));
  const a = {
    historian: historian.bytes / historian.observations,
    journal: await inFolder((folder) => journalBytes(join(folder, 'journal'))),
    influxdb: await influxBytes(spec),
  };
  console.log('| beds × metrics at 1 Hz | observations a day | historian | journal | InfluxDB 1.6 |');
  console.log('|---|---|---|---|---|');
  for (const [beds, metrics] of wards) {
    const count = beds * metrics * dayS;
    const cells = [a.historian, a.journal, a.influxdb].map((each) => shown(each * count));
    console.log(`| ${beds} × ${metrics} | ${(count / 1e6).toFixed(1)} million | ${cells.join(' | ')} |`);
  }
  const round = (figure: number): number => Math.round(figure * 100) / 100;
  console.log(
    JSON.stringify({
      bytesPerObservation: {
        historian: round(a.historian),
        journal: round(a.journal),
        influxdb: round(a.influxdb),
      },
    }),
  );
}

const shown = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-sizes-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each message a batch of its own, as in a ward where they do not come within 5 ms of each other. */
async function journalBytes(folder: string): Promise<number> {
  const journal = await openJournal({
    folder,
    segmentBytes,
    maxBytes: 1 << 30,
    snapshot: () => undefined,
    lost: () => undefined,
    faulty: (fault) => console.error(fault.message),
  });
  const maker = new BodyMaker();
  let observations = 0;
  let waiting = 0;
  try {
    const seconds = journalMessages / 20;
    for (const message of playDay({ devices: 20, fromMs: 0, seconds, recordings: 'in turn' })) {
      maker.add(message);
      const { body, facts } = maker.seal();
      observations += facts.observations;
      waiting++;
      journal.append('numerics', body, facts, () => waiting--);
      while (waiting > 1_000) await pauseMs(1);
    }
    while (waiting > 0) await pauseMs(1);
    return (await journal.stat()).classes.numerics.bytes / observations;
  } finally {
    await journal.close();
  }
}

/** The data folder after its compaction; the settings only make it come at once. */
async function influxBytes(spec: DaySpec): Promise<number> {
  process.env['INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION'] = '2s';
  process.env['INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION'] = '5s';
  await using influx = await startInfluxd();
  const { observations } = await fillInflux(influx, spec);
  const config = readFileSync(`/proc/${influx.pid}/cmdline`, 'utf8').split('\0')[2] ?? '';
  const folder = dirname(config);
  let bytes = NaN;
  for (let same = 0; same < 10;) {
    await pauseMs(2_000);
    const now = bytesOf(join(folder, 'data')) + bytesOf(join(folder, 'wal'));
    same = now === bytes ? same + 1 : 0;
    bytes = now;
  }
  return bytes / observations;
}
