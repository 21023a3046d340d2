import { join } from 'node:path';
import { Value } from 'typebox/value';
import { openRows } from '../../../../gateway/rows/rows.ts';
import type { LossEntry } from '../../../../gateway/rows/tables.ts';
import { openServers, type Servers } from '../../../../gateway/store/servers/open.ts';
import type { SinkView } from '../../../../gateway/store/servers/server-sink.ts';
import {
  journalSinkId,
  ServerSchema,
  type ServerSettings,
} from '../../../../gateway/store/servers/settings.ts';
import type { StoredRow } from '../../../../gateway/store/types.ts';
import { openJournal } from '../../../../journal/journal.ts';
import { systemClock } from '../../../../model/clock.ts';
import type { Fault } from '../../../../model/fault.ts';
import { openFolder } from '../folder.ts';
import { bodyOf } from '../bodies.ts';

export const clock = systemClock();

/** Settings of a sink as `vigil.yaml` gives them, with short waits. */
export const settingsOf = (given: Partial<ServerSettings>): ServerSettings =>
  Value.Default(ServerSchema, {
    id: 'tsdb',
    kind: 'influxdb-1',
    gatherMs: 20,
    deadlineMs: 2_000,
    retryMaxMs: 500,
    probeMs: 200,
    ...(given.kind === undefined || given.kind === 'influxdb-1' ? { database: 'vigil' } : {}),
    ...given,
  }) as ServerSettings;

/** Journal, loss ledger and time-series sinks in one folder, as the gateway has them. */
export interface ServerRoom extends AsyncDisposable {
  readonly servers: Servers;
  readonly faults: Fault[];
  sink(id?: string): SinkView;
  /** Resolves when the journal has kept them: confirmed. */
  keep(messages: readonly (readonly StoredRow[])[]): Promise<void>;
  losses(): Promise<readonly LossEntry[]>;
  /** Until nothing is owed to any sink. */
  settled(withinMs?: number): Promise<void>;
  /** The journal no longer knows what the sink has, as after a crash before it was noted. */
  forgetPosition(id: string): Promise<void>;
  /** Closes and opens all of it on the same folder, as a restart does. */
  reopen(settings?: readonly ServerSettings[]): Promise<void>;
}

export async function openServerRoom(settings: readonly ServerSettings[]): Promise<ServerRoom> {
  const folder = openFolder();
  const faults: Fault[] = [];
  const told = (fault: Fault): void => void faults.push(fault);
  const open = async (named: readonly ServerSettings[]) => {
    const rows = await openRows({ folder: join(folder.path, 'registry'), clock, told });
    const journal = await openJournal({
      folder: join(folder.path, 'journal'),
      segmentBytes: 16 << 20,
      maxBytes: 1 << 30,
      snapshot: () => undefined,
      lost: () => undefined,
      faulty: told,
    });
    const servers = await openServers({
      settings: named,
      journal,
      rows,
      clock,
      told: (_, fault) => told(fault),
    });
    return { rows, journal, servers };
  };
  const close = async ({ rows, journal, servers }: Awaited<ReturnType<typeof open>>): Promise<void> => {
    await servers.close();
    await journal.close();
    await rows.close();
  };
  let newest = -1;
  let named = settings;
  let house = await open(named);
  return {
    get servers() {
      return house.servers;
    },
    faults,
    sink: (id) => {
      const found = house.servers.views().find((view) => id === undefined || view.id === id);
      if (!found) throw new Error(`no sink ${id}`);
      return found;
    },
    keep: (messages) => {
      const { body, facts } = bodyOf(messages);
      return new Promise((resolve, reject) =>
        house.journal.append('numerics', body, facts, (outcome, number) => {
          newest = Math.max(newest, number);
          if (outcome === 'kept') resolve();
          else reject(outcome);
        }),
      );
    },
    losses: async () => (await house.rows.read('losses', { limit: 1_000 })).map(({ entry }) => entry),
    settled: async (withinMs = 15_000) => {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const { sinks, classes } = await house.journal.stat();
        // The thread that feeds the sinks hears of a batch after the caller does.
        const heard = classes.numerics.nextNumber > newest;
        if (heard && Object.values(sinks).every(({ undeliveredBatches }) => undeliveredBatches === 0)) return;
        if (performance.now() > deadline)
          throw new Error(`not settled: ${JSON.stringify([sinks, house.servers.views()])}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    forgetPosition: async (id) => {
      await house.servers.close();
      house.journal.forget(journalSinkId(id));
      await close(house);
      house = await open(named);
    },
    reopen: async (others) => {
      await close(house);
      named = others ?? named;
      house = await open(named);
    },
    [Symbol.asyncDispose]: async () => {
      await close(house);
      folder[Symbol.dispose]();
    },
  };
}
