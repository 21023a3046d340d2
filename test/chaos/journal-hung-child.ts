// Appends to a journal every few ms, says what becomes of each, and replaces a writer that has not answered for 500 ms.
import { writeSync } from 'node:fs';
import { openJournal } from '../../journal/journal.ts';
import { bodyOf } from '../journal/room.ts';

const [folder = ''] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

const journal = await openJournal({
  folder,
  segmentBytes: 1 << 16,
  maxBytes: 1 << 26,
  snapshot: () => undefined,
  lost: (loss) => say(`lost ${loss.fromNumber}`),
  faulty: (fault) => say(`fault ${fault.code}`),
});

let index = 0;
const ticking = setInterval(() => {
  const own = index++;
  const facts = { messages: 1, observations: 6, firstAtMs: Date.now(), lastAtMs: Date.now() };
  journal.append('numerics', bodyOf(`n${own}`, 1_000), facts, (outcome, number) =>
    say(outcome === 'kept' ? `kept ${number} n${own}` : `failed n${own} ${outcome.code}`),
  );
  if (journal.pending.oldestMs > 500) {
    say('replaced');
    journal.replaceWriter();
  }
}, 4);

process.stdin.once('data', () => {
  clearInterval(ticking);
  void journal.close().then(() => {
    say('closed');
    process.exit(0);
  });
});
