// Goal: one flipped byte, in whatever kind of file, is found and told, costs at most what it hit, and never the start:
// what was confirmed is stored or told as lost, each once, with value and patient right.
// Way: a whole gateway under load, killed; one bit of one file flipped; started again, loaded again, counted.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { HealthReport } from '../../api/services.ts';
import { Books } from '../house/books.ts';
import { atRest, openGatewayProcess, until, type GatewayProcess } from '../house/gateway-process.ts';

const devices = 4;

interface Case {
  readonly what: string;
  /** How it was ended: a kill leaves all in the journal and the write-ahead logs, an orderly stop fills the stores. */
  readonly ended: 'SIGKILL' | 'SIGTERM';
  readonly file: (data: string) => string;
  /** Where in the file, 0 to 1, or found by its content. */
  readonly at: number | ((content: Buffer, path: string) => number);
  /** The part of /health that tells it, and the code. */
  readonly told?: readonly [part: string, code: string];
  /** It may cost observations; then as many stand in the loss ledger, or in the fault. */
  readonly costs: 'nothing' | 'ledgered' | 'told';
}

const journalFile = (data: string, wanted: RegExp): string => {
  const file = readdirSync(join(data, 'journal'))
    .filter((name) => wanted.test(name))
    .toSorted()
    .at(-1);
  if (file === undefined) throw new Error(`no file like ${String(wanted)}`);
  return join(data, 'journal', file);
};

/** Within the first block body: no page of the tree, so only the store's own sums can find it. */
function withinBlock(content: Buffer, path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const body = database.prepare('SELECT body FROM blocks ORDER BY id LIMIT 1').get()?.[
      'body'
    ] as Uint8Array;
    const found = content.indexOf(Buffer.from(body.subarray(0, 64)));
    if (found < 0) throw new Error('the block is not in one piece');
    return found + 40;
  } finally {
    database.close();
  }
}

const cases: readonly Case[] = [
  {
    what: 'a batch in the middle of a segment',
    ended: 'SIGKILL',
    file: (data) => journalFile(data, /^numerics-.*segment$/),
    at: (content) => Math.floor(content.lastIndexOf('VJB1') / 2),
    told: ['journal', 'JOURNAL_CORRUPT'],
    costs: 'ledgered',
  },
  {
    what: 'the header of a segment',
    ended: 'SIGKILL',
    file: (data) => journalFile(data, /^numerics-.*segment$/),
    at: () => 20,
    told: ['journal', 'JOURNAL_CORRUPT'],
    costs: 'nothing',
  },
  {
    what: 'the newest slot of the head',
    ended: 'SIGKILL',
    file: (data) => journalFile(data, /^head-/),
    at: () => 2 * 4096 + 24,
    told: ['journal', 'JOURNAL_CORRUPT'],
    costs: 'nothing',
  },
  {
    what: 'the positions of the sinks',
    ended: 'SIGKILL',
    file: (data) => join(data, 'journal', 'positions'),
    at: 0.6,
    told: ['journal', 'JOURNAL_CORRUPT'],
    costs: 'nothing',
  },
  {
    what: 'the journal’s identity',
    ended: 'SIGKILL',
    file: (data) => join(data, 'journal', 'journal.json'),
    at: 0.5,
    told: ['journal', 'JOURNAL_CORRUPT'],
    costs: 'nothing',
  },
  {
    what: 'a block of the historian',
    ended: 'SIGTERM',
    file: (data) => join(data, 'historian', 'historian.db'),
    at: withinBlock,
    told: ['historian', 'STORE_CORRUPT'],
    costs: 'told',
  },
  {
    what: 'the tree of the historian',
    ended: 'SIGTERM',
    file: (data) => join(data, 'historian', 'historian.db'),
    at: () => 104,
    told: ['historian', 'DATABASE_CORRUPT'],
    costs: 'nothing',
  },
  {
    what: 'the write-ahead log of the historian',
    ended: 'SIGKILL',
    file: (data) => join(data, 'historian', 'historian.db-wal'),
    at: 0.5,
    costs: 'nothing',
  },
  {
    what: 'a record of the audit',
    ended: 'SIGTERM',
    file: (data) => join(data, 'registry', 'rows.db'),
    at: (content) => content.indexOf('"act":"POST') + 8,
    told: ['registry and logs', 'AUDIT_BROKEN'],
    costs: 'nothing',
  },
  {
    what: 'the reserve of the loss ledger',
    ended: 'SIGKILL',
    file: (data) => join(data, 'loss-reserve'),
    at: () => 10,
    costs: 'nothing',
  },
];

function flip(path: string, at: Case['at']): void {
  const content = readFileSync(path);
  const where = typeof at === 'number' ? Math.floor(content.length * at) : at(content, path);
  content[where] = (content[where] ?? 0) ^ 0x10;
  writeFileSync(path, content);
}

const partOf = (health: HealthReport, name: string) => health.parts.find(({ part }) => part === name);

async function isTold(gateway: GatewayProcess, [name, code]: readonly [string, string]): Promise<boolean> {
  const part = partOf(await gateway.health(), name);
  if (part?.fault?.code === code && part.status !== 'green') return true;
  const alarms = await gateway.alarms();
  return alarms.some(({ condition, details }) => condition === 'part-fault' && details?.['code'] === code);
}

test.each(cases)('$what', async ({ ended, file, at, told, costs }) => {
  await using gateway = await openGatewayProcess({ devices, hosts: 1 });
  const data = join(gateway.stage.folder, 'data');
  const books = new Books(gateway, devices);
  await books.connect();
  await books.load(1_500, 300);
  await atRest(gateway);
  // Somebody signs in: the audit has a record.
  await gateway.alarms();
  await gateway.stage.stop(ended);
  books.end();
  flip(file(data), at);

  await gateway.restart('SIGKILL');
  await books.connect();
  await books.load(500, 200);
  await atRest(gateway);
  const { stored, wrong } = await books.found();
  if (told) await until(`${told.join(' ')} told`, 15_000, () => isTold(gateway, told));
  const faultSays = Number(partOf(await gateway.health(), 'historian')?.fault?.details['observations'] ?? 0);
  books.end();
  // An orderly stop hands what the ledger holds to its table.
  await gateway.restart('SIGTERM');

  expect(wrong).toEqual([]);
  expect([...stored].filter(([, times]) => times > 1)).toEqual([]);
  const lost = books.confirmed().filter((name) => !stored.has(name)).length;
  const ledgered = gateway
    .losses()
    .filter(({ why }) => why.startsWith('journal-'))
    .reduce((sum, { observations }) => sum + observations, 0);
  expect({ lost, ledgered }).toEqual({ lost, ledgered: costs === 'ledgered' ? lost : 0 });
  if (costs === 'nothing') expect(lost).toBe(0);
  if (costs === 'ledgered') expect(lost).toBeGreaterThan(0);
  if (costs === 'told') expect(faultSays).toBe(lost);
});
