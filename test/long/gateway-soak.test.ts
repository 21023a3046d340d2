// Goal: three minutes of a busy ward leave the gateway as it was: no memory, no file and no message gone astray.
// Way: 500 messages a second of 100 devices, a screen that watches, and a look at the process every second.
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { median, residentMb } from '../../bench/peer.ts';
import { atRest, imbalance, openGatewayProcess, until } from '../house/gateway-process.ts';

const messagesPerS = 500;
const devices = 100;
const soakS = 180;
/** Caches, segments and compiled code have come to rest by then. */
const warmS = 60;
const windowS = 30;

test('three minutes at 500 messages a second: memory and files stay, and each message is kept', async () => {
  await using gateway = await openGatewayProcess({ devices, hosts: 10 });
  const clients = gateway.clients();
  for (const client of clients) {
    await client.connect();
    client.speakAsHost();
  }
  using stream = await gateway.stream();
  const started = performance.now();
  let sent = 0;
  const sending = setInterval(() => {
    const due = ((performance.now() - started) * messagesPerS) / 1_000;
    for (; sent < due; sent++) {
      const device = sent % devices;
      const seq = Math.floor(sent / devices) + 1;
      // Every device crosses its limit for a while, each at its own time: alarms come and go.
      const heart = (seq + device * 7) % 200 < 10 ? 180 : 60 + (seq % 50);
      const values = { MDC_ECG_HEART_RATE: heart, MDC_PULS_OXIM_SAT_O2: 92 + (seq % 8) };
      const message = JSON.stringify({ boot: 'soak', seq, takenAtMs: Date.now(), values });
      clients[device % clients.length]?.publish(`v1/device/device-${device}/observations`, message);
    }
  }, 5);

  const memory: number[] = [];
  const files: number[] = [];
  let worstHealthMs = 0;
  try {
    for (let second = 0; second < soakS; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const asked = performance.now();
      const { status } = await gateway.health();
      worstHealthMs = Math.max(worstHealthMs, performance.now() - asked);
      expect(status).not.toBe('red');
      memory.push(residentMb(gateway.pid));
      files.push(readdirSync(`/proc/${gateway.pid}/fd`).length);
    }
  } finally {
    clearInterval(sending);
  }

  const span = (all: readonly number[], fromS: number): number => median(all.slice(fromS, fromS + windowS));
  const grownMb = span(memory, soakS - windowS) - span(memory, warmS);
  const grownFiles = span(files, soakS - windowS) - span(files, warmS);
  const worstMs = Math.max(...clients.map((client) => client.worstMs));
  console.log(
    `  ${sent} messages; memory ${memory.at(0)?.toFixed(0)} → ${memory.at(-1)?.toFixed(0)} MB, ` +
      `${grownMb.toFixed(1)} MB in the last two thirds; files ${files.at(0)} → ${files.at(-1)}; ` +
      `worst PUBACK ${worstMs.toFixed(0)} ms, health ${worstHealthMs.toFixed(0)} ms, ` +
      `stream gap ${stream.worstGapMs().toFixed(0)} ms`,
  );
  expect(grownMb).toBeLessThan(20);
  expect(grownFiles).toBeLessThanOrEqual(8);
  expect(worstMs).toBeLessThan(2_000);
  expect(worstHealthMs).toBeLessThan(2_000);
  expect(stream.worstGapMs()).toBeLessThan(3_000);

  await until('all is confirmed', 10_000, () => clients.every((client) => client.pending === 0));
  for (const client of clients) client.end();
  const counters = await atRest(gateway);
  expect(imbalance(counters)).toBe(0);
  expect(counters).toMatchObject({
    received: sent * 2,
    kept: sent * 2,
    stored: sent * 2,
    duplicate: 0,
    ledgered: 0,
  });
});
