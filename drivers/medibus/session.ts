import type { AlertState } from '../../model/alarm.ts';
import { createAlertPhases } from '../../model/alert-phases.ts';
import { pause } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { LocalTime } from '../../model/local-time.ts';
import type { DriverHost, Emitted, Session } from '../driver.ts';
import { createAsking, startRounds } from '../transport/asking.ts';
import { readResponse, type Said } from './codec.ts';
import { code, createFramer, encodeAnswer, encodeCommand, type Item, type Message } from './frame.ts';

export interface SessionOptions {
  readonly device: string;
  readonly address: string;
  readonly pollMs: number;
  readonly timeoutMs: number;
  /** Device time as an instant; absent where no zone is set. */
  readonly instant: ((clock: LocalTime) => number) | undefined;
}

/** The device ends the talk when it hears nothing for some seconds: we say NOP after this much silence. */
const nopMs = 2_000;
/** After initialising, before anything else is asked (the maker's own figure). */
const settleMs = 200;
/** A device that suspended us and never resumed is asked again after this. */
const suspendedMostMs = 10_000;
/** How long closing waits for the last word to leave. */
const farewellMs = 200;
/** Asked each round; clock and texts change slowly and are asked each fifth. */
const everyRound = [code.measured1, code.measured2, code.alarms1, code.alarms2];
const slowRound = [code.settings, code.texts, code.dateTime];
const slowEvery = 5;
/** A code left without an answer this often, while others are answered, is asked no more. */
const passedOver = 3;

export async function openSession(options: SessionOptions, host: DriverHost): Promise<Session> {
  const { device, address, pollMs, timeoutMs } = options;
  const port = await host.stream();
  const framer = createFramer();
  const asking = createAsking<Message>({ device, host, port, address, timeoutMs });
  const tell = createTeller(options, host);
  /** Codes the device has refused, or passed over while it answered others: not every model knows each. */
  const refused = new Set<number>();
  const missed = new Map<number, number>();
  let initialised = false;
  let rounds = 0;
  let silentRounds = 0;
  let lastSentMs = host.clock.monotonicMs();
  let suspendedAtMs: number | undefined;

  const write = (bytes: Buffer): void => {
    lastSentMs = host.clock.monotonicMs();
    port.write(bytes);
  };

  async function ask(command: number): Promise<Message | undefined> {
    const question = encodeCommand(command);
    if (!question || refused.has(command)) return undefined;
    await resumed();
    lastSentMs = host.clock.monotonicMs();
    const reply = await asking.ask(question, (each) => each.code === command);
    if (!reply) return undefined;
    const said = readResponse(reply.code, reply.data);
    if (typeof said === 'string') host.count(device, 'discardedBytes', reply.raw.length, reply.raw);
    else if (said.kind === 'refused') refused.add(command);
    else tell(said, command);
    return reply;
  }

  async function resumed(): Promise<void> {
    const sinceMs = suspendedAtMs;
    while (suspendedAtMs !== undefined && suspendedAtMs === sinceMs) {
      if (host.clock.monotonicMs() - suspendedAtMs >= suspendedMostMs) suspendedAtMs = undefined;
      else await pause(host.clock, 50);
    }
  }

  async function round(): Promise<boolean> {
    if (!initialised) {
      if (!(await ask(code.initialise))) return false;
      initialised = true;
      refused.clear();
      missed.clear();
      await pause(host.clock, settleMs);
      await ask(code.identify);
    }
    const slow = rounds++ % slowEvery === 0 ? slowRound : [];
    let answered = false;
    for (const command of [...everyRound, ...slow]) {
      if (!initialised) break;
      if (refused.has(command)) continue;
      if (await ask(command)) {
        answered = true;
        missed.delete(command);
      }
      // Nobody there: the other questions would only take the time in which it is told.
      else if (!answered) break;
      else missed.set(command, (missed.get(command) ?? 0) + 1);
      if ((missed.get(command) ?? 0) >= passedOver) refused.add(command);
    }
    // A device that lost its power has forgotten the talk: the next round but one opens it anew.
    silentRounds = answered ? 0 : silentRounds + 1;
    if (silentRounds >= 2) initialised = false;
    return answered;
  }

  function hear(item: Item): void {
    if (item.kind === 'flow') suspendedAtMs = item.suspended ? host.clock.monotonicMs() : undefined;
    else if (item.kind === 'bad') host.count(device, 'badChecksum', 1, item.raw);
    else if (item.kind === 'response') {
      host.count(device, 'frame', 1);
      if (item.code !== code.noOperation) asking.replied(item);
    } else {
      host.count(device, 'frame', 1);
      write(encodeAnswer(item.code));
      if (item.code === code.stop) initialised = false;
      if (item.code === code.initialise) {
        refused.clear();
        missed.clear();
      }
    }
  }

  host.link(device, 'searching');
  port.on('data', (chunk: Buffer) => {
    const { items, discarded } = framer.push(chunk);
    asking.coming();
    if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
    for (const item of items) hear(item);
  });
  const stopRounds = startRounds({ device, host, port, address, timeoutMs, pollMs, round });
  const stopNop = host.clock.every(nopMs / 4, () => {
    const bytes = encodeCommand(code.noOperation);
    const idleMs = host.clock.monotonicMs() - lastSentMs;
    if (bytes && initialised && suspendedAtMs === undefined && idleMs >= nopMs) write(bytes);
  });
  const end = (): void => {
    stopRounds();
    stopNop();
    asking.close();
  };
  port.on('close', () => {
    end();
    host.link(device, 'lost', new Fault('WIRE_CLOSED', { address }));
  });
  return {
    close: async () => {
      end();
      const stop = encodeCommand(code.stop);
      if (stop && initialised && !port.destroyed) {
        const written = new Promise<void>((resolve) => port.write(stop, () => resolve()));
        await Promise.race([written, pause(host.clock, farewellMs)]);
      }
      port.destroy();
    },
  };
}

/** Hands what was said to the host; a value that was there and no longer is, is told as missing. */
function createTeller(
  { device, instant }: SessionOptions,
  host: DriverHost,
): (said: Said, command: number) => void {
  const phases = createAlertPhases();
  const alerts = new Map<1 | 2, readonly AlertState[]>();
  const seen = new Map<number, Set<string>>();
  let linked = false;
  return (said, command) => {
    if (!linked) host.link(device, 'connected');
    linked = true;
    const takenAtMs = host.clock.nowMs();
    const items: Emitted[] = [];
    if (said.kind === 'identity') host.identity(device, said.identity);
    if (said.kind === 'clock' && instant) host.state(device, { clockMs: instant(said.clock) });
    if (said.kind === 'texts') host.state(device, { mode: said.mode });
    if (said.kind === 'values' || said.kind === 'texts') {
      const before = seen.get(command) ?? new Set<string>();
      const now = new Set(said.observations.map(({ metric }) => metric));
      seen.set(command, new Set([...before, ...now]));
      for (const observation of said.observations)
        items.push({ kind: 'observation', ...observation, takenAtMs });
      for (const metric of before) {
        if (now.has(metric)) continue;
        const none = { metric, value: null, reason: 'not-measured', validity: 'invalid' } as const;
        items.push({ kind: 'observation', ...none, takenAtMs });
      }
    }
    if (said.kind === 'alarms') {
      alerts.set(said.page, said.alerts);
      const told = phases.next([...alerts.values()].flat());
      if (told) items.push({ kind: 'alerts', alerts: told, complete: true });
    }
    if (items.length > 0) host.emit(device, items);
  };
}
