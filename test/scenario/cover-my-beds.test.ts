import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing, personOf } from '../house/nursing-house.ts';

const ids = (answer: { id: string } | string): string => (typeof answer === 'string' ? answer : answer.id);

// Goal: a break does not leave a bed alone, and does not last for ever. Way: Bela is named, accepts, and forgets.
test('cover counts once it is accepted, rings at the one who covers, and ends after its time', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const bela = house.on('bela');
  const { covers } = house.people;
  expect(covers.ask(personOf('anna'), { ward: 'icu', to: 'anna', minutes: 10 })).toBe('oneself');
  expect(covers.ask(personOf('anna'), { ward: 'icu', to: 'bela', minutes: 61 })).toBe('too-long');
  const id = ids(covers.ask(personOf('anna'), { ward: 'icu', to: 'bela', minutes: 30 }));
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect([anna.sounds(), bela.sounds()]).toEqual([['limit SpO2 low'], []]);
  ward.say('mon-1', { [SPO2]: 97 });

  expect(covers.accept(personOf('cleo'), id)).toBe('not-named');
  covers.accept(personOf('bela'), id);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect([anna.sounds(), bela.sounds()]).toEqual([[], ['limit SpO2 low']]);
  ward.say('mon-1', { [SPO2]: 97 });

  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 30 * 60);
  expect(covers.cover(id)?.endedAtMs).toBeDefined();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect([anna.sounds(), bela.sounds()]).toEqual([['limit SpO2 low'], []]);
});

test('the one who covers cannot ring: it is at the covered one at once, then at the charge nurse', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const bela = house.on('bela');
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const { covers } = house.people;
  const id = ids(covers.ask(personOf('anna'), { ward: 'icu', to: 'bela', minutes: 30 }));
  covers.accept(personOf('bela'), id);
  bela.hide();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect([anna.sounds(), cleo.sounds()]).toEqual([['limit SpO2 low'], []]);
});
