import { describe, expect, test } from 'vitest';
import { openIntake } from './open-intake.ts';

const boot = 'b7f39e01c4d2a6f8';
const balance = (counters: {
  received: number;
  kept: number;
  ledgered: number;
  quarantined: number;
  duplicate: number;
}): number =>
  counters.received - counters.kept - counters.ledgered - counters.quarantined - counters.duplicate;

describe('the front door takes what a device says', () => {
  test('and keeps each value with its mark, confirmed when it is in the journal', async () => {
    const house = await openIntake();
    await house.publish('mon-1', {
      boot,
      seq: 1,
      values: {
        MDC_ECG_HEART_RATE: 72,
        MDC_PULS_OXIM_SAT_O2: { value: 97.1, validity: 'questionable' },
        MDC_TEMP_BODY: { value: null, reason: 'sensor-off' },
        'MDC_TEMP/2': { value: 98.6, unit: '[degF]' },
        'vent-mode': { text: 'SIMV+PS' },
        'pump-drug/3': { code: 'noradrenaline', system: 'library-7' },
        'vendor-word': 5,
      },
    });
    expect(
      house.samples.map(({ key, value, questionable }) => [key, Math.round(value * 10) / 10, questionable]),
    ).toEqual([
      ['MDC_ECG_HEART_RATE', 72, false],
      ['MDC_PULS_OXIM_SAT_O2', 97.1, true],
      ['MDC_TEMP/2', 37, false],
      ['vendor-word', 5, true],
    ]);
    expect(house.counters).toMatchObject({ received: 7, kept: 7 });
    const { observations } = await house.kept();
    expect(observations.map(({ key, validity, reason }) => [key, validity, reason])).toEqual([
      ['MDC_ECG_HEART_RATE', 'valid', undefined],
      ['MDC_PULS_OXIM_SAT_O2', 'questionable', undefined],
      ['MDC_TEMP_BODY', 'invalid', 'sensor-off'],
      ['MDC_TEMP/2', 'valid', undefined],
      ['vent-mode', 'valid', undefined],
      ['pump-drug/3', 'valid', undefined],
      ['vendor-word', 'questionable', 'unknown-metric'],
    ]);
  });

  test('marks what lies outside the span, never drops it, and never judges it', async () => {
    const house = await openIntake();
    await house.publish('mon-1', {
      boot,
      seq: 1,
      values: { MDC_ECG_HEART_RATE: 9999, MDC_PULS_OXIM_SAT_O2: 1e308, MDC_RESP_RATE: 0 },
    });
    expect(house.samples.map(({ key, value }) => [key, value])).toEqual([['MDC_RESP_RATE', 0]]);
    expect(house.unusable.map(({ reason }) => reason)).toEqual(['out-of-span', 'out-of-span']);
    const { observations } = await house.kept();
    expect(observations.map(({ value, validity }) => [value, validity])).toEqual([
      [9999, 'invalid'],
      [1e308, 'invalid'],
      [0, 'valid'],
    ]);
  });

  test.each([
    ['no JSON', '{"boot":', 1],
    ['NaN, which is no JSON', `{"boot":"${boot}","seq":1,"values":{"MDC_ECG_HEART_RATE":NaN}}`, 1],
    ['a number in quotes', { boot, seq: 1, values: { MDC_ECG_HEART_RATE: '80' } }, 1],
    ['true for a value', { boot, seq: 1, values: { MDC_ECG_HEART_RATE: true } }, 1],
    ['a bare null', { boot, seq: 1, values: { MDC_ECG_HEART_RATE: null } }, 1],
    ['an infinite number', `{"boot":"${boot}","seq":1,"values":{"MDC_ECG_HEART_RATE":1e999}}`, 1],
    ['an unknown unit', { boot, seq: 1, values: { MDC_TEMP: { value: 3, unit: 'furlong' } } }, 1],
    ['a deep value', { boot, seq: 1, values: { MDC_TEMP: { value: [[[[[[1]]]]]] } } }, 1],
    ['a control character in a key', { boot, seq: 1, values: { 'MDC\u0000X': 1 } }, 1],
    ['no boot', { seq: 1, values: { MDC_TEMP: 1 } }, 1],
    ['a seq in quotes', { boot, seq: '1', values: { MDC_TEMP: 1 } }, 1],
    ['a negative seq', { boot, seq: -1, values: { MDC_TEMP: 1 } }, 1],
    ['no object', [7], 1],
    ['257 elements', Array.from({ length: 257 }, (_, seq) => ({ boot, seq, values: { MDC_TEMP: 1 } })), 1],
  ])('and puts %s into quarantine, confirmed and counted', async (_, payload, quarantined) => {
    const house = await openIntake();
    await house.publish('mon-1', payload);
    expect(house.counters.quarantined).toBe(quarantined);
    expect(house.samples).toEqual([]);
    expect(balance(house.counters)).toBe(0);
    expect(house.faults[0]?.fault.code).toBe('CONTRACT_PAYLOAD');
    const { observations, records } = await house.kept();
    expect(observations).toEqual([]);
    expect(records).toHaveLength(1);
  });

  test('one bad value costs its neighbours nothing, one bad element neither', async () => {
    const house = await openIntake();
    await house.publish('mon-1', [
      { boot, seq: 1, values: { MDC_ECG_HEART_RATE: '80', MDC_PULS_OXIM_SAT_O2: 97 } },
      'nonsense',
      { boot, seq: 2, values: { MDC_ECG_HEART_RATE: 81 } },
    ]);
    expect(house.counters).toEqual({ received: 4, kept: 2, ledgered: 0, quarantined: 2, duplicate: 0 });
    const { observations } = await house.kept();
    expect(observations.map(({ key, value }) => [key, value])).toEqual([
      ['MDC_PULS_OXIM_SAT_O2', 97],
      ['MDC_ECG_HEART_RATE', 81],
    ]);
  });

  test('__proto__ and constructor are words like others and touch nothing', async () => {
    const house = await openIntake();
    await house.publish(
      'mon-1',
      `{"boot":"${boot}","seq":1,"values":{"__proto__":{"polluted":1},"constructor":2,"MDC_TEMP":36.5}}`,
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const { observations } = await house.kept();
    expect(observations.map(({ key }) => key)).toEqual(['constructor', 'MDC_TEMP']);
  });

  test('a re-send is confirmed and not kept again, over a restart too', async () => {
    const first = await openIntake({ keepFolder: true });
    const message = {
      boot,
      seq: 7,
      takenAtMs: Date.now(),
      values: { MDC_ECG_HEART_RATE: 72, MDC_TEMP: 36.5 },
    };
    await first.publish('mon-1', message);
    await first.publish('mon-1', { ...message, ageMs: 12_000 });
    expect(first.counters).toMatchObject({ kept: 2, duplicate: 2 });
    await first.close();

    const second = await openIntake({ folder: first.folder });
    await second.publish('mon-1', { ...message, historical: true, ageMs: 90_000 });
    // The counters go on from the newest batch on disk; a duplicate alone writes none.
    expect(second.counters).toEqual({ received: 4, kept: 2, ledgered: 0, quarantined: 0, duplicate: 2 });
    expect(second.samples).toEqual([]);
    const { observations } = await second.kept();
    expect(observations).toHaveLength(2);
  });

  test('a duplicate of a message still in flight is confirmed with it', async () => {
    const house = await openIntake();
    const message = { boot, seq: 1, values: { MDC_TEMP: 36.5 } };
    const order: string[] = [];
    const both = [
      house.publish('mon-1', message).then(() => order.push('first')),
      house.publish('mon-1', message).then(() => order.push('again')),
    ];
    expect(order).toEqual([]);
    await Promise.all(both);
    expect(order).toEqual(['first', 'again']);
    expect((await house.kept()).observations).toHaveLength(1);
  });

  test('a cuff value sent again with its old measuring time is the same measurement', async () => {
    const house = await openIntake();
    const takenAtMs = Date.now() - 300_000;
    await house.publish('mon-1', {
      boot,
      seq: 1,
      takenAtMs: Date.now(),
      values: { MDC_PRESS_BLD_NONINV_SYS: { value: 120, takenAtMs } },
    });
    await house.publish('mon-1', {
      boot,
      seq: 2,
      takenAtMs: Date.now(),
      values: { MDC_PRESS_BLD_NONINV_SYS: { value: 120, takenAtMs } },
    });
    expect(house.samples).toHaveLength(1);
    expect(house.samples[0]).toMatchObject({ takenAtMs, historical: false });
    expect(house.counters).toMatchObject({ received: 2, kept: 1, duplicate: 1 });
    await house.kept();
  });

  test('demo data are kept, marked, and never judged', async () => {
    const house = await openIntake();
    await house.publish('mon-1', { boot, seq: 1, link: 'birth', mode: 'demo' }, 'state');
    await house.publish('mon-1', { boot, seq: 2, values: { MDC_ECG_HEART_RATE: 20 } });
    expect(house.samples).toEqual([]);
    expect((await house.kept()).observations).toMatchObject([{ value: 20, reason: 'demo' }]);
  });

  test('a late will cannot kill a newborn, the will of the living connection can', async () => {
    const house = await openIntake();
    await house.publish('mon-1', { boot, seq: 11, link: 'birth' }, 'state');
    await house.publish('mon-1', { boot, seq: 4, link: 'death' }, 'state', true);
    await house.publish('mon-1', { boot: 'older', seq: 10, link: 'death' }, 'state', true);
    expect(house.intake.device('mon-1')?.link).toBe('connected');
    await house.publish('mon-1', { boot, seq: 10, link: 'death' }, 'state', true);
    expect(house.intake.device('mon-1')?.link).toBe('lost');
    await house.kept();
  });

  test('after an unclean stop each device that comes back has its span in doubt in the ledger', async () => {
    const first = await openIntake({ keepFolder: true });
    await first.publish('mon-1', { boot, seq: 1, values: { MDC_TEMP: 36.5 } });
    await first.close();
    const second = await openIntake({ folder: first.folder });
    // The same road a killed process takes: recovery that finds the journal not closed.
    for (const device of second.intake.all()) device.spanInDoubt = true;
    await second.publish('mon-1', { boot, seq: 2, values: { MDC_TEMP: 36.6 } });
    expect(second.ledger.open()).toMatchObject([
      { device: 'mon-1', metric: '*', why: 'unclean-stop', observations: 0 },
    ]);
    await second.kept();
  });

  test('the counters in a batch balance though an alert waits in another class', async () => {
    const first = await openIntake({ keepFolder: true });
    const alert = { alertId: 'lead', code: 'LEAD', text: 'lead off', phase: 'start' };
    const alerts = [{ ...alert, priority: 'low', type: 'technical' }];
    await Promise.all([
      first.publish('mon-1', { boot, seq: 1, values: { MDC_TEMP: 36.5 } }),
      first.publish('mon-1', { boot, seq: 2, alerts, complete: true }, 'alerts'),
    ]);
    await first.close();
    const second = await openIntake({ folder: first.folder });
    expect(second.counters).toEqual({ received: 1, kept: 1, ledgered: 0, quarantined: 0, duplicate: 0 });
    await second.kept();
  });

  test('after an orderly stop the counters are those of the end', async () => {
    const first = await openIntake({ keepFolder: true });
    const message = { boot, seq: 1, values: { MDC_TEMP: 36.5 } };
    await first.publish('mon-1', message);
    await first.publish('mon-1', message);
    await first.intake.noteCounters();
    await first.close();
    const second = await openIntake({ folder: first.folder });
    expect(second.counters).toEqual({ received: 2, kept: 1, ledgered: 0, quarantined: 0, duplicate: 1 });
    await second.kept();
  });
});

test('the newest values of before the start are shown until the device speaks, and are not judged', async () => {
  const house = await openIntake();
  const row = {
    device: 'mon-1',
    metric: 'MDC_ECG_HEART_RATE',
    takenAtMs: 5,
    receivedAtMs: 6,
    value: 180,
    validity: 'valid',
    boot,
    seq: 1,
    historical: false,
    unplaced: false,
  } as const;
  house.intake.restoreLatest([row]);
  const series = house.intake.device('mon-1')?.series.get('MDC_ECG_HEART_RATE');
  expect(series?.latest).toMatchObject({ value: 180, takenAtMs: 5, receivedAtMs: 6 });
  expect(house.samples).toEqual([]);
  await house.publish('mon-1', { boot, seq: 2, values: { MDC_ECG_HEART_RATE: 72 } });
  house.intake.restoreLatest([row]);
  expect(series?.latest).toMatchObject({ value: 72 });
  await house.kept();
});
