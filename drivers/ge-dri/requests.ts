import { wrap } from './frames.ts';
import { mainTypes } from './record.ts';

/** Everything that may be sent to a monitor: subscriptions, and their ends. None sets anything on it. */
export type Request =
  | { readonly kind: 'values'; readonly intervalS: number }
  | { readonly kind: 'stop-values' | 'alarm-status' | 'alarm-changes' | 'stop-alarms' | 'stop-waves' }
  | { readonly kind: 'waves'; readonly types: readonly number[] };

const displayedValues = 1;
const alarmCommands = { 'alarm-status': 0, 'alarm-changes': 2, 'stop-alarms': 3 } as const;
const waveCommands = { start: 0, stop: 1 } as const;

/** The frame of a request. */
export function build(request: Request): Buffer {
  switch (request.kind) {
    case 'values':
      return physiological(request.intervalS);
    case 'stop-values':
      return physiological(0);
    case 'waves':
      return waves(waveCommands.start, request.types);
    case 'stop-waves':
      return waves(waveCommands.stop, []);
    default: {
      const data = Buffer.alloc(12);
      data.writeInt16LE(alarmCommands[request.kind], 0);
      return record(mainTypes.alarm, data);
    }
  }
}

/** Displayed values of the basic class every `intervalS` seconds; 0 ends it. */
function physiological(intervalS: number): Buffer {
  const data = Buffer.alloc(9);
  data.writeUInt8(displayedValues, 0);
  data.writeInt16LE(intervalS, 1);
  return record(mainTypes.physiological, data);
}

function waves(command: number, types: readonly number[]): Buffer {
  const data = Buffer.alloc(32);
  data.writeInt16LE(command, 0);
  Buffer.from([...types, 0xff]).copy(data, 4, 0, 8);
  return record(mainTypes.wave, data);
}

function record(mainType: number, data: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header.writeInt16LE(header.length + data.length, 0);
  header.writeInt16LE(mainType, 14);
  header.writeUInt8(0xff, 21);
  return wrap(Buffer.concat([header, data]));
}
