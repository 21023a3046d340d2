import type { Cancel, Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { WorkerLine } from '../store/worker-line.ts';
import type { CopyAlive, CopyAsk, CopyOpened, CopyPassed, CopyWorkerData } from './copy-protocol.ts';

export interface CopyingOptions extends CopyWorkerData {
  readonly everyMs: number;
  readonly clock: Clock;
  /** Each fault once while it lasts. */
  readonly told: (fault: Fault) => void;
}

/** What is lost with this machine at most: a copy that is older is told. */
const promisedMs = 60_000;
const passWithinMs = 600_000;
const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 };

/** The second folder, seen from the main thread: a pass every so often, and whether the copy is fresh. */
export class Copying {
  private readonly options: CopyingOptions;
  private readonly line: WorkerLine<CopyAsk, CopyOpened, CopyAlive>;
  private readonly stop: readonly Cancel[];
  private readonly openedAtMs: number;
  private passing = false;
  private copiedAtMs: number | undefined;
  private present: Fault | undefined;

  constructor(options: CopyingOptions) {
    this.options = options;
    const { clock, everyMs, data, to, storesEveryMs } = options;
    this.openedAtMs = clock.monotonicMs();
    this.line = new WorkerLine({
      name: 'backup copy',
      program: new URL('./copy-worker.ts', import.meta.url),
      workerData: { data, to, storesEveryMs } satisfies CopyWorkerData,
      clock,
      resourceLimits,
      deadlineMs: passWithinMs,
      unanswered: 'BACKUP_COPY',
      told: (fault) => this.tell(fault),
      opened: () => void this.pass(),
      alive: () => undefined,
    });
    this.line.ready.catch((fault: unknown) => {
      if (fault instanceof Fault) this.tell(fault);
    });
    this.stop = [clock.every(everyMs, () => void this.pass()), clock.every(1_000, () => this.watchAge())];
  }

  /** Age of the copy, ms: since the last pass began that ended well, or since the start. */
  status(): { readonly ageMs: number; readonly fault: Fault | undefined } {
    return { ageMs: this.ageMs(), fault: this.present };
  }

  async close(): Promise<void> {
    for (const stop of this.stop) stop();
    await this.line.close();
  }

  private async pass(): Promise<void> {
    if (this.passing) return;
    this.passing = true;
    const begunAtMs = this.options.clock.monotonicMs();
    try {
      await this.line.ask<CopyPassed>({ what: 'pass' });
      this.copiedAtMs = begunAtMs;
      this.present = undefined;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.tell(error);
    } finally {
      this.passing = false;
    }
  }

  private ageMs(): number {
    return this.options.clock.monotonicMs() - (this.copiedAtMs ?? this.openedAtMs);
  }

  private watchAge(): void {
    if (this.present || this.ageMs() <= promisedMs) return;
    this.tell(new Fault('BACKUP_COPY', { cause: `the last one is older than ${promisedMs / 1_000} s` }));
  }

  private tell(fault: Fault): void {
    const before = this.present;
    this.present = fault;
    if (before?.message !== fault.message) this.options.told(fault);
  }
}
