// Goal: a block that was confirmed is in the store once, whatever died when (DESIGN promise 1).
// Way: blocks whose samples say their place, a sender that sends again what was not confirmed, kill -9 at any moment.
import { expect, test } from 'vitest';
import { openGatewayProcess, until } from '../house/gateway-process.ts';

const ecg = 'MDC_ECG_ELEC_POTL_II';
const rounds = 5;
const perBlock = 25;

test('kill -9 under waves: no confirmed block is lost, none is there twice', async () => {
  await using gateway = await openGatewayProcess({ devices: 1, hosts: 1 });
  const [client] = gateway.clients();
  if (!client) throw new Error('a host was wanted');
  const beginMs = Date.now() - 20 * 60_000;
  const state = { boot: 'kill', seq: 1, link: 'birth', clockMs: Date.now() };
  const confirmed = new Set<number>();
  let seq = 0;
  const send = (): void => {
    const number = seq++;
    const samples = Int16Array.from({ length: perBlock }, (_, at) => (number * perBlock + at) % 30_000);
    const message = {
      boot: 'kill',
      seq: number + 2,
      metric: ecg,
      takenAtMs: beginMs + number * 250,
      historical: true,
      periodUs: 10_000,
      gain: 1,
      offset: 0,
      samples: Buffer.from(samples.buffer).toString('base64'),
    };
    client.publish('v1/device/device-0/waveforms', JSON.stringify(message), {
      confirmed: () => void confirmed.add(number),
    });
  };
  const connect = async (): Promise<void> => {
    await client.connect();
    client.speakAsHost();
    await client.ask('v1/device/device-0/state', JSON.stringify({ ...state, clockMs: Date.now() }));
  };
  await connect();
  for (let round = 0; round < rounds; round++) {
    const untilMs = performance.now() + 700 + round * 211;
    while (performance.now() < untilMs) {
      for (let many = 0; many < 5; many++) send();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await gateway.restart('SIGKILL');
    await connect();
    client.resend();
    await until('what was sent again is confirmed', 20_000, () => client.pending === 0);
  }
  expect(confirmed.size).toBe(seq);
  const wanted = seq * perBlock;
  const found = await until('all is in the store', 30_000, async () => {
    const values: (number | null)[] = [];
    for (let fromMs = beginMs; fromMs < beginMs + seq * 250; fromMs += 120_000) {
      const answer = await gateway.call<{ items: { runs: { values: (number | null)[] }[] }[] }>(
        'GET',
        `/api/v1/waveforms?device=device-0&from=${fromMs}&to=${fromMs + 120_000}`,
      );
      for (const { runs } of answer.items) for (const run of runs) values.push(...run.values);
    }
    return values.length >= wanted && values;
  });
  expect(found.length).toBe(wanted);
  expect(found.findIndex((value, at) => value !== at % 30_000)).toBe(-1);
  // By count too: a block that stood there twice would be answered once.
  const blocks = await until('the store has counted after its start', 10_000, async () => {
    const metrics = await (await fetch(`${gateway.stage.httpUrl}/metrics`)).text();
    const counted = /^vigil_waveforms_blocks (\d+)$/m.exec(metrics)?.[1];
    return counted !== '0' && counted;
  });
  expect(blocks).toBe(String(seq));
  client.end();
});
