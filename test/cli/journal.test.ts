import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  batchName,
  deviceName,
  kinds,
  ObservationBatchBuilder,
  packFlags,
  packReason,
} from '../../journal/observation-batch.ts';
import { packRecords } from '../../journal/record-batch.ts';
import type { Journal, JournalClass } from '../../journal/types.ts';
import { bodyOf, factsOf, folderRoom, openRoom, sinkRoom } from '../journal/room.ts';

const program = fileURLToPath(new URL('../../cli/journal.ts', import.meta.url));

const journal = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });

const put = (to: Journal, klass: JournalClass, body: Uint8Array): Promise<void> =>
  new Promise((resolve) => to.append(klass, body, factsOf(2, 1_763_740_800_000), () => resolve()));

function observations(): Uint8Array {
  const builder = new ObservationBatchBuilder();
  const device = deviceName('monitor-1', 'b7f3');
  builder.message(device, 7, 1_000, 1, 2);
  builder.observation(
    batchName('MDC_ECG_HEART_RATE'),
    990,
    72,
    packFlags('valid', kinds.number, false, false),
    0,
  );
  const mode = packFlags('questionable', kinds.text, true, false);
  builder.observation(batchName('vent-mode'), 991, 0, mode, packReason('demo'));
  builder.text('SIMV+PS');
  builder.message(device, 8, 1_001, 3, 4);
  builder.observation(
    batchName('MDC_TEMP/2'),
    992,
    0,
    packFlags('valid', kinds.none, false, true),
    packReason('sensor-off'),
  );
  return builder.seal({ received: 3, kept: 3, ledgered: 0, quarantined: 0, duplicate: 0 });
}

async function write(folder: string): Promise<void> {
  await using open = await openRoom(folder, {
    snapshot: (klass) => (klass === 'raw' ? bodyOf('s') : undefined),
  });
  sinkRoom(open.journal, { id: 'store' }, 'nothing');
  await put(open.journal, 'numerics', observations());
  await put(open.journal, 'raw', packRecords([{ head: { topic: 't' }, payload: Buffer.from('raw bytes') }]));
  await put(open.journal, 'raw', bodyOf('neither', 20));
}

test('stat, verify and dump show a whole journal', async () => {
  using room = folderRoom();
  await write(room.folder);
  const table = await journal('stat', '--folder', room.folder);
  expect(table.out).toMatch(/^numerics +1 +0\.\d +1 +1 +12 +2025-11-21T16:00:00.000Z/m);
  expect(table.out).toContain('sink store: 1 batches wait, 12 observations, the oldest received 2025-11-21');
  const stat = await journal('stat', '--folder', room.folder, '--json');
  expect(stat).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(stat.out)).toMatchObject({
    clean: true,
    classes: { numerics: { segments: 1, nextNumber: 1, messages: 2 }, raw: { present: [[0, 2]] } },
    sinks: { store: 1 },
    losses: [],
    faults: [],
  });
  expect(await journal('verify', '--folder', room.folder)).toEqual({
    code: 0,
    out: '3 batches whole, 0 ranges lost, 0 faults\n',
    err: '',
  });
  const dump = await journal('dump', '--folder', room.folder);
  expect(dump.code).toBe(0);
  const lines = dump.out.trim().split('\n').map((line) => JSON.parse(line) as unknown); // prettier-ignore
  const of = { klass: 'numerics', batch: 0, device: 'monitor-1', boot: 'b7f3' };
  expect(lines).toEqual([
    {
      ...of,
      seq: 7,
      receivedAtMs: 1_000,
      values: [
        { key: 'MDC_ECG_HEART_RATE', takenAtMs: 990, value: 72, validity: 'valid' },
        {
          key: 'vent-mode',
          takenAtMs: 991,
          text: 'SIMV+PS',
          validity: 'questionable',
          reason: 'demo',
          historical: true,
        },
      ],
    },
    {
      ...of,
      seq: 8,
      receivedAtMs: 1_001,
      values: [
        {
          key: 'MDC_TEMP/2',
          takenAtMs: 992,
          value: null,
          validity: 'valid',
          reason: 'sensor-off',
          unplaced: true,
        },
      ],
    },
    expect.objectContaining({ klass: 'raw', snapshot: true }),
    { klass: 'raw', batch: 0, topic: 't', payload: Buffer.from('raw bytes').toString('base64') },
    { klass: 'raw', batch: 1, bytes: 20 },
  ]);
  const only = await journal('dump', '--folder', room.folder, '--class', 'numerics');
  expect(only.out.trim().split('\n')).toHaveLength(2);
});

test('dump gives what is asked for by class, device, time and batch, and nothing else', async () => {
  using room = folderRoom();
  await write(room.folder);
  const dump = async (...args: string[]): Promise<string[]> => {
    const { out } = await journal('dump', '--folder', room.folder, ...args);
    return out
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const { klass, batch, seq } = JSON.parse(line) as { klass: string; batch?: number; seq?: number };
        return [klass, batch, seq].join(' ').trim();
      });
  };
  expect(await dump('--class', 'numerics')).toEqual(['numerics 0 7', 'numerics 0 8']);
  expect(await dump('--device', 'monitor-1')).toEqual(['numerics 0 7', 'numerics 0 8']);
  expect(await dump('--device', 'monitor-2')).toEqual([]);
  expect(await dump('--class', 'raw', '--batches', '1-1')).toEqual(['raw 1']);
  expect(await dump('--class', 'numerics', '--from', '2025-11-21T16:00:00Z')).toEqual([]);
  expect(await dump('--class', 'numerics', '--to', '1970-01-01T00:00:01Z')).toEqual([]);
});

test('verify names each damaged range and fails', async () => {
  using room = folderRoom();
  await write(room.folder);
  const file = readdirSync(room.folder).find((name) => name.startsWith('raw-')) ?? '';
  const bytes = readFileSync(join(room.folder, file));
  bytes.write('wrong', bytes.indexOf('raw bytes'));
  writeFileSync(join(room.folder, file), bytes);
  const { code, out } = await journal('verify', '--folder', room.folder);
  expect(code).toBe(1);
  expect(out).toContain(`segment ${file} is damaged from byte`);
  expect(out).toContain(
    'raw: batches 0 to 0 are corrupt: 2 messages, 12 observations, received 2025-11-21T16:00:00.000Z',
  );
  expect(out).toMatch(/2 batches whole, 1 ranges lost, 1 faults\n$/);
});

test.each([
  [[]],
  [['verify']],
  [['peek', '--folder', '.']],
  [['dump', '--folder', '.', '--class', 'everything']],
  [['stat', '--folder', '/no/such/folder']],
  [['stat', '--what']],
  [['dump', '--folder', '.', '--batches', 'all']],
  [['dump', '--folder', '.', '--from', 'yesterday']],
])('%j is refused with the usage', async (args) => {
  const { code, err } = await journal(...args);
  expect(code).toBe(2);
  expect(err).toContain('Usage: npm run journal');
});
