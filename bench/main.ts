import { parseArgs } from 'node:util';
import { benchAlarms } from './alarms.ts';
import { benchBacklog } from './backlog.ts';
import { benchIngest } from './ingest.ts';
import { benchReplay } from './replay.ts';
import { benchSink } from './sink.ts';
import { benchSizes } from './store-sizes.ts';
import { benchStore } from './store.ts';
import { benchWaveforms } from './waveforms.ts';

const usage = `Usage: npm run bench -- ingest [--pairs 5] [--pair-seconds 5] [--open-seconds 10]
       npm run bench -- alarms [--seconds 30] [--burst-seconds 60] [--open-seconds 10] [--influx-stopped] [--disk-full]
       npm run bench -- store [--rounds 15] [--devices 4] [--append-seconds 2] [--sizes]
       npm run bench -- backlog [--waiting 20000000] [--seconds 20] [--backlog-per-s 50000]
       npm run bench -- waveforms [--beds 60] [--seconds 15] [--hours 24]
       npm run bench -- replay [--days 7] [--beds 20]
       npm run bench -- sink [--backlog 2000000] [--live 10000] [--seconds 20] [--backlog-per-s 50000]

Measures on this machine, on loopback, and prints what it found; the last line is one JSON object. Compare figures of
one run only: machines differ, and so does the same one an hour later.`;

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: text,
    'pair-seconds': text,
    'open-seconds': text,
    rounds: text,
    devices: text,
    'append-seconds': text,
    waiting: text,
    sizes: { type: 'boolean' },
    beds: text,
    seconds: text,
    hours: text,
    days: text,
    backlog: text,
    live: text,
    'backlog-per-s': text,
    'burst-seconds': text,
    'influx-stopped': { type: 'boolean' },
    'disk-full': { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const number = (given: string | undefined, usual: number): number =>
  given === undefined ? usual : Number(given);

if (positionals[0] === 'ingest' && !values.help) {
  await benchIngest({
    pairs: number(values.pairs, 5),
    pairSeconds: number(values['pair-seconds'], 5),
    openSeconds: number(values['open-seconds'], 10),
  });
  process.exit(0);
}
if (positionals[0] === 'alarms' && !values.help) {
  await benchAlarms({
    seconds: number(values.seconds, 30),
    burstSeconds: number(values['burst-seconds'], 60),
    openSeconds: number(values['open-seconds'], 10),
    influxStopped: values['influx-stopped'] === true,
    diskFull: values['disk-full'] === true,
  });
  process.exit(0);
}
if (positionals[0] === 'store' && values.sizes && !values.help) {
  await benchSizes();
  process.exit(0);
}
if (positionals[0] === 'store' && !values.help) {
  await benchStore({
    rounds: number(values.rounds, 15),
    devices: number(values.devices, 4),
    appendSeconds: number(values['append-seconds'], 2),
  });
  process.exit(0);
}
if (positionals[0] === 'backlog' && !values.help) {
  await benchBacklog({
    waiting: number(values.waiting, 20_000_000),
    seconds: number(values.seconds, 20),
    backlogPerS: number(values['backlog-per-s'], 50_000),
  });
  process.exit(0);
}
if (positionals[0] === 'waveforms' && !values.help) {
  await benchWaveforms({
    beds: number(values.beds, 60),
    seconds: number(values.seconds, 15),
    hours: number(values.hours, 24),
  });
  process.exit(0);
}
if (positionals[0] === 'replay' && !values.help) {
  await benchReplay({ days: number(values.days, 7), beds: number(values.beds, 20) });
  process.exit(0);
}
if (positionals[0] === 'sink' && !values.help) {
  await benchSink({
    backlog: number(values.backlog, 2_000_000),
    liveRate: number(values.live, 10_000),
    seconds: number(values.seconds, 20),
    backlogPerS: number(values['backlog-per-s'], 50_000),
  });
  process.exit(0);
}
console.log(usage);
process.exit(values.help ? 0 : 2);
