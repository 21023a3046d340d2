import type { Broker } from '../broker/broker.ts';
import type { Counters } from '../journal/observation-batch.ts';
import type { Clock } from '../model/clock.ts';
import type { Alarm } from '../model/alarm.ts';
import type { Fault } from '../model/fault.ts';
import type { Alarms } from './alarm/engine.ts';
import type { LiveScores } from './alarm/scores/live-scores.ts';
import type { AnalyticsRoom } from './alarm/analytics/open.ts';
import type { ReplayRoom } from './alarm/replay/open.ts';
import type { BackupRoom } from './backup/open.ts';
import type { Books } from './books/books.ts';
import type { Census } from './census/census.ts';
import type { Deliveries } from './delivery/delivery.ts';
import type { Charting } from './charting/charting.ts';
import type { FarHosts } from './devices/far-hosts.ts';
import type { Hosts } from './devices/hosts.ts';
import type { MapBook } from './devices/map-book.ts';
import type { RawLane } from './devices/raw-lane.ts';
import type { Registry } from './devices/registry.ts';
import type { DeviceDesk } from './devices/service.ts';
import type { Credentials } from './identity/credentials.ts';
import type { Identity } from './identity/identity.ts';
import type { Intake } from './intake/intake.ts';
import type { RoomWatch } from './intake/journal-room.ts';
import type { Ledger } from './intake/ledger.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Latency } from './latency.ts';
import type { Live } from './live/live.ts';
import type { LiveWaves } from './live/waves.ts';
import type { createMetrics } from './metrics.ts';
import type { People } from './people/people.ts';
import type { Observations } from './query/observations.ts';
import type { Rows } from './rows/rows.ts';
import type { Servers } from './store/servers/open.ts';
import type { EmbeddedHistorian } from './store/historian.ts';
import type { Waveforms } from './waveforms/waveforms.ts';

/** The rooms of one gateway, as compose opens them; the joints between them are in joints.ts and door.ts. */
export interface House {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly latency: Latency;
  readonly jobs: Jobs;
  rows: Rows;
  ledger: Ledger;
  credentials: Credentials;
  identity: Identity;
  historian: EmbeddedHistorian;
  /** Time-series servers beside it. */
  servers: Servers;
  books: Books;
  /** From when there are alarms. */
  roomWatch?: RoomWatch;
  waveforms: Waveforms;
  observations: Observations;
  charting: Charting;
  registry: Registry;
  hosts: Hosts;
  desk: DeviceDesk;
  census: Census;
  alarms: Alarms;
  people: People;
  deliveries: Deliveries;
  /** Closes people and deliveries. */
  closeDeliveries: () => void;
  /** Outlets that take alarms for a chain's level, by the name the chain uses. */
  readonly alarmOutlets: Map<string, (alarm: Alarm) => void>;
  scores: LiveScores;
  intake: Intake;
  rawLane: RawLane;
  live: Live;
  backup: BackupRoom;
  limitReplay: ReplayRoom;
  analytics: AnalyticsRoom;
  liveWaves: LiveWaves;
  broker: Broker;
  metrics: ReturnType<typeof createMetrics>;
  /** Of the host beside the gateway: made at each start, never in the registry. */
  readonly ownSecret: string;
  /** Driver hosts elsewhere, from the registry. */
  farHosts: FarHosts;
  maps: MapBook;
  recordingFault: Fault | undefined;
  /** The newest fault of each part that is not known to be well again. */
  readonly partFaults: Map<string, Fault>;
}
