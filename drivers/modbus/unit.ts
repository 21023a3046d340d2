import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import { quietMs } from './wire.ts';
import { dataBytes, type ReadRequest, type Reply } from './frame.ts';

/** A constant the device holds at a known place: what it answers proves which question it answers. */
export interface Canary {
  readonly fc: ReadRequest['fc'];
  readonly address: number;
  readonly count: number;
  readonly equals: (data: Buffer) => boolean;
}

/** What a device tells the bus of itself when it joins, and what the bus tells it. */
export interface UnitOptions {
  readonly unit: number;
  readonly timeoutMs: number;
  /** A late reply may come up to this long after the timeout; the unit is not asked before. */
  readonly lateBoundMs: number;
  readonly pauseAfterConnectMs: number;
  readonly pauseBetweenRequestsMs: number;
  readonly canary?: Canary;
  /** Any register it has: where there is no canary, a read of another length is the proof. */
  readonly probe: { readonly fc: ReadRequest['fc']; readonly address: number };
  late(raw: Buffer): void;
  discarded(raw: Buffer): void;
  badChecksum(raw: Buffer): void;
  roundTrip(ms: number): void;
}

export interface Unanswered {
  readonly request: ReadRequest;
  readonly transaction: number | undefined;
  /** Monotonic; a reply after this is beyond the stated bound. */
  readonly boundMs: number;
}

/**
 * How far a unit is believed. `proving`: a reply is or was missing, so the next one may belong to an older question;
 * no value is taken before a proof. `doubtful`: a reply came even after the stated bound, so the bound was wrong.
 */
export interface UnitState {
  readonly options: UnitOptions;
  readonly queue: Job[];
  /** Sessions that read it. */
  users: number;
  proving: boolean;
  doubtful: boolean;
  /** Until then (monotonic) each value is verified by a proof behind it; doubt ends with it. */
  guardUntilMs: number;
  unanswered: Unanswered[];
  /** Not asked before (monotonic): a late reply may still come. */
  notBeforeMs: number;
  /** When its last late reply came (monotonic). */
  lateAtMs: number | undefined;
  failures: number;
  /** Breaker: while it is open, not asked before (monotonic). */
  probeAtMs: number;
  lastFault: Fault | undefined;
}

export interface Reading {
  readonly data: Buffer;
  /** Instant the reply came. */
  readonly atMs: number;
  /** The unit answered beyond the stated bound lately and no canary has cleared it. */
  readonly doubtful: boolean;
}

export interface Job {
  readonly request: ReadRequest;
  resolve(reading: Reading): void;
  reject(fault: Fault): void;
}

export const createUnit = (options: UnitOptions): UnitState => ({
  options,
  queue: [],
  users: 0,
  proving: false,
  doubtful: false,
  guardUntilMs: 0,
  unanswered: [],
  notBeforeMs: 0,
  lateAtMs: undefined,
  failures: 0,
  probeAtMs: 0,
  lastFault: undefined,
});

/** Two requests whose answers look alike on the wire. */
const alike = (a: ReadRequest, b: ReadRequest): boolean => a.fc === b.fc && dataBytes(a) === dataBytes(b);

/** How many registers a proof may add before its shape is unlike every unanswered one. */
const mostWidening = 8;

export interface Proof {
  readonly request: ReadRequest;
  /** Whether this reply, of the right shape, is the answer to the proof. */
  proves(reply: Reply): boolean;
}

/**
 * A question whose answer cannot be taken for one of those in `unlike`: another length, and the canary's value in it
 * where the map names one. `attempt` narrows it again for a device that refuses to be read beyond the canary.
 */
export function proofFor({ options }: UnitState, unlike: readonly Unanswered[], attempt: number): Proof {
  const { unit, canary, probe } = options;
  const { fc, address } = canary ?? probe;
  const width = canary?.count ?? 1;
  let request: ReadRequest = { unit, fc, address, count: width };
  for (let more = 1; more <= mostWidening && attempt === 0; more++) {
    if (!unlike.some((each) => alike(each.request, request))) break;
    request = { ...request, count: width + more };
  }
  if (!canary) {
    // Widened over the end of the table it is refused: that too is no answer to a question about something else.
    return { request, proves: () => true };
  }
  return {
    request,
    proves: ({ data }) => data !== undefined && canary.equals(data.subarray(0, canaryBytes(canary))),
  };
}

const canaryBytes = ({ fc, count }: Canary): number => dataBytes({ unit: 0, fc, address: 0, count });

/** Which unanswered question a frame answers late: by transaction where there is one, else the oldest alike. */
export function takeLate(state: UnitState, reply: Reply): Unanswered | undefined {
  const index = state.unanswered.findIndex(({ request, transaction }) =>
    reply.transaction === undefined
      ? (reply.fc & 0x7f) === request.fc && (!reply.data || reply.data.length === dataBytes(request))
      : reply.transaction === transaction,
  );
  return index < 0 ? undefined : state.unanswered.splice(index, 1)[0];
}

/** Notes a late reply; beyond the bound it casts doubt on the unit. */
export function noteLate(state: UnitState, reply: Reply, clock: Clock): void {
  const nowMs = clock.monotonicMs();
  const late = takeLate(state, reply);
  state.options.late(reply.raw);
  state.lateAtMs = nowMs;
  state.proving = true;
  const beyond = late === undefined || nowMs > late.boundMs;
  if (beyond) state.doubtful = true;
  // Nothing more is on its way: the unit may be asked again once the line is quiet.
  if (state.unanswered.length === 0) state.notBeforeMs = Math.min(state.notBeforeMs, nowMs + quietMs);
}
