import type { Reason, Validity } from '../../model/observation.ts';

export interface Meaning {
  readonly validity: Validity;
  readonly reason?: Reason;
  /** The value may be used, perhaps marked; otherwise there is none. */
  readonly usable: boolean;
}

const good: Meaning = { validity: 'valid', usable: true };
const none = (reason: Reason): Meaning => ({ validity: 'invalid', reason, usable: false });
const doubtful = (reason: Reason): Meaning => ({ validity: 'questionable', reason, usable: true });

/** Without the sixteen info bits (OPC 10000-4, 7.39). */
const meanings: ReadonlyMap<number, Meaning> = new Map([
  [0x4000_0000, doubtful('low-signal')], // Uncertain: a map may say that its server means demo
  [0x4090_0000, none('stale')], // UncertainLastUsableValue: an old value is never told as a new one
  [0x4092_0000, doubtful('low-signal')], // UncertainInitialValue
  [0x4093_0000, doubtful('uncalibrated')], // UncertainSensorNotAccurate
  [0x4094_0000, doubtful('out-of-span')], // UncertainEngineeringUnitsExceeded
  [0x4095_0000, doubtful('low-signal')], // UncertainSubNormal
  [0x8031_0000, none('link-lost')], // BadNoCommunication
  [0x8032_0000, none('searching')], // BadWaitingForInitialData
  [0x8034_0000, none('device-fault')], // BadNodeIdUnknown
  [0x808a_0000, none('link-lost')], // BadNotConnected
  [0x808b_0000, none('device-fault')], // BadDeviceFailure
  [0x808c_0000, none('sensor-off')], // BadSensorFailure: probe off or broken
  [0x808d_0000, none('device-fault')], // BadOutOfService
]);

/** What a status code says of the value beside it; `named` is the map's own reading of single codes. */
export function meaningOf(code: number, named: Readonly<Record<string, Reason>> = {}): Meaning {
  const bare = (code & 0xffff_0000) >>> 0;
  const severity = bare >>> 30;
  const own = Object.entries(named).find(([text]) => Number(text) === bare)?.[1];
  if (own !== undefined) return severity === 1 ? doubtful(own) : none(own);
  if (severity === 0) return good;
  return meanings.get(bare) ?? (severity === 1 ? doubtful('low-signal') : none('invalid'));
}
