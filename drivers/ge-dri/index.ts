import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { isZone } from '../../model/local-time.ts';
import { metrics } from '../../model/metric-table.ts';
import { defineDriver, type DecodeOptions } from '../driver.ts';
import { sendLast } from '../transport/teller.ts';
import { createDecoder, type Told } from './decoder.ts';
import { createFrames } from './frames.ts';
import { observationOf } from './groups.ts';
import { mainTypes } from './record.ts';
import { createReport } from './report.ts';
import { build, type Request } from './requests.ts';
import { settings, waveNumbers } from './settings.ts';

/** The whole alarm status is asked for anew, should a change have been lost. */
const alarmStatusMs = 10_000;

export default defineDriver({
  ...settings,

  /** Sends the subscriptions of requests.ts, and nothing else. */
  async open({ device, port: address, intervalS, timeZone, waves }, host) {
    if (timeZone !== undefined && !isZone(timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const port = await host.stream();
    const frames = createFrames();
    const decoder = createDecoder();
    const report = createReport(host, device, timeZone);
    const send = (request: Request): void => void (port.writable && port.write(build(request)));
    // Two records may be lost; half an interval is for the line.
    const silentMs = 2.5 * intervalS * 1_000;
    let linked = false;
    let lastValuesMs = host.clock.monotonicMs();

    const take = (record: Buffer): void => {
      const told = decoder.take(record);
      if (typeof told === 'string') return host.count(device, 'discardedBytes', record.length, record);
      host.count(device, 'frame', 1);
      if (told.mainType === mainTypes.physiological) {
        lastValuesMs = host.clock.monotonicMs();
        if (!linked) host.link(device, 'connected');
        linked = true;
      }
      report(told);
    };
    port.on('data', (chunk: Buffer) => {
      const { records, bad, discarded } = frames.push(chunk);
      if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
      for (const { bytes } of bad) host.count(device, 'badChecksum', 1, bytes);
      for (const record of records) take(record);
    });
    port.on('close', () => host.link(device, 'lost', new Fault('WIRE_CLOSED', { address })));

    host.link(device, 'searching');
    send({ kind: 'values', intervalS });
    send({ kind: 'alarm-changes' });
    send({ kind: 'alarm-status' });
    if (waves.length > 0) send({ kind: 'waves', types: waves.map((name) => waveNumbers[name]) });
    const cancelStatus = host.clock.every(alarmStatusMs, () => send({ kind: 'alarm-status' }));
    const cancelWatch = host.clock.every(1_000, () => {
      const sinceMs = Math.round(host.clock.monotonicMs() - lastValuesMs);
      if (sinceMs < silentMs) return;
      cancelWatch();
      host.link(device, 'lost', new Fault('WIRE_SILENT', { address, sinceMs }));
    });
    return {
      /** A monitor that is not told goes on sending to nobody. */
      close: async () => {
        cancelStatus();
        cancelWatch();
        if (port.writable) {
          if (waves.length > 0) send({ kind: 'stop-waves' });
          send({ kind: 'stop-alarms' });
          await sendLast(port, build({ kind: 'stop-values' }), host.clock);
        }
        port.destroy();
      },
    };
  },

  decode: decodeBytes,
});

function decodeBytes(bytes: Buffer, { clock }: DecodeOptions): DecodedItem[] {
  const decoder = createDecoder();
  const { records, bad } = createFrames().push(bytes);
  return [
    ...records.flatMap((record): DecodedItem[] => {
      const told = decoder.take(record);
      if (typeof told === 'string') return [{ kind: 'refused', cause: told, rawHex: record.toString('hex') }];
      return items(told, clock.nowMs());
    }),
    ...bad.map(({ cause, bytes: frame }): DecodedItem => ({
      kind: 'refused',
      cause,
      rawHex: frame.toString('hex'),
    })),
  ];
}

/** With the record's own time; a cuff pressure is older than the record that repeats it, nobody knows how much. */
function items(told: Told, nowMs: number): DecodedItem[] {
  const deviceMs = told.timeS * 1_000;
  return [
    ...told.values.map((value): DecodedItem => {
      const timed = deviceMs > 0 && !metrics.get(value.metric)?.episodic;
      return {
        kind: 'observation',
        ...observationOf(value),
        ...(timed && { takenAtMs: deviceMs }),
      } as DecodedItem;
    }),
    ...told.waves.map((wave): DecodedItem => ({ kind: 'waveform', ...wave, takenAtMs: deviceMs || nowMs })),
    ...(told.alerts ?? []).map((alert): DecodedItem => ({
      kind: 'alert',
      alert: { ...alert, phase: 'start' },
    })),
  ];
}
