import type { AlertState } from '../../model/alarm.ts';
import { createAlertPhases } from '../../model/alert-phases.ts';
import { Fault } from '../../model/fault.ts';
import type { DriverHost, Emitted, Session } from '../driver.ts';
import { createAsking, startRounds } from '../transport/asking.ts';
import { readAnswer, type Said } from './codec.ts';
import { createFramer, encodeQuestion, type Answer, type Question } from './frame.ts';

export interface SessionOptions {
  readonly device: string;
  readonly address: string;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

/** Asked each round; what changes by hand only is asked each tenth. */
const everyRound: readonly Question[] = ['INF', 'ALARM', 'INF_VTBI'];
const slowRound: readonly Question[] = ['SYRINGE_STATUS'];
const slowEvery = 10;

export async function openSession(options: SessionOptions, host: DriverHost): Promise<Session> {
  const { device, address, pollMs, timeoutMs } = options;
  const port = await host.stream();
  const framer = createFramer();
  const asking = createAsking<Answer>({ device, host, port, address, timeoutMs });
  const tell = createTeller(device, host);
  let rounds = 0;

  async function ask(word: Question): Promise<boolean> {
    const bytes = encodeQuestion(word);
    const answer = bytes && (await asking.ask(bytes, (each) => each.word === word && each.values.length > 0));
    if (!answer) return false;
    const said = readAnswer(answer);
    if (typeof said === 'string') host.count(device, 'discardedBytes', answer.raw.length, answer.raw);
    else tell(word, said);
    return true;
  }

  async function round(): Promise<boolean> {
    let answered = false;
    for (const word of rounds++ % slowEvery === 0 ? [...everyRound, ...slowRound] : everyRound) {
      if (await ask(word)) answered = true;
      // Nobody there: the other questions would only take the time in which it is told.
      else if (!answered) return false;
    }
    return answered;
  }

  host.link(device, 'searching');
  port.on('data', (chunk: Buffer) => {
    const { items, discarded } = framer.push(chunk);
    asking.coming();
    if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
    for (const item of items) {
      if (item.kind === 'bad') host.count(device, 'badChecksum', 1, item.raw);
      else {
        host.count(device, 'frame', 1);
        // A line that echoes gives our own question back.
        if (item.values.length > 0) asking.replied(item);
      }
    }
  });
  const stop = startRounds({ device, host, port, address, timeoutMs, pollMs, round });
  const end = (): void => {
    stop();
    asking.close();
  };
  port.on('close', () => {
    end();
    host.link(device, 'lost', new Fault('WIRE_CLOSED', { address }));
  });
  return {
    close: async () => {
      end();
      port.destroy();
    },
  };
}

/** INF names the alarm too; where both do, the newest of each is the whole list. */
function createTeller(device: string, host: DriverHost): (word: Question, said: Said) => void {
  const phases = createAlertPhases();
  const active = new Map<Question, readonly AlertState[]>();
  let linked = false;
  return (word, { observations, alerts, identity }) => {
    if (identity) host.identity(device, identity);
    if (!linked) host.link(device, 'connected');
    linked = true;
    const takenAtMs = host.clock.nowMs();
    const items: Emitted[] = observations.map((each) => ({ kind: 'observation', ...each, takenAtMs }));
    if (alerts) {
      active.set(word, alerts);
      const told = phases.next([...active.values()].flat());
      if (told) items.push({ kind: 'alerts', alerts: told, complete: true });
    }
    if (items.length > 0) host.emit(device, items);
  };
}
