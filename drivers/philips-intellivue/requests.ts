/**
 * Everything that may be sent to a monitor. There is no other way out of this driver: `build` makes the bytes of one
 * of these, and of nothing else. All of them read, but for `wave-priority`, which chooses the waves the monitor
 * exports: it is off by default (README).
 */
export type Request =
  | { readonly kind: 'associate' | 'release' | 'poll-self' }
  | { readonly kind: 'create-result'; readonly invoke: number }
  | { readonly kind: 'poll' | 'single-poll'; readonly what: Polled; readonly number: number }
  | { readonly kind: 'wave-priority'; readonly labels: readonly number[] };
export type Polled = 'numeric' | 'wave' | 'alarms';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

// As captured: session, presentation and association headers of the data export, poll profile with 1 s numerics,
// waves and averages, a maximum of 1364 bytes a message.
const association = hex(
  '0dec0508130100160102800014020002c1dc3180a0808001010000a280a003000001a480308002010106045201000130' +
    '8006025101000000003080020102060c2a8648ce14020100000001013080060c2a8648ce140201000000020100000000' +
    '000061803080020101a0806080a180060c2a8648ce14020100000003010000be802880060c2a8648ce14020100000001' +
    '0102010281488000000040000000000000008000000020000000000000000001002c00010028800000000004e2000000' +
    '30000000300000000000600000000001000cf00100088c0000000000000000000000000000000000000000000000',
);
const release = hex('0918c11661803080020101a08062808001000000000000000000');

/** The poll period: how long the monitor goes on sending, ticks of 1/8 ms. Renewed well before it ends. */
export const pollPeriodMs = 60_000;
export const renewAfterMs = 20_000;

const polls: Readonly<Record<Polled, { readonly objectClass: number; readonly group: number }>> = {
  numeric: { objectClass: 6, group: 0 },
  wave: { objectClass: 9, group: 0 },
  alarms: { objectClass: 54, group: 0x0801 },
};
const command = { confirmedEvent: 1, confirmedSet: 5, action: 7 } as const;
const action = { poll: 0x0c16, extendedPoll: 0xf13b } as const;

/** The bytes of a request; the invoke id comes back with the answer. */
export function build(request: Request, invoke: number): Buffer {
  switch (request.kind) {
    case 'associate':
      return association;
    case 'release':
      return release;
    case 'create-result':
      // The event's own invoke id; MDS object, time 0, event create, nothing more.
      return data(2, words(request.invoke, command.confirmedEvent, 14), words(33, 0, 0, 0, 0, 0x0d06, 0));
    case 'poll-self':
      return act(invoke, action.poll, words(0, 1, 33, 0));
    case 'single-poll': {
      const { objectClass, group } = polls[request.what];
      return act(invoke, action.poll, words(request.number, 1, objectClass, group));
    }
    case 'poll': {
      const { objectClass, group } = polls[request.what];
      const ticks = pollPeriodMs * 8;
      const period = words(1, 8, 0xf13e, 4, ticks >>> 16, ticks & 0xffff);
      return act(
        invoke,
        action.extendedPoll,
        Buffer.concat([words(request.number, 1, objectClass, group), period]),
      );
    }
    case 'wave-priority': {
      const labels = Buffer.concat(request.labels.map((label) => words(label >>> 16, label & 0xffff)));
      const list = Buffer.concat([words(request.labels.length, labels.length), labels]);
      const change = Buffer.concat([words(0, 0xf23a, list.length), list]);
      const argument = Buffer.concat([words(33, 0, 0, 0, 0, 1, change.length), change]);
      return data(1, words(invoke, command.confirmedSet, argument.length), argument);
    }
  }
}

function act(invoke: number, type: number, content: Buffer): Buffer {
  const argument = Buffer.concat([words(33, 0, 0, 0, 0, type, content.length), content]);
  return data(1, words(invoke, command.action, argument.length), argument);
}

/** Data of the association: remote operation type (1 invoke, 2 result), then its parts. */
function data(type: 1 | 2, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([words(0xe100, 2, type, body.length), body]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16BE(value, at * 2));
  return bytes;
}
