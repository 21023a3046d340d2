/**
 * The load generator, a process of its own. Raw sockets; packets are made once a device and only their figures are
 * patched; each socket read is answered with one write, so that it is not the limit itself (its CPU is printed).
 * Told by its parent: {connections, target, mode, seconds, port}; answers with one result message.
 */
import { connect, type Socket } from 'node:net';
import { hrtime, cpuUsage } from 'node:process';
import { generate } from 'mqtt-packet';
import WebSocket from 'ws';
import { percentiles, type Percentiles } from './percentiles.ts';

export interface GeneratorOrder {
  readonly port: number;
  /** One MQTT identity a connection, and the devices it speaks for. */
  readonly connections: readonly {
    readonly clientId: string;
    readonly password: string;
    readonly devices: readonly string[];
  }[];
  /** closed: `window` unconfirmed a connection, as fast as they are confirmed; open: messages a second in all. */
  readonly load: { readonly closed: number } | { readonly open: number };
  readonly seconds: number;
  readonly boot: string;
  readonly firstSeq: number;
  /** Open loop only: every so many messages one violates its limit; its alarm is awaited on the stream. */
  /** Open loop only: every so many messages one violates its limit; nobody waits for it here. */
  readonly violateEvery?: number;
  readonly alarms?: { readonly url: string; readonly cookie: string; readonly everyMessages: number };
}
export interface GeneratorResult {
  readonly confirmed: number;
  readonly sent: number;
  readonly seconds: number;
  readonly pubackMs: Percentiles;
  readonly alarmMs: Percentiles | undefined;
  readonly alarmsSent: number;
  /** With `violateEvery`: the device and when its violating sample left, on the machine's monotonic clock, ms. */
  readonly violations: readonly (readonly [device: string, atMs: number])[];
  readonly cpuShare: number;
  /** Messages sent a device: for the count afterwards. */
  readonly perDevice: Readonly<Record<string, number>>;
}
const valueNames = [
  'MDC_ECG_HEART_RATE',
  'MDC_PULS_OXIM_SAT_O2',
  'MDC_PULS_OXIM_PULS_RATE',
  'MDC_TTHOR_RESP_RATE',
  'MDC_PRESS_BLD_ART_ABP_SYS',
  'MDC_PRESS_BLD_ART_ABP_DIA',
];
const calm = [72, 97, 72, 16, 120, 80];
const violatingHeartRate = 180;
const window = 65_535;

const nowMs = (): number => Number(hrtime.bigint()) / 1e6;

/** A device's packet with places to patch: packet id, seq (10 digits), heart rate (3 digits), second value (2). */
class DevicePacket {
  readonly device: string;
  readonly bytes: Buffer;
  private readonly idAt: number;
  private readonly seqAt: number;
  private readonly takenAt: number;
  private readonly heartAt: number;
  seq: number;
  sent = 0;

  constructor(device: string, boot: string, firstSeq: number) {
    this.device = device;
    this.seq = firstSeq;
    const topic = `v1/device/${device}/observations`;
    const values = valueNames
      .map((name, index) => `"${name}":${index === 0 ? '072' : calm[index]}`)
      .join(',');
    const payload = `{"boot":"${boot}","seq":1000000000,"takenAtMs":1000000000000,"values":{${values}}}`;
    // A leading zero is no JSON: the heart rate is patched to a space and two digits, or three digits.
    this.bytes = generate({
      cmd: 'publish',
      topic,
      payload: payload.replace(':072', ': 72'),
      qos: 1,
      dup: false,
      retain: false,
      messageId: 1,
    });
    const head = this.bytes.length - payload.length;
    this.idAt = head - 2;
    this.seqAt = head + payload.indexOf('1000000000');
    this.takenAt = head + payload.indexOf('1000000000000');
    this.heartAt = head + payload.indexOf(':072') + 1;
  }

  /** Writes the next message into `into` and answers its length. */
  next(into: Buffer, at: number, id: number, takenAtMs: number, heartRate: number): number {
    this.bytes.copy(into, at);
    into.writeUInt16BE(id, at + this.idAt);
    digits(into, at + this.seqAt, this.seq, 10);
    digits(into, at + this.takenAt, takenAtMs, 13);
    into[at + this.heartAt] = heartRate >= 100 ? 48 + Math.floor(heartRate / 100) : 32;
    digits(into, at + this.heartAt + 1, heartRate % 100, 2);
    this.seq += 1;
    this.sent += 1;
    return this.bytes.length;
  }
}

function digits(into: Buffer, at: number, value: number, count: number): void {
  let left = value;
  for (let digit = count - 1; digit >= 0; digit--) {
    into[at + digit] = 48 + (left % 10);
    left = Math.floor(left / 10);
  }
}

class Connection {
  readonly packets: DevicePacket[];
  private readonly socket: Socket;
  private readonly out = Buffer.alloc(512 * 1024);
  private readonly sentAt = new Float64Array(window + 1);
  private turn = 0;
  private id = 0;
  private readonly partial = Buffer.alloc(4);
  private partialBytes = 0;
  pending = 0;
  confirmed = 0;
  readonly latencies: number[];
  onConfirmed: (count: number) => void = () => {};

  constructor(socket: Socket, packets: DevicePacket[], latencies: number[]) {
    this.socket = socket;
    this.packets = packets;
    this.latencies = latencies;
    socket.on('data', (chunk: Buffer) => this.read(chunk));
  }

  /** Sends `count` messages, one of each device in turn, in one write. */
  send(count: number, violating?: (device: string) => boolean): void {
    let at = 0;
    const now = nowMs();
    const wall = Date.now();
    for (let left = count; left > 0; left--) {
      const packet = this.packets[this.turn++ % this.packets.length];
      if (!packet) return;
      this.id = (this.id % window) + 1;
      this.sentAt[this.id] = now;
      at += packet.next(
        this.out,
        at,
        this.id,
        wall,
        violating?.(packet.device) ? violatingHeartRate : (calm[0] ?? 72),
      );
      if (at > this.out.length - 1024) {
        this.socket.write(Buffer.from(this.out.subarray(0, at)));
        at = 0;
      }
    }
    if (at > 0) this.socket.write(Buffer.from(this.out.subarray(0, at)));
    this.pending += count;
  }

  /** PUBACKs are four bytes each: 40 02 id id. */
  private read(chunk: Buffer): void {
    const now = nowMs();
    let at = 0;
    let count = 0;
    while (at < chunk.length) {
      if (this.partialBytes > 0 || chunk.length - at < 4) {
        this.partial[this.partialBytes++] = chunk[at++] ?? 0;
        if (this.partialBytes < 4) continue;
        this.partialBytes = 0;
        this.latencies.push(now - (this.sentAt[this.partial.readUInt16BE(2)] ?? 0));
      } else {
        this.latencies.push(now - (this.sentAt[chunk.readUInt16BE(at + 2)] ?? 0));
        at += 4;
      }
      count += 1;
    }
    this.pending -= count;
    this.confirmed += count;
    this.onConfirmed(count);
  }

  end(): void {
    this.socket.destroy();
  }
}

async function open(order: GeneratorOrder, latencies: number[]): Promise<Connection[]> {
  const opened: Connection[] = [];
  for (const { clientId, password, devices } of order.connections) {
    const socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.write(
        generate({
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clean: true,
          clientId,
          username: clientId,
          password: Buffer.from(password),
          keepalive: 0,
        }),
      );
      socket.once('data', (answer: Buffer) =>
        answer[0] === 0x20 && answer[3] === 0
          ? resolve()
          : reject(new Error(`CONNACK ${answer.toString('hex')}`)),
      );
    });
    opened.push(
      new Connection(
        socket,
        devices.map((device) => new DevicePacket(device, order.boot, order.firstSeq)),
        latencies,
      ),
    );
  }
  return opened;
}

/** Listens to the stream for raised alarms; answers when each violating device's alarm came. */
async function listen(
  alarms: NonNullable<GeneratorOrder['alarms']>,
  awaited: Map<string, number>,
  came: number[],
): Promise<WebSocket> {
  const socket = new WebSocket(alarms.url, {
    headers: { cookie: alarms.cookie, origin: new URL(alarms.url.replace(/^ws/, 'http')).origin },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ watch: {} })));
    socket.once('message', () => resolve());
  });
  socket.on('message', (data: Buffer) => {
    const now = nowMs();
    if (!data.includes('"alarm"')) return;
    const { alarm } = JSON.parse(data.toString()) as {
      alarm?: { bed?: string; signal: string; presence: string; kind: string };
    };
    if (!alarm || alarm.kind !== 'physiological' || alarm.presence !== 'present' || alarm.bed === undefined)
      return;
    const device = alarm.bed.replace('bed', 'device');
    const sentAt = awaited.get(device);
    if (sentAt === undefined) return;
    awaited.delete(device);
    came.push(now - sentAt);
  });
  return socket;
}

async function run(order: GeneratorOrder): Promise<GeneratorResult> {
  const latencies: number[] = [];
  const awaited = new Map<string, number>();
  const came: number[] = [];
  const violations: [string, number][] = [];
  const connections = await open(order, latencies);
  const stream = order.alarms ? await listen(order.alarms, awaited, came) : undefined;
  const cpu = cpuUsage();
  const started = nowMs();
  const endAt = started + order.seconds * 1_000;
  const alarmsSent =
    'closed' in order.load
      ? await closedLoop(connections, order.load.closed, endAt)
      : await openLoop(connections, order, endAt, { awaited, violations });
  const seconds = (nowMs() - started) / 1_000;
  const used = cpuUsage(cpu);
  const inTime = connections.reduce((sum, one) => sum + one.confirmed, 0);
  await settled(connections);
  const perDevice = Object.fromEntries(
    connections.flatMap((one) => one.packets.map((packet) => [packet.device, packet.sent])),
  );
  stream?.terminate();
  for (const one of connections) one.end();
  return {
    confirmed: inTime,
    sent: Object.values(perDevice).reduce((sum, count) => sum + count, 0),
    seconds,
    pubackMs: percentiles(latencies),
    alarmMs: order.alarms ? percentiles(came) : undefined,
    alarmsSent,
    violations,
    cpuShare: (used.user + used.system) / 1e6 / seconds,
    perDevice,
  };
}

function closedLoop(connections: readonly Connection[], window: number, endAt: number): Promise<number> {
  return new Promise((resolve) => {
    let ended = false;
    for (const connection of connections) {
      connection.onConfirmed = (count) => {
        if (!ended && nowMs() < endAt) connection.send(count);
        else if (!ended) {
          ended = true;
          resolve(0);
        }
      };
      connection.send(window);
    }
  });
}

/** One timer a millisecond; each sends what is due, spread over the connections. */
function openLoop(
  connections: readonly Connection[],
  order: GeneratorOrder,
  endAt: number,
  { awaited, violations }: { awaited: Map<string, number>; violations: [string, number][] },
): Promise<number> {
  const rate = 'open' in order.load ? order.load.open : 0;
  const every = order.alarms?.everyMessages ?? order.violateEvery ?? Infinity;
  const started = nowMs();
  let sent = 0;
  let turn = 0;
  let alarms = 0;
  const violatingNow = new Set<string>();
  const begun = new Set<string>();
  const violating = (device: string): boolean => {
    sent += 1;
    // Two in a row would be one alarm, and the run before may have ended with one.
    const wasViolating = violatingNow.delete(device) || !begun.has(device);
    begun.add(device);
    if (sent % every !== 0 || awaited.has(device) || wasViolating) return false;
    violatingNow.add(device);
    if (order.violateEvery === undefined) awaited.set(device, nowMs());
    else violations.push([device, nowMs()]);
    alarms += 1;
    return true;
  };
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const now = nowMs();
      const due = Math.floor(((Math.min(now, endAt) - started) / 1_000) * rate) - sent;
      const shares = new Map<Connection, number>();
      for (let left = due; left > 0; left--) {
        const connection = connections[turn++ % connections.length];
        if (!connection) continue;
        shares.set(connection, (shares.get(connection) ?? 0) + 1);
      }
      for (const [connection, count] of shares) connection.send(count, violating);
      if (now < endAt) return;
      clearInterval(timer);
      resolve(alarms);
    }, 1);
  });
}

/** Until everything sent is confirmed, 30 s at most. */
async function settled(connections: readonly Connection[]): Promise<void> {
  for (const connection of connections) connection.onConfirmed = () => {};
  for (let waited = 0; waited < 30_000 && connections.some((one) => one.pending > 0); waited += 20) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

process.on('message', (order: GeneratorOrder) => {
  run(order).then(
    (result) => process.send?.({ result }, () => process.exit(0)),
    (error: unknown) => process.send?.({ failed: String(error) }, () => process.exit(1)),
  );
});
