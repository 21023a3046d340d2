import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { none, union } from './ranges.ts';
import type { Journal, JournalClass, Ranges, SinkAnswer, SinkBatch, SinkSpec } from './types.ts';

export interface SinkHandle {
  /** Frees the window: the batch is with the sink, its memory is the sink's. */
  taken(klass: JournalClass, number: number): void;
  /** Moves the durable position; frees the window too. A range may be said twice. */
  delivered(klass: JournalClass, ranges: Ranges): void;
  close(): void;
}

/**
 * Joins a sink that lives in the caller's own thread. `take` is called a batch at a time and answers by the handle,
 * then or later; a batch neither taken nor delivered stands in the window. What is not delivered when the sink
 * closes comes again at its next joining.
 */
export function openSink(journal: Journal, spec: SinkSpec, take: (batch: SinkBatch) => void): SinkHandle {
  let closed = false;
  let { delivered } = spec;
  let port: MessagePort;
  const join = (): void => {
    const { port1, port2 } = new MessageChannel();
    port = port1;
    port1.on('message', take);
    // The thread behind it ended; the one that follows it has the position that was kept.
    port1.on('close', () => {
      if (!closed && port === port1 && !journal.closed) join();
    });
    journal.attach({ ...spec, ...(delivered ? { delivered } : {}) }, port2);
  };
  join();
  const answer = (message: SinkAnswer): void => port.postMessage(message);
  return {
    taken: (klass, number) => answer({ kind: 'taken', klass, number }),
    delivered: (klass, ranges) => {
      delivered &&= { ...delivered, [klass]: union(delivered[klass] ?? none, ranges) };
      answer({ kind: 'delivered', klass, ranges });
    },
    close: () => {
      closed = true;
      port.close();
    },
  };
}
