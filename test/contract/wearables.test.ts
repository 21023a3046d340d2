import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRawFeed, type RawFeed } from '../../drivers/host/raw-feed.ts';
import type { Driver } from '../../drivers/driver.ts';
import gattDriver from '../../drivers/wearable-gatt/index.ts';
import { characteristics } from '../../drivers/wearable-gatt/settings.ts';
import jsonDriver from '../../drivers/wearable-json/index.ts';
import { metrics } from '../../model/metric-table.ts';
import { systemClock } from '../../model/clock.ts';
import { openDriver, type DriverHouse } from '../drivers/driver-house.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import { sparkplugBytes, type SparkplugDraft } from './sparkplug-bytes.ts';

// What the drivers behind the raw lane promise: foreign MQTT messages in, as the gateway hands them down.
const gatt = gattDriver as unknown as Driver;
const json = jsonDriver as unknown as Driver;
const clock = systemClock();
const startMs = Date.UTC(2026, 2, 5, 10, 20, 0);
const cases = join(import.meta.dirname, '../cases');
const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('wearable-gatt', () => {
  test('never throws on mutated notifications, and tells no metric it has not declared', () => {
    const declared = new Set(gatt.metrics);
    const frames = readdirSync(join(cases, 'wearable-gatt')).map((name) => {
      const folder = join(cases, 'wearable-gatt', name);
      const options = join(folder, 'options.json');
      const { characteristic } = (existsSync(options) ? JSON.parse(readFileSync(options, 'utf8')) : {}) as {
        characteristic?: string;
      };
      return { characteristic, bytes: hex(readFileSync(join(folder, 'frame.hex'), 'utf8')) };
    });
    const change = fc.record({ at: fc.nat(60), byte: fc.nat(255) });
    const which = fc.option(fc.constantFrom(...characteristics), { nil: undefined });
    const given = fc.tuple(fc.constantFrom(...frames), fc.array(change, { maxLength: 4 }), which);
    fc.assert(
      fc.property(given, ([frame, changes, other]) => {
        const bytes = Buffer.from(frame.bytes);
        for (const { at, byte } of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
        const characteristic = other ?? frame.characteristic;
        for (const item of gatt.decode?.(bytes, { clock, ...(characteristic && { characteristic }) }) ?? [])
          if (item.kind === 'observation') expect(declared).toContain(item.metric);
      }),
      { numRuns: 2_000, seed: 20261121 },
    );
  });

  test('is searching until the first message, and connected from then on', async () => {
    await using ward = await openWard(gatt, {});
    ward.send('w/2a37', hex('16486a03'));
    expect(ward.house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
    expect(ward.values('MDC_ECG_HEART_RATE')).toEqual([72]);
  });

  test('times what has no time by its arrival, and each beat before it', async () => {
    await using ward = await openWard(gatt, {});
    ward.send('w/2a37', hex('1e48e8036a036b03'));
    expect(ward.times('MDC_ECG_HEART_RATE')).toEqual([startMs]);
    expect(ward.times('rr-interval')).toEqual([startMs - 854, startMs]);
  });

  test('keeps the time a thermometer measured at, and tells the same measurement once', async () => {
    await using ward = await openWard(gatt, { timeZone: 'UTC' });
    for (let n = 0; n < 3; n++) ward.send('w/2a1c', hex('06700100ffea0703050a0f0002'));
    expect(ward.times('MDC_TEMP_BODY')).toEqual([Date.UTC(2026, 2, 5, 10, 15)]);
    expect(ward.house.counts['frame']).toBe(3);
  });

  test('marks a time whose zone nobody set, and one that is ahead of ours', async () => {
    for (const settings of [{}, { timeZone: '-08:00' }]) {
      await using ward = await openWard(gatt, settings);
      ward.send('w/2a1c', hex('06700100ffea0703050a0f0002'));
      const [seen] = ward.house.observations('MDC_TEMP_BODY');
      expect(seen).toMatchObject({
        value: 36.8,
        validity: 'questionable',
        mark: 'clock',
        takenAtMs: startMs,
      });
    }
  });

  test('reads the bytes as hexadecimal or base64 where the settings say so', async () => {
    await using asHex = await openWard(gatt, { encoding: 'hex', characteristic: '2a5f' });
    asHex.send('spo2', Buffer.from('00:63:00:50:00'));
    asHex.send('spo2', Buffer.from('no hex'));
    expect(asHex.values('MDC_PULS_OXIM_SAT_O2')).toEqual([99]);
    expect(asHex.house.counts['discardedBytes']).toBe(6);
    await using as64 = await openWard(gatt, { encoding: 'base64', characteristic: '2a5f' });
    as64.send('spo2', Buffer.from(hex('0063005000').toString('base64')));
    expect(as64.values('MDC_PULS_OXIM_SAT_O2')).toEqual([99]);
  });

  test('counts what is of no characteristic it reads', async () => {
    await using ward = await openWard(gatt, {});
    ward.send('w/2a19', hex('64'));
    ward.send('w/2a37', hex('16'));
    expect(ward.house.observations()).toEqual([]);
    expect(ward.house.counts['discardedBytes']).toBe(2);
  });

  test('joins the frames of a PC-60FW that notifications split', async () => {
    await using ward = await openWard(gatt, {});
    for (const byte of hex('aa550f08016358002300c0d7')) ward.send('w/6e400003', Buffer.from([byte]));
    expect(ward.values('MDC_PULS_OXIM_SAT_O2')).toEqual([99]);
  });

  test('tells demo as the mode of the device', async () => {
    await using ward = await openWard(gatt, {});
    ward.send('w/2a5f', hex('045f0048000004'));
    ward.send('w/2a5f', hex('045f0048000000'));
    expect(ward.house.modes).toEqual(['demo', 'operating']);
  });

  test('an alert of one characteristic does not end with a message of another', async () => {
    await using ward = await openWard(gatt, {});
    ward.send('w/2aa7', hex('07203400230004'));
    ward.send('w/6e400003', hex('aa55f0030303f6'));
    ward.send('w/2aa7', hex('06006e002300'));
    const phases = ward.house.emitted.flatMap((item) =>
      item.kind === 'alerts' ? item.alerts.map(({ alertId, phase }) => `${alertId} ${phase}`) : [],
    );
    expect(phases).toEqual(['glucose-hypo start', 'glucose-hypo end']);
  });

  test('says nothing after close()', async () => {
    await using ward = await openWard(gatt, {});
    await ward.house.session.close();
    expect(ward.send('w/2a37', hex('0648'))).toBe(false);
    expect(ward.house.observations()).toEqual([]);
  });

  test('refuses a zone that does not exist', async () => {
    await expect(openWard(gatt, { timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
      code: 'DRIVER_SETTINGS',
    });
  });
});

describe('wearable-json', () => {
  const thermometer = Buffer.from('{"id":"A4:C1:38:0D:12:34","rssi":-63,"tempc":36.6,"batt":87}');

  test('never throws on mutated messages', () => {
    const frames = readdirSync(join(cases, 'wearable-json')).map((name) =>
      hex(readFileSync(join(cases, 'wearable-json', name, 'frame.hex'), 'utf8')),
    );
    const change = fc.record({ at: fc.nat(160), byte: fc.nat(255) });
    const words = fc.constantFrom(undefined, 'spo2', 'toString');
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(change, { maxLength: 4 }),
        words,
        (frame, changes, property) => {
          const bytes = Buffer.from(frame);
          for (const { at, byte } of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
          for (const item of json.decode?.(bytes, { clock, settings: { property } }) ?? [])
            if (item.kind === 'observation') expect(metrics.has(item.metric)).toBe(true);
        },
      ),
      { numRuns: 2_000, seed: 20261121 },
    );
  });

  test('a word means what the settings say, and the address is the identity', async () => {
    await using ward = await openWard(json, {
      properties: { tempc: { metric: 'MDC_TEMP_SKIN', channel: '2' } },
    });
    ward.send('home/OpenMQTTGateway/BTtoMQTT/A4C1380D1234', thermometer);
    expect(ward.house.observations('MDC_TEMP_SKIN')).toMatchObject([
      { value: 36.6, channel: '2', takenAtMs: startMs },
    ]);
    expect(ward.house.identities).toEqual([{ serial: 'A4:C1:38:0D:12:34' }]);
    expect(ward.house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
  });

  test('a state topic says its word itself', async () => {
    await using ward = await openWard(json, {});
    ward.send('node-7/sensor/spo2/state', Buffer.from('96'));
    ward.send('node-7/sensor/uptime/state', Buffer.from('12345'));
    expect(ward.values('MDC_PULS_OXIM_SAT_O2')).toEqual([96]);
    expect(ward.house.observations()).toHaveLength(1);
  });

  test('offline is a lost link until it speaks again', async () => {
    await using ward = await openWard(json, {});
    ward.send('node-7/status', Buffer.from('online'));
    ward.send('node-7/status', Buffer.from('offline'));
    ward.send('node-7/sensor/spo2/state', Buffer.from('96'));
    const links = ward.house.links.map(({ link }) => link);
    expect(links.slice(0, 4)).toEqual(['searching', 'connected', 'lost', 'connected']);
    expect(ward.house.session.recovers).toBe(true);
  });

  test('counts what it cannot read, and says nothing after close()', async () => {
    await using ward = await openWard(json, {});
    ward.send('home/OpenMQTTGateway/BTtoMQTT/A4C1380D1234', Buffer.from('{"tempc":'));
    expect(ward.house.counts['discardedBytes']).toBe(9);
    await ward.house.session.close();
    expect(ward.send('home/OpenMQTTGateway/BTtoMQTT/A4C1380D1234', thermometer)).toBe(false);
    expect(ward.house.observations()).toEqual([]);
  });
});

describe('Sparkplug B', () => {
  const named = { sparkplug: { group: 'icu', edgeNode: 'edge-1', device: 'band-1' } };
  const topic = (kind: string): string =>
    `spBv1.0/icu/${kind}/edge-1${kind.startsWith('D') ? '/band-1' : ''}`;
  const float = (value: number, more: SparkplugDraft = {}): SparkplugDraft => ({
    datatype: 9,
    floatValue: value,
    ...more,
  });
  const birth = (alias: number, name: string): Buffer => sparkplugBytes([float(72, { alias, name })]);

  test('the topics of a device are its own, and those of its node are shared', () => {
    const settings = { ...named, topics: [], properties: {} };
    expect(jsonDriver.foreign?.(settings)).toEqual({
      topics: ['DBIRTH', 'DDATA', 'DDEATH'].map(topic),
      shared: ['NBIRTH', 'NDEATH'].map(topic),
    });
  });

  test('an alias means what the last birth said, and nothing before it or after a death', async () => {
    await using ward = await openWard(json, named);
    const data = sparkplugBytes([float(80, { alias: 4 })]);
    ward.send(topic('DDATA'), data);
    expect(ward.house.observations()).toEqual([]);
    ward.send(topic('DBIRTH'), birth(4, 'vitals/hr'));
    ward.send(topic('DDATA'), sparkplugBytes([float(130, { alias: 4, name: 'vitals/pr' })]));
    ward.send(topic('NBIRTH'), birth(4, 'uptime'));
    ward.send(topic('DDATA'), data);
    ward.send(topic('DBIRTH'), birth(4, 'vitals/spo2'));
    ward.send(topic('DDATA'), sparkplugBytes([float(97, { alias: 4 })]));
    ward.send(topic('DDEATH'), sparkplugBytes([]));
    ward.send(topic('DDATA'), sparkplugBytes([float(98, { alias: 4 })]));
    expect(ward.values('MDC_ECG_HEART_RATE')).toEqual([72]);
    expect(ward.values('MDC_PULS_OXIM_PULS_RATE')).toEqual([130]);
    expect(ward.values('MDC_PULS_OXIM_SAT_O2').at(0)).toBe(72);
    expect(ward.values('MDC_PULS_OXIM_SAT_O2')).not.toContain(98);
  });

  test('the death of the node is that of the device, the late will of an older connection is not', async () => {
    await using ward = await openWard(json, named);
    const bdSeq = (value: string): SparkplugDraft => ({ name: 'bdSeq', datatype: 8, longValue: value });
    ward.send(topic('NBIRTH'), sparkplugBytes([bdSeq('8')]));
    ward.send(topic('DBIRTH'), birth(1, 'vitals/hr'));
    ward.send(topic('NDEATH'), sparkplugBytes([bdSeq('7')]));
    expect(ward.house.links.map(({ link }) => link)).not.toContain('lost');
    ward.send(topic('NDEATH'), sparkplugBytes([bdSeq('8')]));
    expect(ward.house.links.at(-1)?.link).toBe('lost');
    ward.send(topic('DBIRTH'), birth(1, 'vitals/hr'));
    expect(ward.house.links.at(-1)?.link).toBe('connected');
  });

  test('no value is a sensor that is off; each value keeps the time it says if that fits ours', async () => {
    await using ward = await openWard(json, named);
    const at = (ageMs: number): string => String(startMs - ageMs);
    ward.send(topic('DDATA'), sparkplugBytes([{ name: 'vitals/spo2', datatype: 9, isNull: true }]));
    ward.send(topic('DDATA'), sparkplugBytes([float(36.6, { name: 'MDC_TEMP_BODY', timestamp: at(2_000) })]));
    ward.send(topic('DDATA'), sparkplugBytes([float(61, { name: 'hr', timestamp: at(3_600_000) })]));
    const stored = { name: 'hr', timestamp: at(3_600_000), isHistorical: true };
    ward.send(topic('DDATA'), sparkplugBytes([float(62, stored)]));
    const [spo2, temperature, ...rates] = ward.house.observations();
    expect(spo2).toMatchObject({ metric: 'MDC_PULS_OXIM_SAT_O2', value: null, reason: 'sensor-off' });
    expect(temperature).toMatchObject({ value: 36.6, takenAtMs: startMs - 2_000 });
    expect(rates).toMatchObject([
      { value: 61, takenAtMs: startMs, validity: 'questionable', mark: 'clock' },
      { value: 62, takenAtMs: startMs - 3_600_000, validity: 'valid' },
    ]);
  });

  test('never throws on mutated payloads, and tells no metric that nobody named', () => {
    const frame = Buffer.from(
      '08a0b1f9ebcb3312190a09766974616c732f687218a0b1f9ebcb332009650000904212180a0b766974616c732f73706f3218a0b1f9ebcb33200938011805',
      'hex',
    );
    const change = fc.record({ at: fc.nat(frame.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(frame);
        for (const { at, byte } of changes) bytes.writeUInt8(byte, at);
        for (const item of json.decode?.(bytes, { clock }) ?? [])
          if (item.kind === 'observation') expect(metrics.has(item.metric)).toBe(true);
      }),
      { numRuns: 2_000, seed: 20261121 },
    );
  });
});

interface Ward extends AsyncDisposable {
  readonly house: DriverHouse;
  /** Whether somebody took it. */
  send(topic: string, payload: Buffer): boolean;
  values(metric: string): unknown[];
  times(metric: string): number[];
}

/** A driver with the raw lane of a host, on a clock that stands still. */
async function openWard(driver: Driver, settings: Record<string, unknown>): Promise<Ward> {
  const ours = virtualClock(startMs);
  const feed: RawFeed = createRawFeed({ clock: ours, flush: () => {} });
  const raw = (device: string, accept: Parameters<RawFeed['listen']>[1]) => feed.listen(device, accept);
  const house = await openDriver(driver, settings, { clock: ours, raw });
  let number = 0;
  return {
    house,
    send: (topic, payload) => {
      const reply = feed.received(
        Buffer.from(
          JSON.stringify({
            device: 'device-1',
            topic,
            boot: 'raw-0011223344556677',
            number: number++,
            receivedAtMs: ours.nowMs(),
            sentAtMs: ours.nowMs(),
            payload: payload.toString('base64'),
          }),
        ),
      );
      return reply?.outcome === 'kept';
    },
    values: (metric) => house.observations(metric).map((seen) => ('value' in seen ? seen.value : '?')),
    times: (metric) => house.observations(metric).map(({ takenAtMs }) => takenAtMs),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}
