import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import masimoDriver from '../../drivers/masimo/index.ts';
import { createFrames } from '../../drivers/masimo/frames.ts';
import { readLine } from '../../drivers/masimo/line.ts';
import { instantOf, isZone } from '../../model/local-time.ts';
import type { Driver } from '../../drivers/driver.ts';
import { openDriver } from './driver-house.ts';

const local = (year: number, month: number, day: number, hour: number, minute = 0) => ({
  year,
  month,
  day,
  hour,
  minute,
  second: 0,
});
const whole =
  '02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=097 PI=03.60% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0000 EXC=000800';

describe('the oximeter’s clock', () => {
  test('is read in a named zone, summer and winter', () => {
    expect(instantOf(local(2026, 1, 15, 12), 'Europe/Berlin')).toBe(Date.UTC(2026, 0, 15, 11));
    expect(instantOf(local(2026, 7, 15, 12), 'Europe/Berlin')).toBe(Date.UTC(2026, 6, 15, 10));
    expect(instantOf(local(2026, 7, 15, 12), 'Asia/Shanghai')).toBe(Date.UTC(2026, 6, 15, 4));
  });

  test('is read around a clock change', () => {
    // 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
    expect(instantOf(local(2026, 3, 29, 1, 59), 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 29, 0, 59));
    expect(instantOf(local(2026, 3, 29, 3, 1), 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 29, 1, 1));
    expect(instantOf(local(2026, 10, 25, 1, 30), 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 24, 23, 30));
    expect(instantOf(local(2026, 10, 25, 2, 30), 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 25, 0, 30));
    expect(instantOf(local(2026, 10, 25, 4, 0), 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 25, 3));
  });

  test('is read with a fixed offset', () => {
    expect(instantOf(local(2026, 1, 15, 12), '+08:00')).toBe(Date.UTC(2026, 0, 15, 4));
    expect(instantOf(local(2026, 1, 15, 12), '-0330')).toBe(Date.UTC(2026, 0, 15, 15, 30));
  });

  test('needs a zone that there is', async () => {
    expect(['Europe/Berlin', 'UTC', '+08:00', 'Mars/Olympus', ''].map(isZone)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    const driver = masimoDriver as unknown as Driver;
    await expect(
      openDriver(driver, { port: 'tcp://127.0.0.1:1', timeZone: 'Mars/Olympus' }),
    ).rejects.toMatchObject({
      code: 'DRIVER_SETTINGS',
      details: { path: '/timeZone' },
    });
  });
});

describe('a line', () => {
  test('is the same however its bytes are cut', () => {
    const bytes = Buffer.from(`${whole}\r\n${whole}\r${whole}\n`);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const frames = createFrames();
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const lines = at.flatMap((from, index) => [
          ...frames.push(bytes.subarray(from, at[index + 1] ?? from)).lines,
        ]);
        expect(lines).toEqual([whole, whole, whole]);
      }),
    );
  });

  test('cut anywhere is no line', () => {
    for (let length = 0; length < whole.length; length++)
      expect(typeof readLine(whole.slice(0, length))).toBe('string');
    expect(typeof readLine(whole)).toBe('object');
  });

  test('of arbitrary bytes never throws, and endless ones are thrown away', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        (bytes) => void readLine(Buffer.from(bytes).toString('latin1')),
      ),
    );
    const frames = createFrames();
    let discarded = 0;
    for (let n = 0; n < 100; n++) discarded += frames.push(Buffer.alloc(100, 0x41)).discarded;
    expect(discarded).toBeGreaterThan(9_000);
  });

  test.each([
    ['PI of another width', whole.replace('PI=03.60', 'PI=3.6')],
    ['a letter in a flag', whole.replace('EXC=000800', 'EXC=00G800')],
    ['a serial number with a blank', whole.replace('SN=0000056661', 'SN=00000 56661')],
    ['EXC not last', `${whole} X=1`],
    ['an unknown key with a control byte', whole.replace('ALARM', 'NEW=\u0001 ALARM')],
    ['month 13', whole.replace('02/22/16', '13/22/16')],
    ['hour 24', whole.replace('22:47:45', '24:47:45')],
  ])('is refused with %s', (_, text) => {
    expect(typeof readLine(text)).toBe('string');
  });

  test('may carry keys nobody knows yet', () => {
    expect(readLine(whole.replace('ALARM', 'SPHB=12.1 ALARM'))).toMatchObject({ alarm: 0, exc: 0x800 });
  });
});
