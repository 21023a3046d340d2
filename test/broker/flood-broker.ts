import { createBroker, brokerLimits } from '../../broker/broker.ts';
import { systemClock } from '../../model/clock.ts';

// A broker alone in its process, so that its memory can be read: prints its port, then its RSS for each line it reads.
const nothing = () => undefined;
const broker = await createBroker({
  limits: brokerLimits,
  clock: systemClock(),
  log: { warn: nothing, info: nothing },
  authenticate: (id) => ({ kind: 'device', id }),
  take: (_publication, confirm) => confirm(),
  connected: nothing,
  disconnected: nothing,
  refused: nothing,
});
const { port } = await broker.listen({ host: '127.0.0.1', port: 0 });
console.log(port);
process.stdin.on('data', () => {
  (globalThis as { gc?: () => void }).gc?.();
  console.log(process.memoryUsage.rss());
});
process.stdin.on('end', () => process.exit(0));
