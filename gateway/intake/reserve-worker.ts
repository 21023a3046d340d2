import { parentPort, workerData } from 'node:worker_threads';
import type { Loss } from './ledger.ts';
import { openReserve } from './reserve-file.ts';

/** The thread that writes the reserve file: it may hang with the disk, nobody waits for it. */
const { file, bytes } = workerData as { file: string; bytes: number };
const reserve = openReserve(file, bytes);
parentPort?.on('message', (losses: readonly Loss[]) => {
  try {
    parentPort?.postMessage({ whole: reserve.write(losses) });
  } catch (error) {
    parentPort?.postMessage({ failed: String(error) });
  }
});
