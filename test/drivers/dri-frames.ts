import { wrap } from '../../drivers/ge-dri/frames.ts';

/** Records a monitor would send, built from the layout of the DRI: for cases and tests. */
export type Group = readonly [at: number, status: number, label: number, ...values: number[]];
/** Where each group of the basic class begins. */
export const at = {
  ecg: 0,
  p1: 16,
  p2: 30,
  p3: 44,
  p4: 58,
  nibp: 72,
  t1: 86,
  oximeter: 118,
  co2: 132,
  o2: 146,
  n2o: 156,
  agent: 166,
  flow: 178,
  svo2: 232,
} as const;

const timeS = 1_520_000_000;

export function record(mainType: number, parts: readonly (readonly [type: number, bytes: Buffer])[]): Buffer {
  const header = Buffer.alloc(40);
  const data = Buffer.concat(parts.map(([, bytes]) => bytes));
  header.writeInt16LE(40 + data.length, 0);
  header.writeUInt32LE(timeS, 6);
  header.writeInt16LE(mainType, 14);
  let offset = 0;
  parts.forEach(([type, bytes], each) => {
    header.writeInt16LE(offset, 16 + each * 3);
    header.writeUInt8(type, 18 + each * 3);
    offset += bytes.length;
  });
  if (parts.length < 8) header.writeUInt8(0xff, 18 + parts.length * 3);
  return Buffer.concat([header, data]);
}

/** Displayed values: every module absent and every number invalid, but for these groups. */
export function basic(groups: readonly Group[], dataClass = 0): Buffer {
  const bytes = Buffer.alloc(278);
  for (let each = 4; each < 274; each += 2) bytes.writeInt16LE(-32_767, each);
  for (const start of [
    0, 16, 30, 44, 58, 72, 86, 94, 102, 110, 118, 132, 146, 156, 166, 178, 200, 214, 232, 240, 254,
  ])
    bytes.fill(0, 4 + start, 4 + start + 6);
  for (const [start, status, label, ...values] of groups) {
    bytes.writeUInt32LE(status, 4 + start);
    bytes.writeUInt16LE(label, 8 + start);
    values.forEach((value, each) => bytes.writeInt16LE(value, 10 + start + each * 2));
  }
  bytes.writeUInt32LE(timeS, 0);
  bytes.writeUInt16LE(dataClass << 8, 276);
  return bytes;
}
export const displayed = (...groups: readonly Group[]): Buffer => wrap(record(0, [[1, basic(groups)]]));

export const alarms = (
  entries: readonly (readonly [text: string, colour: number])[],
  sound = 1,
  silence = 0,
): Buffer => {
  const bytes = Buffer.alloc(10 + 5 * 98 + 10);
  bytes.writeInt16LE(sound, 2);
  bytes.writeInt16LE(silence, 8);
  entries.forEach(([text, colour], each) => {
    bytes.write(text, 10 + each * 98, 'latin1');
    bytes.writeInt16LE(colour, 10 + each * 98 + 82);
  });
  return wrap(record(4, [[1, bytes]]));
};

export const wavePart = (type: number, samples: readonly number[], status = 0): readonly [number, Buffer] => {
  const bytes = Buffer.alloc(6 + samples.length * 2);
  bytes.writeInt16LE(samples.length, 0);
  bytes.writeUInt16LE(status, 2);
  samples.forEach((sample, each) => bytes.writeInt16LE(sample, 6 + each * 2));
  return [type, bytes];
};
