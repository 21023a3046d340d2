import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Counters } from '../journal/observation-batch.ts';

export interface MetricSources {
  readonly counters: () => Counters;
  readonly stored: () => number;
  readonly recording: () => boolean;
  readonly sinks: () => readonly {
    readonly id: string;
    readonly state: string;
    readonly lagMs: number;
    readonly liveLagMs: { readonly p99: number };
    readonly undeliveredBatches: number;
    readonly stored: number;
    readonly refused: number;
    readonly lastSuccessAtMs?: number;
  }[];
  readonly historianLagMs: () => number;
  readonly waveforms: () => { lagMs: number; blocks: number; bytes: number; strips: number; dropped: number };
  readonly door: () => {
    connections: number;
    signedIn: number;
    pending: number;
    banned: number;
    publications: number;
    refusals: Readonly<Record<string, number>>;
  };
  readonly activeAlarms: () => readonly { priority: string; kind: string }[];
}

/** What Prometheus reads at /metrics. Counted in observations unless the name says otherwise. */
export function createMetrics(sources: MetricSources) {
  const register = new Registry();
  collectDefaultMetrics({ register });

  const fates = new Counter({
    name: 'vigil_observations_total',
    help: 'received = kept + ledgered + quarantined + duplicate',
    labelNames: ['fate'],
    registers: [],
    collect() {
      this.reset();
      for (const [fate, count] of Object.entries(sources.counters())) this.inc({ fate }, count);
      this.inc({ fate: 'stored' }, sources.stored());
    },
  });
  gauge('vigil_recording', '1 while what is confirmed is on disk first', () => (sources.recording() ? 1 : 0));
  gauge(
    'vigil_historian_lag_seconds',
    'age of the oldest kept observation that a query would not find',
    () => sources.historianLagMs() / 1_000,
  );
  const waves = sources.waveforms;
  gauge('vigil_waveforms_lag_seconds', 'age of what a query for waveforms would find last', () => {
    return waves().lagMs / 1_000;
  });
  gauge('vigil_waveforms_blocks', 'blocks of samples kept', () => waves().blocks);
  gauge('vigil_waveforms_bytes', 'their bytes on disk', () => waves().bytes);
  gauge('vigil_waveforms_strips', 'strips kept for alarms', () => waves().strips);
  gauge('vigil_stream_waves_dropped', 'live frames for which a screen had no room', () => waves().dropped);
  gauge('vigil_mqtt_connections', 'connections at the front door', () => sources.door().connections);
  gauge('vigil_mqtt_signed_in', 'clients signed in', () => sources.door().signedIn);
  gauge('vigil_mqtt_unconfirmed', 'messages read and not yet confirmed', () => sources.door().pending);
  gauge(
    'vigil_mqtt_banned',
    'clients and addresses refused for connecting too often',
    () => sources.door().banned,
  );
  for (const metric of sinkMetrics(sources.sinks)) register.registerMetric(metric);
  const refusals = new Counter({
    name: 'vigil_mqtt_refusals_total',
    help: 'what the front door refused, by fault code',
    labelNames: ['code'],
    registers: [],
    collect() {
      this.reset();
      for (const [code, count] of Object.entries(sources.door().refusals)) this.inc({ code }, count);
    },
  });
  const alarms = new Gauge({
    name: 'vigil_alarms',
    help: 'alarms present',
    labelNames: ['priority', 'kind'],
    registers: [],
    collect() {
      this.reset();
      for (const { priority, kind } of sources.activeAlarms()) this.inc({ priority, kind });
    },
  });
  const alarmLatency = new Histogram({
    name: 'vigil_alarm_latency_seconds',
    help: 'from receipt of the raising sample to the alarm on the live stream',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
    registers: [],
  });

  const alarmDelivery = new Histogram({
    name: 'vigil_alarm_delivery_seconds',
    help: 'from receipt of the raising sample to judged, and to sent, received and shown at its first recipient',
    labelNames: ['hop'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
    registers: [],
  });

  register.registerMetric(alarmDelivery);
  register.registerMetric(fates);
  register.registerMetric(refusals);
  register.registerMetric(alarms);
  register.registerMetric(alarmLatency);

  function gauge(name: string, help: string, read: () => number): void {
    const made = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    register.registerMetric(made);
  }

  return {
    text: () => register.metrics(),
    alarmTook: (ms: number) => alarmLatency.observe(ms / 1_000),
    hopTook: (hop: string, ms: number) => alarmDelivery.observe({ hop }, ms / 1_000),
  };
}

type SinkFigures = ReturnType<MetricSources['sinks']>[number];

/** Of each time-series server. */
function sinkMetrics(sinks: MetricSources['sinks']): (Gauge | Counter)[] {
  const each = (name: string, help: string, read: (sink: SinkFigures) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['sink'],
      registers: [],
      collect() {
        this.reset();
        for (const sink of sinks()) this.set({ sink: sink.id }, read(sink));
      },
    });
  const fates = new Counter({
    name: 'vigil_sink_observations_total',
    help: 'observations a time-series server took, or refused for good, since the start',
    labelNames: ['sink', 'fate'],
    registers: [],
    collect() {
      this.reset();
      for (const { id, stored, refused } of sinks()) {
        this.inc({ sink: id, fate: 'stored' }, stored);
        this.inc({ sink: id, fate: 'refused' }, refused);
      }
    },
  });
  return [
    fates,
    each('vigil_sink_delivering', '1 while the server takes what it is sent', ({ state }) =>
      state === 'delivering' ? 1 : 0,
    ),
    each('vigil_sink_paused', '1 while a person must act for it to go on', ({ state }) =>
      state === 'paused' ? 1 : 0,
    ),
    each('vigil_sink_lag_seconds', 'age of the oldest observation it lacks', ({ lagMs }) => lagMs / 1_000),
    each(
      'vigil_sink_live_lag_seconds',
      'how far behind live observations were delivered in the last minute, p99',
      ({ liveLagMs }) => liveLagMs.p99 / 1_000,
    ),
    each('vigil_sink_undelivered_batches', 'journal batches it lacks', (sink) => sink.undeliveredBatches),
    each(
      'vigil_sink_last_success_timestamp_seconds',
      'when it last took something; 0 = never since the start',
      ({ lastSuccessAtMs = 0 }) => lastSuccessAtMs / 1_000,
    ),
  ];
}
