import { createAlertPhases } from '../../model/alert-phases.ts';
import { Fault } from '../../model/fault.ts';
import { instantOf } from '../../model/local-time.ts';
import type { DriverHost, Emitted, Session } from '../driver.ts';
import { createAsking, startRounds } from '../transport/asking.ts';
import { readAnswer, type Answer } from './codec.ts';
import { createLines, encodeRequest, readFrame, requests, type Frame } from './frame.ts';
import { createWaves } from './wave.ts';

export interface SessionOptions {
  readonly device: string;
  readonly address: string;
  readonly request: 'SNDA' | 'SNDF';
  readonly pollMs: number;
  readonly timeoutMs: number;
  readonly timeZone?: string | undefined;
}

export async function openSession(options: SessionOptions, host: DriverHost): Promise<Session> {
  const { device, address, request, pollMs, timeoutMs } = options;
  const port = await host.stream();
  const lines = createLines();
  const asking = createAsking<Frame>({ device, host, port, address, timeoutMs });
  const tell = createTeller(options, host);
  const question = encodeRequest(request);
  const wanted = request === 'SNDA' ? 'A' : 'F';
  const reset = encodeRequest(requests.reset);

  async function round(): Promise<boolean> {
    const frame = question && (await asking.ask(question, ({ kind }) => kind === wanted));
    if (!frame) return false;
    const answer = readAnswer(frame);
    if (typeof answer !== 'string') tell(answer);
    else host.count(device, 'badChecksum', 1);
    return true;
  }

  host.link(device, 'searching');
  port.on('data', (chunk: Buffer) => {
    const { lines: whole, discarded } = lines.push(chunk);
    asking.coming();
    if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
    for (const line of whole) {
      const frame = readFrame(line);
      if (typeof frame === 'string') host.count(device, 'badChecksum', 1, Buffer.from(line, 'latin1'));
      else {
        host.count(device, 'frame', 1);
        asking.replied(frame);
      }
    }
  });
  // Half a word left in the device's buffer by whoever spoke before us would spoil the first question.
  if (reset) port.write(reset);
  const stop = startRounds({ device, host, port, address, timeoutMs, pollMs, round });
  const end = (): void => {
    stop();
    asking.close();
  };
  port.on('close', () => {
    end();
    host.link(device, 'lost', new Fault('WIRE_CLOSED', { address }));
  });
  return {
    close: async () => {
      end();
      port.destroy();
    },
  };
}

function createTeller({ device, timeZone }: SessionOptions, host: DriverHost): (answer: Answer) => void {
  const phases = createAlertPhases();
  let linked = false;
  return ({ observations, alerts, identity, clock }) => {
    host.identity(device, identity);
    if (timeZone !== undefined && clock) host.state(device, { clockMs: instantOf(clock, timeZone) });
    if (!linked) host.link(device, 'connected');
    linked = true;
    const takenAtMs = host.clock.nowMs();
    const items: Emitted[] = observations.map((each) => ({ kind: 'observation', ...each, takenAtMs }));
    const told = phases.next(alerts);
    if (told) items.push({ kind: 'alerts', alerts: told, complete: true });
    host.emit(device, items);
  };
}

/** A ventilator breathes several times a minute; nothing from it for this long is a fault of the wire. */
const silentMs = 30_000;

/** Listens at the wave port: it asks for nothing. */
export async function openWaves(
  { device, address }: Pick<SessionOptions, 'device' | 'address'>,
  host: DriverHost,
): Promise<Session> {
  const port = await host.stream();
  const lines = createLines();
  const waves = createWaves();
  let linked = false;
  let watchdog = (): void => {};
  const lost = (fault: Fault): void => {
    watchdog();
    host.link(device, 'lost', fault);
  };
  const heard = (): void => {
    watchdog();
    watchdog = host.clock.after(silentMs, () =>
      lost(new Fault('WIRE_SILENT', { address, sinceMs: silentMs })),
    );
  };

  host.link(device, 'searching');
  heard();
  port.on('data', (chunk: Buffer) => {
    const { lines: whole, discarded } = lines.push(chunk);
    if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
    for (const line of whole) {
      const told = waves.push(line);
      if (!told) {
        host.count(device, 'discardedBytes', line.length, Buffer.from(line, 'latin1'));
        continue;
      }
      heard();
      if (told.length === 0) continue;
      host.count(device, 'frame', 1);
      if (!linked) host.link(device, 'connected');
      linked = true;
      const nowMs = host.clock.nowMs();
      host.emit(
        device,
        told.map(({ lengthMs, ...wave }) => ({ kind: 'waveform', ...wave, takenAtMs: nowMs - lengthMs })),
      );
    }
  });
  port.on('close', () => lost(new Fault('WIRE_CLOSED', { address })));
  return {
    close: async () => {
      watchdog();
      port.destroy();
    },
  };
}
