import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { Chance, HostId } from '../../model/ids.ts';

export interface HostProcessOptions {
  readonly host: HostId;
  readonly secret: string;
  readonly gatewayUrl: string;
  /** Folder of the host's own journal and secret file. */
  readonly folder: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: { info(about: object, text: string): void; warn(about: object, text: string): void };
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** Running this long counts as well started: the next pause is short again. */
const wellStartedMs = 30_000;
const goodByeMs = 5_000;

/**
 * The driver host that the gateway starts beside itself: its own process, so that a driver that crashes or blocks
 * takes nothing else with it. Restarted with growing pauses and jitter; it ends by itself when the gateway is gone,
 * even by kill -9.
 */
export class HostProcess {
  private readonly options: HostProcessOptions;
  private child: ChildProcess | undefined;
  private cancel: Cancel | undefined;
  private pauseMs = firstPauseMs;
  private startedAtMs = 0;
  private closed = false;
  restarts = 0;

  constructor(options: HostProcessOptions) {
    this.options = options;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  start(): void {
    const { host, secret, gatewayUrl, folder, clock, log } = this.options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, secret, { mode: 0o600 });
    chmodSync(secretFile, 0o600);
    this.startedAtMs = clock.monotonicMs();
    const program = fileURLToPath(new URL('../../drivers/host/main.ts', import.meta.url));
    const args = [
      program,
      '--gateway',
      gatewayUrl,
      '--host-id',
      host,
      '--secret-file',
      secretFile,
      '--data',
      folder,
      '--with-parent',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    this.child = child;
    child.once('exit', (code, signal) => {
      this.child = undefined;
      if (this.closed) return;
      log.warn({ host, code, signal }, 'the driver host ended; starting it again');
      this.again();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancel?.();
    const { child } = this;
    if (!child) return;
    const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
    const cancel = this.options.clock.after(goodByeMs, () => child.kill('SIGKILL'));
    child.kill('SIGTERM');
    await gone;
    cancel();
  }

  private again(): void {
    const { clock, chance } = this.options;
    if (clock.monotonicMs() - this.startedAtMs > wellStartedMs) this.pauseMs = firstPauseMs;
    const jittered = this.pauseMs * (0.5 + chance.fraction());
    this.pauseMs = Math.min(longestPauseMs, this.pauseMs * 2);
    this.restarts += 1;
    this.cancel = clock.after(jittered, () => this.start());
  }
}
