/** The alarm log of the alarm engine, kept as rows. */
import type { AlarmLog } from '../alarm/alarm-log.ts';
import type { Rows } from './rows.ts';

const pageRows = 500;

export const alarmLogRows = (rows: Pick<Rows, 'append' | 'read'>): AlarmLog => ({
  append: (entry) => rows.append('alarm-log', entry),
  readBack: async (take) => {
    let after: number | undefined;
    for (;;) {
      const page = await rows.read('alarm-log', { after, limit: pageRows, newestFirst: true });
      for (const { entry } of page) if (take(entry) === 'enough') return;
      if (page.length < pageRows) return;
      after = page.at(-1)?.number;
    }
  },
});
