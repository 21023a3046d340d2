/** A job whose work is a program of its own thread: what it says is passed on, and calling it off reaches it. */
import { parentPort, Worker, type ResourceLimits } from 'node:worker_threads';
import type { Clock } from '../../model/clock.ts';
import { Fault, type FaultReport } from '../../model/fault.ts';
import { faultFrom } from '../store/worker-line.ts';
import type { JobHandle } from './jobs.ts';

/** Worker → main thread. */
type JobWord =
  | { readonly kind: 'progress'; readonly share: number; readonly says?: string }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly fault: FaultReport };

export interface WorkerJob {
  /** For messages about it. */
  readonly name: string;
  readonly program: URL;
  readonly workerData: unknown;
  readonly resourceLimits: ResourceLimits;
  readonly clock: Clock;
}

/** How long a program that was called off may take to tidy up before its thread is ended. */
const tidyWithinMs = 5_000;

/** Runs the program; answers what it answers, rejects with its Fault, or with WORKER_ENDED when it died. */
export function runInWorker<Result>(spec: WorkerJob, { signal, progress }: JobHandle): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(spec.program, {
      workerData: spec.workerData,
      resourceLimits: spec.resourceLimits,
      name: spec.name,
    });
    let cause = 'it stopped';
    let endIt = (): void => undefined;
    const callOff = (): void => {
      worker.postMessage('cancel');
      endIt = spec.clock.after(tidyWithinMs, () => void worker.terminate());
    };
    if (signal.aborted) callOff();
    else signal.addEventListener('abort', callOff, { once: true });
    worker.on('message', (word: JobWord) => {
      if (word.kind === 'progress') progress(word.share, word.says);
      else if (word.kind === 'done') resolve(word.result as Result);
      else reject(faultFrom(word.fault));
    });
    worker.on('error', (error) => (cause = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => {
      endIt();
      signal.removeEventListener('abort', callOff);
      reject(new Fault('WORKER_ENDED', { worker: spec.name, cause }));
    });
  });
}

/** The other end, for the program: runs the work and says how it went; the thread ends behind it. */
export function serveJob(work: (handle: JobHandle) => Promise<unknown>): void {
  if (!parentPort) throw new Error('this program runs as a worker');
  const port = parentPort;
  const abort = new AbortController();
  const say = (word: JobWord): void => port.postMessage(word);
  port.on('message', () => abort.abort());
  const handle: JobHandle = {
    signal: abort.signal,
    progress: (share, says) => say({ kind: 'progress', share, ...(says === undefined ? {} : { says }) }),
  };
  void work(handle).then(
    (result) => {
      say({ kind: 'done', result });
      port.close();
    },
    (error: unknown) => {
      const fault =
        error instanceof Fault ? error : new Fault('JOB_BROKE', { cause: (error as Error).message });
      say({ kind: 'failed', fault: fault.toJSON() });
      port.close();
    },
  );
}
