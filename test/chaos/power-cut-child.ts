// Appends to a journal until told to stop, saying on standard output what was confirmed, at the moment it was.
import { writeSync } from 'node:fs';
import { openJournal } from '../../journal/journal.ts';
import { openSink } from '../../journal/sink.ts';
import type { JournalClass } from '../../journal/types.ts';
import { powerCutBody } from './power-cut-trace.ts';

const [folder = '', total = '100'] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

const journal = await openJournal({
  folder,
  segmentBytes: 1 << 16,
  maxBytes: 1 << 24,
  snapshot: () => new Uint8Array(700).fill(7),
  lost: (loss) => say(`lost ${loss.klass} ${loss.fromNumber} ${loss.toNumber}`),
  faulty: (fault) => say(`fault ${fault.message}`),
});

const sink = openSink(
  journal,
  { id: 'store', kind: 'twoLane', classes: ['numerics'], window: { batches: 4, bytes: 1 << 20 } },
  ({ klass, number }) => {
    say(`delivered ${klass} ${number}`);
    sink.delivered(klass, [[number, number + 1]]);
  },
);

const append = (klass: JournalClass, index: number): Promise<void> =>
  new Promise((resolve) => {
    const body = powerCutBody(klass, index);
    const now = Date.now();
    journal.append(
      klass,
      body,
      { messages: 1, observations: 2, firstAtMs: now, lastAtMs: now },
      (outcome, number) => {
        if (outcome === 'kept') say(`kept ${klass} ${number} ${index}`);
        else say(`failed ${klass} ${index} ${outcome.message}`);
        resolve();
      },
    );
  });

for (let index = 0; index < Number(total); index += 4) {
  await Promise.all([
    append('numerics', index),
    append('numerics', index + 1),
    append('alarm', index + 2),
    append('numerics', index + 3),
  ]);
}
await journal.close();
say('closed');
