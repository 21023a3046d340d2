import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

// Goal: a phone in the background is no alarm. Way: hidden before, hidden while it rings, back again.
test('a hidden phone is passed over at once, and told to the charge nurse after 30 s when nothing rings', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 10);
  anna.hide();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 29);
  expect(cleo.sounds()).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 3);
  expect(cleo.sounds()).toEqual(['handheld-cannot-ring']);
  expect(ward.one('handheld-cannot-ring').details).toEqual({ handheld: 'H-anna', why: 'hidden' });

  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  expect(cleo.sounds()).toContain('limit SpO2 low');
  anna.visible = true;
  anna.beat();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(anna.sounds()).toEqual(['limit SpO2 low']);
  expect(ward.present()).not.toContain('handheld-cannot-ring');
});

test.each(['wakeLock', 'audio', 'visible'] as const)(
  'while it rings, without %s: the next at once',
  async (lost) => {
    const ward = await openWard();
    const house = await nursing(ward);
    const anna = house.on('anna', ['bed-1']);
    const cleo = house.on('cleo', [], ['charge-nurse']);
    await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
    expect([anna.sounds(), cleo.sounds()]).toEqual([['limit SpO2 low'], []]);
    anna[lost] = false;
    anna.beat();
    expect(cleo.sounds()).toEqual(['limit SpO2 low']);
  },
);
