import { isDeepStrictEqual } from 'node:util';
import { parseCsv, writeCsv } from '../../model/csv.ts';
import { duties, type Device } from '../../model/device.ts';
import type { Person } from '../../model/person.ts';
import type { DeviceDraft, Refused, Registry } from './registry.ts';

/** In the order they are written; a file may have them in any order and leave out all but label and ward. */
const columns = [
  'id',
  'label',
  'ward',
  'bed',
  'driver',
  'host',
  'duty',
  'assetNumber',
  'udi',
  'periodMs',
  'manufacturer',
  'model',
  'serial',
  'settings',
] as const;
type Column = (typeof columns)[number];

/** A hospital imports a few hundred at once; a file of more is cut in two by who makes it. */
const mostLines = 2_000;

export interface ImportLine {
  /** As an editor counts: the header is 1. */
  readonly line: number;
  readonly id?: string;
  readonly outcome: 'registers' | 'changes' | 'same' | 'refused';
  readonly errors: readonly { readonly path: string; readonly cause: string }[];
}
export interface ImportReport {
  readonly dryRun: boolean;
  readonly lines: readonly ImportLine[];
}

/** Devices as a spreadsheet has them; what stands in it can be imported again and changes nothing. */
export const exportCsv = (devices: readonly Device[]): string =>
  writeCsv([columns, ...devices.map((device) => columns.map((column) => textOf(device, column)))]);

const textOf = (device: Device, column: Column): string => {
  if (column === 'settings') return device.settings ? JSON.stringify(device.settings) : '';
  if (column === 'manufacturer' || column === 'model' || column === 'serial')
    return device.identity?.[column] ?? '';
  return String(device[column] ?? '');
};

/**
 * Each line stands for itself: one that is refused costs its neighbours nothing. A line whose id is registered changes that
 * device; an empty cell leaves what is there.
 */
export async function importCsv(
  registry: Registry,
  by: Person,
  {
    csv,
    dryRun,
    mayPlace,
  }: { csv: string; dryRun: boolean; mayPlace: (ward: string, bed?: string) => boolean },
): Promise<ImportReport> {
  const [header = [], ...lines] = parseCsv(csv);
  const names = header.map((name) => name.trim());
  const wrong = headerFaults(names, lines.length);
  if (wrong.length > 0) return { dryRun, lines: [{ line: 1, outcome: 'refused', errors: wrong }] };
  const report: ImportLine[] = [];
  const given = new Set<string>();
  for (const [index, cells] of lines.entries()) {
    const line = index + 2;
    if (cells.every((cell) => cell.trim() === '')) continue;
    const row = Object.fromEntries(names.map((name, at) => [name, (cells[at] ?? '').trim()]));
    report.push({ line, ...(await importLine({ registry, by, dryRun, mayPlace, given }, row)) });
  }
  return { dryRun, lines: report };
}

function headerFaults(names: readonly string[], lines: number): { path: string; cause: string }[] {
  const unknown = names.filter((name) => !columns.some((column) => column === name));
  const missing = ['label', 'ward'].filter((name) => !names.includes(name) && !names.includes('id'));
  return [
    ...unknown.map((name) => ({ path: `/${name}`, cause: `is no column; there are ${columns.join(', ')}` })),
    ...missing.map((name) => ({ path: `/${name}`, cause: 'is missing from the header' })),
    ...(lines > mostLines ? [{ path: '/', cause: `has more than ${mostLines} lines` }] : []),
  ];
}

interface Importing {
  readonly registry: Registry;
  readonly by: Person;
  readonly dryRun: boolean;
  readonly mayPlace: (ward: string, bed?: string) => boolean;
  /** Ids of earlier lines. */
  readonly given: Set<string>;
}

async function importLine(
  { registry, by, dryRun, mayPlace, given }: Importing,
  row: Readonly<Record<string, string>>,
): Promise<Omit<ImportLine, 'line'>> {
  const refused = (...errors: { path: string; cause: string }[]): Omit<ImportLine, 'line'> => ({
    ...(row['id'] ? { id: row['id'] } : {}),
    outcome: 'refused',
    errors,
  });
  const draft = draftOf(row);
  if ('refused' in draft) return refused(...draft.refused);
  const { id } = draft;
  if (id !== undefined && given.has(id)) return refused({ path: '/id', cause: 'stands twice in the file' });
  if (id !== undefined) given.add(id);
  const before = id === undefined ? undefined : registry.get(id);
  const ward = draft.ward ?? before?.ward;
  if (ward === undefined || !mayPlace(ward, draft.bed ?? before?.bed))
    return refused({ path: '/ward', cause: 'no such ward, or bed in it' });
  if (before) {
    const { id: _, ...change } = draft;
    if (
      Object.entries(change).every(([name, value]) => isDeepStrictEqual(before[name as keyof Device], value))
    )
      return { id: before.id, outcome: 'same', errors: [] };
    const changed = await registry.change(by, before.id, change, dryRun);
    return outcomeOf(changed, 'changes', refused);
  }
  if (draft.label === undefined) return refused({ path: '/label', cause: 'is missing' });
  const made = await registry.register(by, { ...draft, label: draft.label, ward }, dryRun);
  return outcomeOf(made, 'registers', refused);
}

function outcomeOf(
  answer: Device | 'id-taken' | 'absent' | Refused,
  outcome: 'registers' | 'changes',
  refused: (...errors: { path: string; cause: string }[]) => Omit<ImportLine, 'line'>,
): Omit<ImportLine, 'line'> {
  if (answer === 'id-taken') return refused({ path: '/id', cause: 'is taken' });
  if (answer === 'absent') return refused({ path: '/ward', cause: 'is not there' });
  if ('refused' in answer) return refused(...answer.refused);
  return { id: answer.id, outcome, errors: [] };
}

/** What the cells say; empty ones say nothing. */
function draftOf(row: Readonly<Record<string, string>>): Partial<DeviceDraft> | Refused {
  // An export tells what a spreadsheet would run as a formula with a quote before it.
  const said = (name: Column): string | undefined => row[name]?.replace(/^'(?=[=+\-@])/, '') || undefined;
  const errors: { path: string; cause: string }[] = [];
  const duty = said('duty');
  if (duty !== undefined && !duties.some((one) => one === duty))
    errors.push({ path: '/duty', cause: `is one of ${duties.join(', ')}` });
  const periodMs = said('periodMs') === undefined ? undefined : Number(said('periodMs'));
  if (periodMs !== undefined && !(periodMs >= 10 && periodMs <= 86_400_000))
    errors.push({ path: '/periodMs', cause: 'is a number of milliseconds from 10 to 86400000' });
  const settings = settingsOf(said('settings'), errors);
  if (errors.length > 0) return { refused: errors };
  const identity = Object.fromEntries(
    (['manufacturer', 'model', 'serial'] as const).flatMap((name) =>
      said(name) ? [[name, said(name)]] : [],
    ),
  );
  const draft = {
    id: said('id'),
    label: said('label'),
    ward: said('ward'),
    bed: said('bed'),
    driver: said('driver'),
    host: said('host'),
    duty: duty as Device['duty'] | undefined,
    assetNumber: said('assetNumber'),
    udi: said('udi'),
    periodMs,
    settings,
    identity: Object.keys(identity).length > 0 ? identity : undefined,
  };
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}

function settingsOf(
  text: string | undefined,
  errors: { path: string; cause: string }[],
): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  errors.push({ path: '/settings', cause: 'is no JSON object' });
  return undefined;
}
