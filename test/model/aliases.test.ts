import { expect, test } from 'vitest';
import { aliases, findMetric } from '../../model/aliases.ts';
import { metrics } from '../../model/metric-table.ts';

test('every alias leads to a metric of the table, and no vendor’s code stands twice', () => {
  for (const alias of aliases) expect(metrics.has(alias.refId), alias.code).toBe(true);
  const keys = aliases.map((alias) => `${alias.vendor} ${alias.system} ${alias.code}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test('the cuff under its other code is the cuff', () => {
  expect(findMetric({ vendor: 'mindray', code: 150301, refId: 'MDC_PRESS_CUFF_SYS' })?.refId).toBe(
    'MDC_PRESS_BLD_NONINV_SYS',
  );
  expect(findMetric({ code: '150302' })?.refId).toBe('MDC_PRESS_BLD_NONINV_DIA');
});

test('a mistyped number beside a known text is read by its text, and alone as nothing', () => {
  expect(findMetric({ code: 150031, refId: 'MDC_PRESS_CUFF_SYS' })?.refId).toBe('MDC_PRESS_BLD_NONINV_SYS');
  expect(findMetric({ code: 150031 })).toBeUndefined();
});

test('two arterial lines of one monitor stay two metrics of one quantity', () => {
  const art = findMetric({ vendor: 'ge', code: 150033 });
  const abp = findMetric({ vendor: 'ge', code: 150037 });
  expect([art?.refId, abp?.refId]).toEqual(['MDC_PRESS_BLD_ART_SYS', 'MDC_PRESS_BLD_ART_ABP_SYS']);
  expect(art?.quantity).toBe(abp?.quantity);
});

test('one maker’s code says nothing about another’s', () => {
  expect(findMetric({ vendor: 'ge', code: 151712 })?.refId).toBe('MDC_CONC_AWAY_CO2_ET');
  expect(findMetric({ vendor: 'mindray', code: 151712 })?.refId).toBe('MDC_CONC_AWAY_CO2_EXP');
  expect(findMetric({ vendor: 'comen', system: '99COMEN', code: '2267' })?.refId).toBe('acvpu');
  expect(findMetric({ vendor: 'mindray', system: '99MNDRY', code: '2267' })).toBeUndefined();
});

test('a 16-bit physio code is the 32-bit code of partition 2', () => {
  for (const alias of aliases.filter((each) => each.system === 'physio' && !each.code.startsWith('0xF'))) {
    const mdc = metrics.get(alias.refId)?.mdc ?? 0;
    const moved = ['0x4822', '0x50B0'].includes(alias.code);
    if (!moved) expect(mdc, alias.code).toBe(2 * 65_536 + Number(alias.code));
  }
  expect(findMetric({ vendor: 'philips', system: 'physio', code: '0x4bb8' })?.refId).toBe(
    'MDC_PULS_OXIM_SAT_O2',
  );
});

test('an empty or unknown code is no metric', () => {
  expect(findMetric({ code: '' })).toBeUndefined();
  expect(findMetric({})).toBeUndefined();
  expect(findMetric({ code: 'MDC_NO_SUCH' })).toBeUndefined();
});
