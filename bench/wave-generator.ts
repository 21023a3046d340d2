/**
 * Sends waves as a ward of monitors does, a process of its own: every device tells a block of each wave each quarter of
 * a second, by the clock. Told by its parent: WaveOrder; answers with one result message.
 */
import { connect, type Socket } from 'node:net';
import { cpuUsage } from 'node:process';
import { generate, parser } from 'mqtt-packet';
import { loadWaves } from '../simulators/waves.ts';
import { percentiles, type Percentiles } from './percentiles.ts';

export interface WaveOrder {
  readonly port: number;
  readonly connections: readonly {
    readonly clientId: string;
    readonly password: string;
    readonly devices: readonly string[];
  }[];
  readonly seconds: number;
  readonly boot: string;
}
export interface WaveResult {
  readonly sent: number;
  readonly confirmed: number;
  readonly samples: number;
  readonly seconds: number;
  readonly pubackMs: Percentiles;
  readonly cpuShare: number;
}

export const periodUs = 4_000;
const blockSamples = 64;
const blockMs = (blockSamples * periodUs) / 1_000;
/** Recorded at other rates and told as 250 Hz: the bytes are those of real waves. */
const waves = loadWaves('icu_x1', ['ii', 'pleth', 'abp']);

class Sender {
  readonly devices: readonly string[];
  readonly waited: number[] = [];
  private readonly sentAtMs = new Map<number, number>();
  private readonly socket: Socket;
  private id = 0;

  constructor(socket: Socket, devices: readonly string[]) {
    this.socket = socket;
    this.devices = devices;
    const incoming = parser();
    socket.on('data', (bytes) => void incoming.parse(bytes));
    incoming.on('packet', (packet) => {
      if (packet.cmd !== 'puback') return;
      const at = this.sentAtMs.get(packet.messageId ?? 0);
      if (at !== undefined) this.waited.push(performance.now() - at);
      this.sentAtMs.delete(packet.messageId ?? 0);
    });
  }

  /** One block of each wave of each device, in one write. */
  tell(order: WaveOrder, block: number): void {
    this.socket.cork();
    for (const device of this.devices)
      for (const [index, wave] of waves.entries()) {
        const from = (block * blockSamples) % (wave.samples.length - blockSamples);
        const samples = wave.samples.slice(from, from + blockSamples);
        this.id = (this.id % 65_535) + 1;
        this.sentAtMs.set(this.id, performance.now());
        const message = {
          boot: order.boot,
          seq: block * waves.length + index,
          metric: wave.metric,
          takenAtMs: Date.now() - blockMs,
          periodUs,
          gain: wave.gain,
          offset: wave.offset,
          samples: Buffer.from(samples.buffer).toString('base64'),
        };
        this.socket.write(
          generate({
            cmd: 'publish',
            qos: 1,
            dup: false,
            retain: false,
            topic: `v1/device/${device}/waveforms`,
            messageId: this.id,
            payload: JSON.stringify(message),
          }),
        );
      }
    this.socket.uncork();
  }

  get pending(): number {
    return this.sentAtMs.size;
  }

  end(): void {
    this.socket.destroy();
  }
}

async function open(port: number, at: WaveOrder['connections'][number]): Promise<Sender> {
  const { clientId, password } = at;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    const first = parser();
    first.once('packet', (packet) =>
      packet.cmd === 'connack' && packet.returnCode === 0 ? resolve() : reject(),
    );
    socket.on('error', reject);
    socket.once('data', (bytes) => void first.parse(bytes));
    const who = { clientId, username: clientId, password: Buffer.from(password), keepalive: 0, clean: true };
    socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, ...who }));
  });
  return new Sender(socket, at.devices);
}

async function run(order: WaveOrder): Promise<WaveResult> {
  const senders = await Promise.all(order.connections.map((at) => open(order.port, at)));
  const startMs = performance.now();
  const cpu = cpuUsage();
  const blocks = Math.round((order.seconds * 1_000) / blockMs);
  for (let block = 0; block < blocks; block++) {
    // Connections speak one after the other within the quarter of a second, as a ward's do.
    for (const [index, sender] of senders.entries()) {
      const dueMs = startMs + (block + index / senders.length) * blockMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      sender.tell(order, block);
    }
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = cpuUsage(cpu);
  for (let waited = 0; waited < 10_000 && senders.some(({ pending }) => pending > 0); waited += 50)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const waited = senders.flatMap((sender) => sender.waited);
  for (const sender of senders) sender.end();
  const sent = blocks * waves.length * senders.reduce((sum, { devices }) => sum + devices.length, 0);
  return {
    sent,
    confirmed: waited.length,
    samples: sent * blockSamples,
    seconds,
    pubackMs: percentiles(waited),
    cpuShare: (user + system) / 1e6 / seconds,
  };
}

process.once('message', (order: WaveOrder) => {
  run(order).then(
    (result) => process.send?.({ result }, () => process.exit(0)),
    (error: unknown) => process.send?.({ failed: String(error) }, () => process.exit(1)),
  );
});
