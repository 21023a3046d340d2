/**
 * Loaded into a gateway under test by `--import`, in every thread of it: on SIGUSR2 each thread collects its garbage and
 * says how much of its heap is in use; the main thread writes the sum to the file named by VIGIL_HEAP_FILE.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

const collect = (globalThis as { gc?: () => void }).gc;
const answersWithinMs = 3_000;

const used = (): number => {
  for (let time = 0; time < 3; time++) collect?.();
  return process.memoryUsage().heapUsed;
};

const channel = new BroadcastChannel('vigil-heap-probe');
channel.unref();
if (isMainThread) {
  const heaps: Record<string, number> = {};
  channel.onmessage = (event: unknown) => {
    const { data } = event as { data: { thread?: number; used?: number } };
    if (data.thread !== undefined && data.used !== undefined) heaps[String(data.thread)] = data.used;
  };
  process.on('SIGUSR2', () => {
    for (const thread of Object.keys(heaps)) delete heaps[thread];
    channel.postMessage({ ask: true });
    setTimeout(() => {
      heaps['0'] = used();
      const file = process.env['VIGIL_HEAP_FILE'] ?? '';
      writeFileSync(`${file}.new`, JSON.stringify(heaps));
      renameSync(`${file}.new`, file);
    }, answersWithinMs);
  });
} else {
  channel.onmessage = (event: unknown) => {
    if ((event as { data: { ask?: boolean } }).data.ask)
      channel.postMessage({ thread: threadId, used: used() });
  };
}
