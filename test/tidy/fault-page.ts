import { faultTable } from '../../model/fault-table.ts';
import type { FaultRow } from '../../model/fault.ts';

export const begin = '<!-- faults: begin, written by npm run docs -->';
export const end = '<!-- faults: end -->';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The fault table as `docs/operating.md` shows it. */
export function faultPage(): string {
  const rows = Object.entries(faultTable as Record<string, FaultRow>).map(
    ([code, row]) => `| \`${code}\` | ${row.class} | ${cell(row.message)} | ${cell(row.whatToDo)} |`,
  );
  return [
    begin,
    '',
    '| code | class | what happened | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
    end,
  ].join('\n');
}

/** The page with its fault table as it should be. */
export function withFaults(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/operating.md has no "${begin}" … "${end}"`);
  return page.slice(0, from) + faultPage() + page.slice(to + end.length);
}
