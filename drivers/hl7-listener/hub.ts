import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { createFramer, frame } from '../../model/hl7/frame.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { Chance } from '../../model/ids.ts';
import type { Discovered } from '../driver.ts';
import { answersTo } from './acknowledge.ts';
import { isReport, readBytes, readMessage, type ReadOptions, type Report } from './report.ts';
import { createRouting, type Member } from './routing.ts';

/** One device behind the port. */
export interface Subscriber extends Member {
  readonly options: ReadOptions;
  take(report: Report): void;
  /** Resolves when all it was told so far is on disk. */
  kept(): Promise<void>;
  /** The connection it was last heard on is gone. */
  lost(): void;
  /** Bytes on a connection of its that are no message. */
  garbage(count: number): void;
  discovered(item: Discovered): void;
}

export interface Hub {
  /** False: another device has that key already. */
  join(subscriber: Subscriber): boolean;
  leave(subscriber: Subscriber): void;
  accept(peer: Duplex): void;
}

const mostBytes = 1_000_000;
/** A message without a frame is whole when the line is quiet for so long. */
const idleMs = 500;
/** Messages read and not yet kept, a connection: beyond it its socket is left unread. */
const mostPending = 64;
/** Messages whose answer may have been lost and that come again as they were. */
const remembered = 512;

/**
 * Everything behind one port: cuts the streams of all connections into messages, gives each device's part to its driver
 * session, and answers when all of it is on disk. What nobody registered is told as discovered, never attributed.
 */
export function createHub({ clock, chance }: { clock: Clock; chance: Chance }): Hub {
  const members = new Set<Subscriber>();
  const routing = createRouting<Subscriber>();
  const seen = new Set<string>();

  const accept = (peer: Duplex): void => {
    const framer = createFramer(mostBytes);
    const heard = new Set<Subscriber>();
    let pending = 0;
    let turn: Promise<void> = Promise.resolve();
    let cancelIdle: Cancel = () => {};

    const take = (bytes: Buffer): void => {
      pending += 1;
      if (pending >= mostPending) peer.pause();
      const answered = handle(bytes, heard);
      turn = turn.then(async () => {
        for (const answer of await answered)
          if (peer.writable) peer.write(frame(Buffer.from(answer, 'utf8')));
        pending -= 1;
        if (pending < mostPending) peer.resume();
      });
    };
    const cut = (found: ReturnType<typeof framer.push>): void => {
      for (const { kind, bytes } of found) {
        if (kind === 'message') take(bytes);
        else for (const subscriber of heard) subscriber.garbage(bytes.length);
      }
    };
    peer.on('data', (chunk: Buffer) => {
      cancelIdle();
      cut(framer.push(chunk));
      if (framer.waiting > 0) cancelIdle = clock.after(idleMs, () => cut(framer.idle()));
    });
    peer.on('close', () => {
      cancelIdle();
      for (const subscriber of heard) subscriber.lost();
    });
  };

  /** Everything of it is told in this tick; the answers come when it is kept. */
  async function handle(bytes: Buffer, heard: Set<Subscriber>): Promise<string[]> {
    const [first] = members;
    const plain = readBytes(bytes, { vendor: 'auto' });
    if (!plain || !first) return [];
    const stamp = stampOf(clock.nowMs());
    const answer = (verdict: 'taken' | 'refused' | 'failed'): string[] =>
      answersTo(plain.message, { verdict, stamp, id: chance.hex(64) });
    if (!isReport(plain.header)) return answer('refused');
    if (isAgain(bytes, plain.header.time !== undefined)) return answer('taken');
    const told = new Set<Subscriber>();
    for (const part of plain.reports) {
      const subscriber = routing.find(part);
      if (!subscriber) first.discovered(discoveredOf(part));
      else if (!told.has(subscriber)) {
        told.add(subscriber);
        heard.add(subscriber);
        // Read as its own settings say; the first reading only told whose it is.
        for (const report of readMessage(plain.message, subscriber.options).reports)
          if (routing.find(report) === subscriber) subscriber.take(report);
      }
    }
    await Promise.all([...told].map((subscriber) => subscriber.kept()));
    return answer('taken');
  }

  /** The very same bytes with a time in them: a message whose answer was lost. Without a time they may be two. */
  const isAgain = (bytes: Buffer, timed: boolean): boolean => {
    if (!timed) return false;
    const digest = createHash('sha256').update(bytes).digest('base64');
    if (seen.has(digest)) return true;
    seen.add(digest);
    for (const oldest of seen) {
      if (seen.size <= remembered) break;
      seen.delete(oldest);
    }
    return false;
  };

  return {
    join: (subscriber) => {
      if (!routing.add(subscriber)) return false;
      members.add(subscriber);
      return true;
    },
    leave: (subscriber) => {
      members.delete(subscriber);
      routing.remove(subscriber);
    },
    accept,
  };
}

const discoveredOf = ({ header, equipment, location }: Report): Discovered => ({
  driver: 'hl7-listener',
  title:
    [header.application, equipment || location].filter((part) => part !== '').join(' · ') ||
    'a sender without a name',
  settings: {
    key: {
      application: header.application,
      ...(equipment === '' ? {} : { equipment }),
      ...(equipment !== '' || location === '' ? {} : { location }),
    },
  },
});

const stampOf = (atMs: number): string =>
  `${new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`;
