import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../bench/peer.ts';
import type { Driver } from '../../drivers/driver.ts';
import { createShares } from '../../drivers/host/shares.ts';
import { createHub, type Subscriber } from '../../drivers/hl7-listener/hub.ts';
import hl7Driver from '../../drivers/hl7-listener/index.ts';
import { SenderClock } from '../../drivers/hl7-listener/sender-clock.ts';
import { systemClock } from '../../model/clock.ts';
import { frame } from '../../model/hl7/frame.ts';
import { readTime } from '../../model/hl7/time.ts';
import { systemChance } from '../../model/ids.ts';
import { openDriver, type DriverHouse } from './driver-house.ts';

const driver = hl7Driver as unknown as Driver;
const now = (): string => `${new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`;
let controls = 0;

interface Draft {
  readonly application?: string;
  readonly equipment?: string;
  readonly location?: string;
  readonly rows?: readonly string[];
  readonly type?: string;
  readonly accept?: string;
  readonly control?: string;
  readonly patient?: string;
}
const message = (draft: Draft = {}): string => {
  const {
    application = 'CENTRAL',
    type = 'ORU^R01^ORU_R01',
    accept = '|',
    control = `c${++controls}`,
  } = draft;
  const rows = draft.rows ?? ['NM|147842^^MDC|1.1.1.1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R'];
  return [
    `MSH|^~\\&|${application}|WARD|EMR|HIS|${now()}||${type}|${control}|P|2.6|||${accept}`,
    ...(draft.patient === undefined ? [] : [`PID|1||${draft.patient}`]),
    ...(draft.location === undefined ? [] : [`PV1||I|${draft.location}`]),
    `OBR|1||1^MON|69837^^MDC|||${now()}`,
    ...(draft.equipment === undefined
      ? []
      : [`OBX|1||69965^MDC_DEV_MDS^MDC|1.0.0.0|||||||X|||||||${draft.equipment}`]),
    ...rows.map((row, index) => `OBX|${index + 2}|${row}`),
    '',
  ].join('\r');
};

interface Central extends AsyncDisposable {
  send(text: string): void;
  readonly answers: string[];
  answer(): Promise<string>;
}
async function openCentral(port: number): Promise<Central> {
  const socket: Socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const answers: string[] = [];
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString();
    for (let end = heard.indexOf('\x1c\r'); end >= 0; end = heard.indexOf('\x1c\r')) {
      answers.push(heard.slice(1, end));
      heard = heard.slice(end + 2);
    }
  });
  return {
    answers,
    send: (text) => void socket.write(frame(Buffer.from(text))),
    answer: async () => {
      const before = answers.length;
      while (answers.length === before) await once(socket, 'data');
      return answers.at(-1) ?? '';
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await once(socket, 'close');
    },
  };
}

const numbers = (house: DriverHouse): unknown[] =>
  house.observations().map((seen) => ('value' in seen ? seen.value : '?'));

describe('devices behind one port', () => {
  test('each gets its own by sending application and equipment, else by place; the patient decides nothing', async () => {
    const port = await freePort();
    const shares = createShares();
    const bind = { address: '127.0.0.1', port };
    const open = (key: object): Promise<DriverHouse> => openDriver(driver, { bind, key }, { shares });
    await using byId = await open({ application: 'CENTRAL', equipment: 'AA^001^EUI-64' });
    await using byPlace = await open({ application: 'CENTRAL', location: 'ICU^1^3' });
    await using central = await openCentral(port);
    const rate = (value: number): string[] => [`NM|147842^^MDC||${value}|264864^^MDC|||||R`];
    central.send(
      message({ equipment: 'AA^001^EUI-64', location: 'ICU^1^3', patient: 'P-1', rows: rate(61) }),
    );
    await central.answer();
    central.send(message({ location: 'ICU^1^3', patient: 'P-1', rows: rate(62) }));
    await central.answer();
    // A monitor that tells who it is, and is nobody's, is not the one registered by the place it stands at.
    central.send(
      message({ equipment: 'BB^002^EUI-64', location: 'ICU^1^3', patient: 'P-1', rows: rate(63) }),
    );
    await central.answer();
    central.send(message({ application: 'OTHER', location: 'ICU^1^3', rows: rate(64) }));
    await central.answer();
    expect(numbers(byId)).toEqual([61]);
    expect(numbers(byPlace)).toEqual([62]);
    const discovered = [...byId.discovered, ...byPlace.discovered];
    expect(discovered).toEqual([
      expect.objectContaining({
        driver: 'hl7-listener',
        title: 'CENTRAL · BB^002^EUI-64',
        settings: expect.objectContaining({
          key: { application: 'CENTRAL', equipment: 'BB^002^EUI-64' },
          bind,
        }),
      }),
      expect.objectContaining({ title: 'OTHER · ICU^1^3' }),
    ]);
  });

  test('the same key twice, a key that tells nobody apart, and an interface that is not there are refused', async () => {
    const shares = createShares();
    const bind = { address: '127.0.0.1', port: await freePort() };
    const key = { application: 'CENTRAL', equipment: 'AA' };
    await using first = await openDriver(driver, { bind, key }, { shares });
    expect(first.links[0]?.link).toBe('searching');
    const wrong = (settings: Record<string, unknown>): Promise<unknown> =>
      openDriver(driver, settings, { shares });
    await expect(wrong({ bind, key })).rejects.toMatchObject({
      code: 'DRIVER_SETTINGS',
      details: { path: '/key' },
    });
    await expect(wrong({ bind, key: { application: 'CENTRAL' } })).rejects.toMatchObject({
      details: { path: '/key' },
    });
    await expect(wrong({ bind: { ...bind, address: 'no-such0' }, key })).rejects.toMatchObject({
      details: { path: '/bind/address' },
    });
  });

  test('a closed connection is a lost link of whom it told of, and the next message finds back', async () => {
    const bind = { address: '127.0.0.1', port: await freePort() };
    await using house = await openDriver(driver, { bind, key: { application: 'CENTRAL', location: 'B1' } });
    {
      await using central = await openCentral(bind.port);
      central.send(message({ location: 'B1' }));
      await central.answer();
    }
    await house.until(() => house.links.at(-1)?.link === 'lost');
    await using again = await openCentral(bind.port);
    again.send(message({ location: 'B1' }));
    await again.answer();
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected', 'lost', 'connected']);
    expect(numbers(house)).toEqual([72, 72]);
  });

  test('an alert, a demo message and a wave arrive as what they are', async () => {
    const bind = { address: '127.0.0.1', port: await freePort() };
    await using house = await openDriver(driver, { bind, key: { application: 'CENTRAL', location: 'B1' } });
    await using central = await openCentral(bind.port);
    central.send(
      message({
        location: 'B1',
        type: 'ORU^R40^ORU_R40',
        rows: [
          'ST|196648^MDC_EVT_HI^MDC|1.1.1.1.1|HR high',
          'NM|147842^^MDC|1.1.1.1.2|141|264864^^MDC|50-120',
          'ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start',
          'ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.6|PH',
          'ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.1.1.1.7|SP',
        ],
      }),
    );
    await central.answer();
    central.send(
      message({
        location: 'B1',
        rows: [
          'NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.5|1^2^3||||||R',
          'NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.6|250|264640^^MDC|||||R',
        ],
      }),
    );
    await central.answer();
    expect(house.emitted.map(({ kind }) => kind)).toEqual(['alerts', 'waveform']);
    expect(house.emitted[0]).toMatchObject({
      complete: false,
      alerts: [{ code: 'MDC_EVT_HI', phase: 'start', priority: 'high', metric: 'MDC_ECG_HEART_RATE' }],
    });
    expect(house.emitted[1]).toMatchObject({ metric: 'MDC_ECG_ELEC_POTL_II', periodUs: 4_000 });
    expect(house.modes).toContain('operating');
  });
});

describe('the answer', () => {
  /** A hub on a real socket, and one device whose disk is slow. */
  async function openDesk(disk: () => Promise<void>) {
    const hub = createHub({ clock: systemClock(), chance: systemChance() });
    const order: string[] = [];
    const subscriber: Subscriber = {
      key: { application: 'CENTRAL', location: 'B1' },
      options: { vendor: 'auto' },
      take: () => void order.push('told'),
      kept: async () => {
        await disk();
        order.push('kept');
      },
      lost: () => void order.push('lost'),
      garbage: () => void order.push('garbage'),
      discovered: () => void order.push('discovered'),
    };
    hub.join(subscriber);
    const { createServer } = await import('node:net');
    const server = createServer((socket) => hub.accept(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const at = server.address();
    const central = await openCentral(typeof at === 'object' && at ? at.port : 0);
    const close = async (): Promise<void> => {
      await central[Symbol.asyncDispose]();
      server.close();
    };
    return { central, order, [Symbol.asyncDispose]: close };
  }

  test('leaves only when everything is on disk, in the order of the messages', async () => {
    const waiting: (() => void)[] = [];
    await using desk = await openDesk(() => new Promise<void>((done) => waiting.push(done)));
    desk.central.send(message({ location: 'B1', control: 'one' }));
    desk.central.send(message({ location: 'B1', control: 'two' }));
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(desk.central.answers).toEqual([]);
    // The second is kept first: its answer still comes second.
    waiting[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(desk.central.answers).toEqual([]);
    waiting[0]?.();
    while (desk.central.answers.length < 2) await desk.central.answer();
    expect(desk.central.answers.map((answer) => answer.split('MSA|')[1]?.trim())).toEqual([
      'AA|one',
      'AA|two',
    ]);
  });

  test('goes back to its sender, with the same version and a new control id', async () => {
    await using desk = await openDesk(async () => {});
    desk.central.send(message({ location: 'B1', control: 'id^7' }));
    const [msh = '', msa] = (await desk.central.answer()).split('\r');
    expect(msh).toMatch(
      /^MSH\|\^~\\&\|EMR\|HIS\|CENTRAL\|WARD\|\d{14}\+0000\|\|ACK\^R01\^ACK\|[0-9a-f]{16}\|P\|2\.6/,
    );
    expect(msa).toBe('MSA|AA|id^7');
  });

  test.each([
    ['AL|NE', ['CA']],
    ['NE|AL', ['AA']],
    ['AL|AL', ['CA', 'AA']],
    ['ER|NE', []],
  ])('in enhanced mode %s is %j', async (accept, codes) => {
    await using desk = await openDesk(async () => {});
    desk.central.send(message({ location: 'B1', accept }));
    desk.central.send(message({ location: 'B1', control: 'last' }));
    while (!desk.central.answers.at(-1)?.includes('last')) await desk.central.answer();
    expect(desk.central.answers.slice(0, -1).map((answer) => /MSA\|(\w\w)/.exec(answer)?.[1])).toEqual(codes);
  });

  test('to a message of a type that is not read is a refusal', async () => {
    await using desk = await openDesk(async () => {});
    desk.central.send(message({ type: 'ADT^A01^ADT_A01', control: 'adt' }));
    expect(await desk.central.answer()).toContain('MSA|AR|adt');
    expect(desk.order).toEqual([]);
  });

  test('to the very same message again is the same, and it is told once', async () => {
    await using desk = await openDesk(async () => {});
    const once = message({ location: 'B1' });
    desk.central.send(once);
    await desk.central.answer();
    desk.central.send(once);
    expect(await desk.central.answer()).toContain('MSA|AA|');
    expect(desk.order).toEqual(['told', 'kept']);
  });

  test('comes to a sender nobody registered too, and what it said goes nowhere', async () => {
    await using desk = await openDesk(async () => {});
    desk.central.send(message({ location: 'B9' }));
    expect(await desk.central.answer()).toContain('MSA|AA|');
    expect(desk.order).toEqual(['discovered']);
  });
});

describe("the sender's clock", () => {
  const stamp = (atMs: number): ReturnType<typeof readTime> =>
    readTime(`${new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`, undefined);
  const start = Date.UTC(2026, 0, 1);

  test('that fits ours is believed; a value keeps how old it was', () => {
    const clock = new SenderClock();
    clock.arrived(stamp(start), start + 300);
    expect(clock.place(stamp(start), stamp(start), start + 300)).toEqual({
      takenAtMs: start,
      doubtful: false,
    });
    expect(clock.place(stamp(start - 600_000), stamp(start), start + 300).takenAtMs).toBe(start - 600_000);
  });

  test('that is ahead is corrected at once: nothing is of the future', () => {
    const clock = new SenderClock();
    clock.arrived(stamp(start + 30_000), start);
    expect(clock.place(stamp(start + 30_000), stamp(start + 30_000), start).takenAtMs).toBe(start);
  });

  test('that is behind by the same in every message is corrected; until then the values are doubtful', () => {
    const clock = new SenderClock();
    const behindMs = 3_600_000;
    const doubts = [0, 2_000, 4_000, 6_000].map((afterMs) => {
      const sent = stamp(start + afterMs - behindMs);
      clock.arrived(sent, start + afterMs);
      return clock.place(sent, sent, start + afterMs);
    });
    expect(doubts.map(({ doubtful }) => doubtful)).toEqual([true, true, false, false]);
    expect(doubts.at(-1)?.takenAtMs).toBe(start + 6_000);
  });

  test('a backlog that is sent in a burst stays old', () => {
    const clock = new SenderClock();
    clock.arrived(stamp(start), start);
    for (let n = 0; n < 20; n++) {
      const sent = stamp(start + n * 10_000);
      const atMs = start + 600_000 + n * 100;
      clock.arrived(sent, atMs);
      expect(clock.place(sent, sent, atMs).takenAtMs).toBe(start + n * 10_000);
    }
  });

  test('without a zone only the age of a value is known', () => {
    const clock = new SenderClock();
    const [sent, taken] = [readTime('20260101080000', undefined), readTime('20260101074500', undefined)];
    clock.arrived(sent, start);
    expect(clock.place(taken, sent, start)).toEqual({ takenAtMs: start - 900_000, doubtful: false });
  });
});
