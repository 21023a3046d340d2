import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import { defineDriver, type DecodeOptions, type DriverHost, type Emitted } from '../driver.ts';
import { createAlerts } from '../transport/teller.ts';
import { alertsOf, valuesOf, wavesOf, type Value } from './codec.ts';
import { bareText, createFrames, type Frame } from './frames.ts';
import { readLines } from './lines.ts';
import { settings } from './settings.ts';

/** A frame comes every second. */
const silentMs = 5_000;

export default defineDriver({
  ...settings,

  /** Listens only: nothing is ever sent to the monitor. */
  async open({ device, port: address, waves }, host) {
    const port = await host.stream();
    const frames = createFrames();
    const report = createReport(device, host, waves);
    let lastFrameMs = host.clock.monotonicMs();
    host.link(device, 'searching');
    port.on('data', (chunk: Buffer) => {
      const found = frames.push(chunk);
      if (found.discarded > 0) host.count(device, 'discardedBytes', found.discarded, chunk);
      for (const frame of found.frames) {
        const lines = readLines(frame.text);
        if (typeof lines === 'string') {
          host.count(device, 'discardedBytes', frame.text.length, Buffer.from(frame.text, 'latin1'));
          continue;
        }
        lastFrameMs = host.clock.monotonicMs();
        host.count(device, 'frame', 1);
        report(lines, frame);
      }
    });
    port.on('close', () => host.link(device, 'lost', new Fault('WIRE_CLOSED', { address })));
    const cancelWatch = host.clock.every(1_000, () => {
      const sinceMs = Math.round(host.clock.monotonicMs() - lastFrameMs);
      if (sinceMs < silentMs) return;
      cancelWatch();
      host.link(device, 'lost', new Fault('WIRE_SILENT', { address, sinceMs }));
    });
    return {
      close: async () => {
        cancelWatch();
        port.destroy();
      },
    };
  },

  decode: decodeBytes,
});

type Lines = Exclude<ReturnType<typeof readLines>, string>;

function createReport(
  device: string,
  host: DriverHost,
  waves: boolean,
): (lines: Lines, frame: Frame) => void {
  const seen = new Set<string>();
  const alerts = createAlerts(host);
  let lastCuff: string | undefined;
  let linked = false;

  const isCuff = ({ metric }: Value): boolean => metrics.get(metric)?.episodic === true;

  /** Repeated every second without a time: new when it differs. How old the first one is, nobody knows. */
  const cuff = (values: readonly Value[], takenAtMs: number): Emitted[] => {
    const text = JSON.stringify(values);
    if (text === lastCuff) return [];
    const first = lastCuff === undefined;
    lastCuff = text;
    return values.map((value) => {
      const doubt = first && value.validity === 'valid';
      const marked = doubt ? { ...value, validity: 'questionable', mark: 'clock' } : value;
      return { kind: 'observation', ...marked, takenAtMs } as Emitted;
    });
  };

  return (lines, frame) => {
    if (!linked) host.link(device, 'connected');
    linked = true;
    const takenAtMs = host.clock.nowMs();
    // The line of a module that is not fitted is there and empty: told as missing once it had a value.
    const fitted = valuesOf(lines).filter((value) => {
      const key = seriesKey(value.metric, value.channel);
      if ('value' in value && value.value !== null) seen.add(key);
      return seen.has(key);
    });
    const blocks = waves ? wavesOf(frame.waves) : [];
    host.emit(device, [
      ...fitted
        .filter((value) => !isCuff(value))
        .map((value) => ({ kind: 'observation', ...value, takenAtMs }) as Emitted),
      ...cuff(fitted.filter(isCuff), takenAtMs),
      ...blocks.map((block): Emitted => ({ kind: 'waveform', ...block, takenAtMs: takenAtMs - 1_000 })),
      ...alerts(alertsOf(lines)),
    ]);
  };
}

/** Whole frames; or the text part of one alone. */
function decodeBytes(bytes: Buffer, { settings: given, clock }: DecodeOptions): DecodedItem[] {
  const { frames } = createFrames().push(bytes);
  const bare = frames.length === 0 ? bareText(bytes) : undefined;
  const found: readonly Frame[] = bare === undefined ? frames : [{ waves: Buffer.alloc(0), text: bare }];
  if (found.length === 0 && bytes.length > 0) {
    return [{ kind: 'refused', cause: 'no whole frame', rawHex: bytes.toString('hex') }];
  }
  return found.flatMap((frame): DecodedItem[] => {
    const lines = readLines(frame.text);
    if (typeof lines === 'string') {
      return [{ kind: 'refused', cause: lines, rawHex: Buffer.from(frame.text, 'latin1').toString('hex') }];
    }
    const blocks = given?.['waves'] === true ? wavesOf(frame.waves) : [];
    return [
      ...valuesOf(lines).map((value) => ({ kind: 'observation', ...value }) as DecodedItem),
      ...blocks.map((block): DecodedItem => ({
        kind: 'waveform',
        ...block,
        takenAtMs: clock.nowMs() - 1_000,
      })),
      ...alertsOf(lines).map((alert): DecodedItem => ({
        kind: 'alert',
        alert: { ...alert, phase: 'start' },
      })),
    ];
  });
}
