import type { Duplex } from 'node:stream';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { DriverHost } from '../driver.ts';

export interface AskingOptions {
  readonly device: string;
  readonly host: DriverHost;
  readonly port: Duplex;
  /** The port's name, for the fault. */
  readonly address: string;
  /** An answer that begins later than this is no answer. */
  readonly timeoutMs: number;
}

/** One question at a time on a stream, each with its own answer or none. */
export interface Asking<R> {
  /**
   * Sends a question and waits for the reply that `answers` it; undefined when none came in time. After a miss
   * nothing is sent for `timeoutMs`: an answer that is late must not meet the next question.
   */
  ask(question: Buffer, answers: (reply: R) => boolean): Promise<R | undefined>;
  /** Hands over what came; false when nobody asked for it (the reply is counted as late). */
  replied(reply: R): boolean;
  /** Bytes of a longer answer are still coming: the deadline starts anew, three times at the most. */
  coming(): void;
  /** Ends the question in flight. */
  close(): void;
}

interface Asked<R> {
  readonly answers: (reply: R) => boolean;
  readonly settle: (reply: R | undefined) => void;
  renew(): void;
}

/** Bounded, so a babbling line cannot hold a question for ever. */
const mostRenewals = 3;

export function createAsking<R>({ device, host, port, timeoutMs }: AskingOptions): Asking<R> {
  const { clock } = host;
  let asked: Asked<R> | undefined;
  let closed = false;
  let quietUntilMs = 0;

  return {
    ask: async (question, answers) => {
      const waitMs = quietUntilMs - clock.monotonicMs();
      if (waitMs > 0) await pauseOn(clock, waitMs);
      if (closed) return undefined;
      const sentAtMs = clock.monotonicMs();
      const reply = await new Promise<R | undefined>((resolve) => {
        let renewals = 0;
        let cancel = clock.after(timeoutMs, () => asked?.settle(undefined));
        asked = {
          answers,
          settle: (value) => {
            cancel();
            asked = undefined;
            resolve(value);
          },
          renew: () => {
            if (++renewals > mostRenewals) return;
            cancel();
            cancel = clock.after(timeoutMs, () => asked?.settle(undefined));
          },
        };
        port.write(question);
      });
      if (reply !== undefined) host.roundTrip(device, clock.monotonicMs() - sentAtMs);
      else if (!closed) {
        host.count(device, 'missedPoll', 1);
        quietUntilMs = clock.monotonicMs() + timeoutMs;
      }
      return reply;
    },
    replied: (reply) => {
      if (asked?.answers(reply)) {
        asked.settle(reply);
        return true;
      }
      if (!closed) host.count(device, 'lateReply', 1);
      return false;
    },
    coming: () => asked?.renew(),
    close: () => {
      closed = true;
      asked?.settle(undefined);
    },
  };
}

const pauseOn = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => void clock.after(delayMs, resolve));

export interface RoundsOptions extends AskingOptions {
  readonly pollMs: number;
  /** One round of questions; false when the device answered nothing in it. */
  round(): Promise<boolean>;
}

/** Rounds in a row without any answer before the device is told as lost. */
const deadRounds = 3;

/**
 * Asks round after round, and says `lost` (WIRE_TIMEOUT) after three in a row without an answer. The first round
 * starts at once; `stop` ends it.
 */
export function startRounds({ device, host, address, timeoutMs, pollMs, round }: RoundsOptions): () => void {
  let stopped = false;
  let misses = 0;
  const run = async (): Promise<void> => {
    while (!stopped) {
      const startedAtMs = host.clock.monotonicMs();
      const answered = await round();
      if (stopped) return;
      misses = answered ? 0 : misses + 1;
      if (misses >= deadRounds) {
        stopped = true;
        return host.link(device, 'lost', new Fault('WIRE_TIMEOUT', { address, deadlineMs: timeoutMs }));
      }
      const leftMs = pollMs - (host.clock.monotonicMs() - startedAtMs);
      if (leftMs > 0) await pauseOn(host.clock, leftMs);
    }
  };
  void run();
  return () => {
    stopped = true;
  };
}
