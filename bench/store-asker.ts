/** Asks a gateway for a day again and again until it is ended; a process of its own. */
import { dayDevice } from './store-day.ts';

const { url, cookie, span } = JSON.parse(process.argv[2] ?? '{}') as {
  url: string;
  cookie: string;
  span: { fromMs: number; toMs: number };
};
const whose = { device: dayDevice(0), from: String(span.fromMs), to: String(span.toMs) };
const range = new URLSearchParams({ ...whose, metric: 'MDC_ECG_HEART_RATE/2' });
const minutes = new URLSearchParams({ ...whose, every: '60s', aggregate: 'mean' });
process.send?.({ ready: true });
for (;;) {
  await read(range, 'application/x-ndjson');
  await read(minutes, 'application/json');
}

async function read(query: URLSearchParams, accept: string): Promise<void> {
  const answer = await fetch(`${url}/api/v1/observations?${query}`, { headers: { cookie, accept } });
  for await (const part of answer.body ?? []) void part;
}
