import { defaultBounds, type HistorianBounds } from '../../../gateway/store/historian-protocol.ts';
import { rowsOf } from '../../../gateway/store/rows-of.ts';
import { StoreCore } from '../../../gateway/store/store-core.ts';
import type { SeriesSpan, StoredRow } from '../../../gateway/store/types.ts';
import type { Fault } from '../../../model/fault.ts';
import { bodyOf, type Message } from './bodies.ts';
import { openFolder } from './folder.ts';

export const breathe = (): Promise<void> => Promise.resolve();

/** The store without its thread, in a folder of its own. */
export function openCore(bounds: Partial<HistorianBounds> = {}) {
  const folder = openFolder();
  const faults: Fault[] = [];
  const open = (): StoreCore =>
    new StoreCore({ ...defaultBounds, ...bounds, folder: folder.path, epoch: 'e1' }, 0, (fault) =>
      faults.push(fault),
    );
  let core = open();
  let number = 0;
  return {
    folder: folder.path,
    faults,
    get core() {
      return core;
    },
    /** Takes the messages and makes chunks of everything. */
    chunk: (messages: readonly Message[]): void => {
      core.append('numerics', number++, bodyOf(messages).body);
      core.flush();
      while (!core.compactStep());
    },
    rows: async (spans: readonly SeriesSpan[]): Promise<StoredRow[]> =>
      rowsOf(await core.range({ spans, limit: 10_000 }, breathe)),
    /** Closes it and opens it again; between the two its files may be changed. */
    reopen: (between: () => void = () => undefined): void => {
      core.close();
      between();
      core = open();
    },
    [Symbol.dispose]: () => {
      core.close();
      folder[Symbol.dispose]();
    },
  };
}
