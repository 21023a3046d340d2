import { defaultBounds } from '../../../gateway/store/historian-protocol.ts';
import { aggregatesOf, rowsOf } from '../../../gateway/store/rows-of.ts';
import { StoreCore } from '../../../gateway/store/store-core.ts';
import type { Historian } from '../../../gateway/store/types.ts';
import { bodyOf, type Message } from '../store/bodies.ts';

const breathe = (): Promise<void> => Promise.resolve();

/** The real store without its thread: what is appended is found at once. */
export interface OpenStore {
  readonly historian: Historian;
  append(messages: readonly Message[]): void;
  /** Writes and makes chunks, as time does. */
  settle(): void;
  close(): void;
}

export function openStore(folder: string, nowMs: number): OpenStore {
  const forever = 1e15;
  const settings = {
    ...defaultBounds,
    folder,
    epoch: 'e',
    retention: { vital: forever, settings: forever, technical: forever },
  };
  const core = new StoreCore(settings, nowMs, (fault) => {
    throw fault;
  });
  let number = 0;
  const historian: Historian = {
    range: async (spans, page) => {
      const columns = await core.range({ spans, ...page }, breathe);
      const rows = await rowsOf(columns);
      return columns.next === undefined ? { rows } : { rows, next: columns.next };
    },
    lines: (spans, page) => core.lines({ spans, ...page }, breathe),
    latest: async (devices) => rowsOf(core.latest(devices)),
    aggregate: async (spans, everyMs, of) =>
      aggregatesOf(await core.aggregate({ spans, everyMs, ...(of ? { of } : {}) }, breathe)),
    correct: async (correction) => core.correct(correction),
    corrections: async (spans) => core.corrections(spans),
    status: () => ({
      lagMs: 0,
      series: 0,
      storedObservations: 0,
      expiredObservations: 0,
      bytes: 0,
      aliveAtMs: 0,
    }),
    close: async () => core.close(),
  };
  return {
    historian,
    append: (messages) => {
      const { body, facts } = bodyOf(messages);
      if (!core.fits(facts.observations)) core.flush();
      core.append('numerics', number++, body);
    },
    settle: () => {
      core.flush();
      while (!core.compactStep());
    },
    close: () => core.close(),
  };
}
