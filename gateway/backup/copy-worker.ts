/** The program of the thread that keeps the second folder: one pass at a time; a disk that hangs hangs only it. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { systemChance } from '../../model/ids.ts';
import { causeOf } from '../../journal/files.ts';
import type { LineAsk, LineWord } from '../store/worker-line.ts';
import type { CopyAlive, CopyAsk, CopyOpened, CopyWorkerData } from './copy-protocol.ts';
import { Copier } from './copier.ts';

const settings = workerData as CopyWorkerData;
if (!parentPort) throw new Error('this program runs as a worker');
const main = parentPort;
const clock = systemClock();
const say = (word: LineWord<CopyOpened, CopyAlive>): void => main.postMessage(word);
const copier = new Copier({
  ...settings,
  clock,
  chance: systemChance(),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
});
let passing: Promise<void> = Promise.resolve();

async function pass(id: number): Promise<void> {
  try {
    say({ kind: 'answer', id, answer: await copier.pass() });
  } catch (error) {
    const fault = error instanceof Fault ? error : new Fault('BACKUP_COPY', { cause: causeOf(error) });
    say({ kind: 'refused', id, fault: fault.toJSON() });
  }
}

main.on('message', (word: LineAsk<CopyAsk>) => {
  if (word.kind === 'ask') passing = passing.then(() => pass(word.id));
  else void passing.then(() => process.exit(0));
});

say({ kind: 'opened', opened: {} });
clock.every(1_000, () => say({ kind: 'alive', alive: {} }));
