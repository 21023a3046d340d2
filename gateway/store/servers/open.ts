/** All time-series servers of `vigil.yaml`: opened, watched, shown in health, metrics and alarms. */
import type { Journal } from '../../../journal/types.ts';
import { pause, type Clock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import type { Part } from '../../health.ts';
import type { Rows } from '../../rows/rows.ts';
import type { LossEntry } from '../../rows/tables.ts';
import type { LongStore } from '../types.ts';
import type { RefusedStretch } from './request.ts';
import type { Diagnosis } from './server-protocol.ts';
import { ServerSink, type SinkView } from './server-sink.ts';
import { journalSinkId, type ServerSettings } from './settings.ts';
import { SinkWatch, type TechnicalAlarms } from './sink-watch.ts';

export interface ServersOptions {
  readonly settings: readonly ServerSettings[];
  readonly journal: Pick<Journal, 'attach' | 'closed' | 'stat' | 'forget'>;
  readonly rows: Pick<Rows, 'read' | 'transaction'>;
  readonly clock: Clock;
  /** Into the log. */
  readonly told: (sink: string, fault: Fault) => void;
}

export interface Servers {
  views(): readonly SinkView[];
  test(id: string): Promise<Diagnosis | 'absent'>;
  /** The one that answers for what is older than the historian keeps. */
  readonly longStore: LongStore | undefined;
  health(): readonly Part[];
  /** Raises and ends the technical alarms; about once a second. */
  watch(alarms: TechnicalAlarms): void;
  close(): Promise<void>;
}

const workerSilentMs = 10_000;
const ledgerRetryMs = 1_000;

/** Starts a worker for each; resolves when all have started. Servers that are away keep nobody from starting. */
export async function openServers(options: ServersOptions): Promise<Servers> {
  const { settings, journal, clock } = options;
  const sinks = new Map(
    settings.map((each) => [
      each.id,
      new ServerSink({
        settings: each,
        journal,
        clock,
        ledger: (sink, refused) => enter(options, sink, refused),
        told: (fault) => options.told(each.id, fault),
      }),
    ]),
  );
  await Promise.all([...sinks.values()].map((sink) => sink.ready));
  await forgetOthers(options);
  const stopLooking = look(sinks, options);
  const watched = new SinkWatch(clock);
  const views = (): SinkView[] => [...sinks.values()].map((sink) => sink.view());
  return {
    views,
    test: async (id) => (await sinks.get(id)?.test()) ?? 'absent',
    longStore: [...sinks.values()].find((sink) => sink.settings.longQueries)?.longStore,
    health: () =>
      [...sinks.values()].map((sink) => partOf(sink.view(), clock.monotonicMs() - sink.aliveAtMs)),
    watch: (alarms) => {
      for (const sink of sinks.values()) watched.look(alarms, sink.view(), sink.settings.lagAlarmMs);
    },
    close: async () => {
      stopLooking();
      await Promise.all([...sinks.values()].map((sink) => sink.close()));
    },
  };
}

/** What the journal keeps for servers that are no longer named: nobody will ever fetch it. */
async function forgetOthers({ settings, journal, told }: ServersOptions): Promise<void> {
  const named = new Set(settings.map(({ id }) => journalSinkId(id)));
  const stat = await journal.stat();
  for (const [id, { undeliveredBatches }] of Object.entries(stat.sinks)) {
    if (!id.startsWith(journalSinkId('')) || named.has(id)) continue;
    journal.forget(id);
    const sink = id.slice(journalSinkId('').length);
    told(sink, new Fault('SINK_FORGOTTEN', { sink, batches: undeliveredBatches }));
  }
}

/** Once a second the journal is asked what it owes. */
function look(sinks: ReadonlyMap<string, ServerSink>, { journal, clock }: ServersOptions): () => void {
  if (sinks.size === 0) return () => undefined;
  let asking = false;
  return clock.every(1_000, () => {
    if (asking) return;
    asking = true;
    void journal.stat().then((stat) => {
      asking = false;
      for (const sink of sinks.values()) sink.note(stat);
    });
  });
}

/** Until it is on disk: a refused observation is confirmed to the journal only then. */
async function enter(
  { rows, clock }: ServersOptions,
  sink: string,
  refused: readonly RefusedStretch[],
): Promise<void> {
  for (;;) {
    try {
      const entries = refused.map((one) => lossOf(sink, one, clock.nowMs()));
      // After a crash between ledger and confirmation the same stretch comes again: it is one loss.
      const limit = 2 * refused.length + 1_000;
      const known = new Set(
        (await rows.read('losses', { limit, newestFirst: true })).map(({ entry }) => nameOf(entry)),
      );
      const missing = entries.filter((entry) => !known.has(nameOf(entry)));
      return await rows
        .transaction(missing.map((entry) => ({ append: 'losses', entry }) as const))
        .then(() => undefined);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // The rows room tells its own fault; here it only waits.
      await pause(clock, ledgerRetryMs);
    }
  }
}

const lossOf = (sink: string, refused: RefusedStretch, atMs: number): LossEntry => {
  const { device, metric, fromMs, toMs, observations, klass, number, cause } = refused;
  return {
    atMs,
    device,
    metric,
    fromMs,
    toMs,
    observations,
    why: 'sink-refused',
    details: { sink, klass, number, cause },
  };
};

const nameOf = ({ why, device, metric, details, observations }: LossEntry): string =>
  JSON.stringify([
    why,
    device,
    metric,
    observations,
    details?.['sink'],
    details?.['klass'],
    details?.['number'],
  ]);

function partOf(view: SinkView, silentForMs: number): Part {
  const part = `sink ${view.id}`;
  if (silentForMs > workerSilentMs)
    return { part, status: 'red', says: `silent for ${Math.round(silentForMs / 1_000)} s` };
  const behind = `behind by ${Math.round(view.lagMs)} ms (${view.undeliveredBatches} batches)`;
  switch (view.state) {
    case 'delivering':
      return { part, status: view.lagMs > 60_000 ? 'yellow' : 'green', says: behind };
    case 'waiting':
      return {
        part,
        status: 'red',
        says: `away or overloaded, tried again by itself; ${behind}`,
        fault: view.fault,
      };
    case 'paused':
      return { part, status: 'red', says: `paused until somebody mends it; ${behind}`, fault: view.fault };
    default:
      return view.state satisfies never;
  }
}
