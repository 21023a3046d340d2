import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import type { Job } from '../../model/job.ts';

/** Jobs at work at the same time, and ended ones that can still be looked at. */
const mostRunning = 2;
const mostEnded = 100;

/** What a job may say and must heed. */
export interface JobHandle {
  /** Aborted when somebody calls the job off, or the gateway stops. */
  readonly signal: AbortSignal;
  /** Share that is done, 0 to 1, and what it is at. */
  progress(share: number, says?: string): void;
}

export interface JobRequest {
  readonly kind: string;
  /** The person's id. */
  readonly by: string;
  /** Answers the result; a Fault, or anything else thrown, fails the job. What takes long belongs in a worker. */
  readonly run: (handle: JobHandle) => Promise<unknown>;
}

interface Held {
  job: Job;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Long work that was asked for over the API: bounded in number, watched and called off by id. */
export class Jobs {
  private readonly clock: Clock;
  private readonly chance: Chance;
  private readonly held = new Map<string, Held>();

  constructor({ clock, chance }: { readonly clock: Clock; readonly chance: Chance }) {
    this.clock = clock;
    this.chance = chance;
  }

  /** Begins it, or says that as many as may run at once are running. */
  start({ kind, by, run }: JobRequest): Job | 'too-many-jobs' {
    const running = this.all().filter(({ state }) => state === 'running').length;
    if (running >= mostRunning) return 'too-many-jobs';
    const id = this.chance.id('job');
    const abort = new AbortController();
    const job: Job = {
      id,
      kind,
      by,
      state: 'running',
      progress: 0,
      says: 'begun',
      startedAtMs: this.clock.nowMs(),
    };
    const handle: JobHandle = {
      signal: abort.signal,
      progress: (share, says) => {
        const progress = Math.max(0, Math.min(1, share));
        this.change(id, says === undefined ? { progress } : { progress, says });
      },
    };
    // Not in this tick: whoever asked learns the id first.
    const ended = Promise.resolve().then(() => this.see(id, abort.signal, () => run(handle)));
    this.held.set(id, { job, abort, ended });
    return job;
  }

  job(id: string): Job | undefined {
    return this.held.get(id)?.job;
  }

  /** Newest last. */
  all(): readonly Job[] {
    return [...this.held.values()].map(({ job }) => job);
  }

  /** Calls it off; it ends as soon as it heeds the signal. */
  cancel(id: string): 'done' | 'absent' | 'ended' {
    const held = this.held.get(id);
    if (!held) return 'absent';
    if (held.job.state !== 'running') return 'ended';
    held.abort.abort();
    return 'done';
  }

  /** Calls all off and waits for their end. */
  async close(): Promise<void> {
    for (const { abort } of this.held.values()) abort.abort();
    await Promise.all([...this.held.values()].map(({ ended }) => ended));
  }

  private async see(id: string, signal: AbortSignal, run: () => Promise<unknown>): Promise<void> {
    try {
      const result = await run();
      if (signal.aborted) this.end(id, { state: 'cancelled', says: 'called off' });
      else this.end(id, { state: 'done', progress: 1, says: 'done', result });
    } catch (error) {
      if (signal.aborted) return this.end(id, { state: 'cancelled', says: 'called off' });
      const fault =
        error instanceof Fault ? error : new Fault('JOB_BROKE', { cause: (error as Error).message });
      this.end(id, { state: 'failed', says: fault.message, fault: fault.toJSON() });
    }
  }

  private end(id: string, change: Partial<Job>): void {
    this.change(id, { ...change, endedAtMs: this.clock.nowMs() });
    const ended = this.all().filter(({ state }) => state !== 'running');
    for (const old of ended.slice(0, Math.max(0, ended.length - mostEnded))) this.held.delete(old.id);
  }

  private change(id: string, change: Partial<Job>): void {
    const held = this.held.get(id);
    if (held?.job.state === 'running') held.job = { ...held.job, ...change };
  }
}
