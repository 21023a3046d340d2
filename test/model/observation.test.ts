import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seriesKey, splitKey } from '../../model/observation.ts';

test('a series is named by its metric, and by its channel where there is one', () => {
  expect(seriesKey('MDC_TEMP')).toBe('MDC_TEMP');
  expect(seriesKey('MDC_TEMP', '')).toBe('MDC_TEMP');
  expect(seriesKey('MDC_TEMP', '2')).toBe('MDC_TEMP/2');
});

test('a key is split at its first slash alone', () => {
  expect(splitKey('MDC_TEMP')).toEqual({ metric: 'MDC_TEMP' });
  expect(splitKey('pump-drug/rack/3')).toEqual({ metric: 'pump-drug', channel: 'rack/3' });
});

test('every metric and channel comes back from its key', () => {
  const metric = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
  fc.assert(
    fc.property(metric, fc.option(fc.string({ minLength: 1 }), { nil: undefined }), (name, channel) => {
      const split = splitKey(seriesKey(name, channel));
      expect(split.metric).toBe(name);
      expect(split.channel).toBe(channel);
    }),
  );
});
