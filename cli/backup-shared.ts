/** What backup and restore share: where the key comes from, progress, and refusals in words. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { BackupSecret } from '../gateway/backup/sealed-file.ts';
import { Fault } from '../model/fault.ts';

export const vigilVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;

/** A key file, the environment's passphrase, or one asked for; there is no default. */
export async function secretFrom(keyFile: string | undefined, ask: 'once' | 'twice'): Promise<BackupSecret> {
  if (keyFile !== undefined) return { kind: 'key-file', key: readFileSync(keyFile) };
  const given = process.env.VIGIL_BACKUP_PASSPHRASE;
  if (given !== undefined) return { kind: 'passphrase', passphrase: given };
  if (!process.stdin.isTTY)
    throw new Fault('BACKUP_KEY', { cause: 'there is none: give --key-file or VIGIL_BACKUP_PASSPHRASE' });
  const passphrase = await asked('Passphrase: ');
  if (ask === 'twice' && (await asked('Again: ')) !== passphrase)
    throw new Fault('BACKUP_KEY', { cause: 'the two differ' });
  return { kind: 'passphrase', passphrase };
}

/** Nothing of what is typed is shown. */
async function asked(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const answer = await terminal.question('');
  terminal.close();
  process.stderr.write('\n');
  return answer;
}

/** A line on standard error whenever another percent is done, or another part begun. */
export function tellProgress(): (share: number, says: string) => void {
  let shown = '';
  return (share, says) => {
    const line = `${String(Math.floor(share * 100)).padStart(3)} % ${says}`;
    if (line === shown) return;
    shown = line;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  };
}

/** 2: the person's to mend; 1: the world's. */
export const refusedWith =
  (usage: string) =>
  (error: unknown): number => {
    if (process.stderr.isTTY) process.stderr.write('\n');
    if (error instanceof Fault) {
      process.stderr.write(`${error.message}. ${error.whatToDo}\n`);
      return error.class === 'person' ? 2 : 1;
    }
    const { code, message, name } = error as NodeJS.ErrnoException;
    if (name === 'AbortError') {
      process.stderr.write('called off; nothing was left behind\n');
      return 1;
    }
    if (code === undefined) throw error;
    process.stderr.write(`${message}\n${code.startsWith('ERR_PARSE_ARGS') ? usage : ''}`);
    return code.startsWith('ERR_PARSE_ARGS') ? 2 : 1;
  };
