import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildServer, type App } from '../api/server.ts';
import type { Services } from '../api/services.ts';
import { createBroker } from '../broker/broker.ts';
import { openJournal } from '../journal/journal.ts';
import type { Journal } from '../journal/types.ts';
import { isCharted } from '../model/charted.ts';
import type { Clock, SteppedClock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import type { Chance } from '../model/ids.ts';
import { intendedUse } from '../model/intended-use.ts';
import { openAnalytics } from './alarm/analytics/open.ts';
import { openReplay } from './alarm/replay/open.ts';
import { createAlarms } from './alarm/engine.ts';
import { alarmRights } from './alarm/rights.ts';
import { openScores } from './alarm/scores/open.ts';
import { openBackup } from './backup/open.ts';
import { openBooks } from './books/books.ts';
import { lossDesk } from './books/service.ts';
import { alarmHistory } from './alarm/history.ts';
import { openCensus } from './census/census.ts';
import { Charting } from './charting/charting.ts';
import type { Config } from './config/schema.ts';
import { openDeliveries } from './delivery/open.ts';
import { FarHosts } from './devices/far-hosts.ts';
import { HostProcess } from './devices/host-process.ts';
import { Hosts } from './devices/hosts.ts';
import { MapBook, mapsNamedBy, mapUsers } from './devices/map-book.ts';
import { RawLane } from './devices/raw-lane.ts';
import { ownHost, Registry } from './devices/registry.ts';
import { DeviceDesk } from './devices/service.ts';
import { take, whoIs } from './door.ts';
import { healthParts, worst } from './health.ts';
import type { House } from './house.ts';
import { createCredentials, type Credentials } from './identity/credentials.ts';
import { createIdentity, type Identity } from './identity/identity.ts';
import { glance } from './intake/glance.ts';
import { Intake } from './intake/intake.ts';
import { lossLines, RoomWatch } from './intake/journal-room.ts';
import { Ledger, notYetLasting, type Loss } from './intake/ledger.ts';
import { readReserve } from './intake/reserve-file.ts';
import { Jobs } from './jobs/jobs.ts';
import { bedOf, intakeListeners, joinLive, noteFault, recordingChanged, watchHouse } from './joints.ts';
import { Latency } from './latency.ts';
import { createLive } from './live/live.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { knownIn, openQueries, shownSources } from './query/open.ts';
import { openRows, type AuditEntry, type Rows } from './rows/rows.ts';
import { openHistorian } from './store/historian.ts';
import { storeLosses } from './store/damage.ts';
import { leastRetentionMs, retentionOf } from './store/retention.ts';
import { faultFrom } from './store/worker-line.ts';
import { openServers } from './store/servers/open.ts';
import { joinWaveforms, openWaveformRoom, waveformServiceOf } from './waveforms/open.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly clock: SteppedClock;
  readonly chance: Chance;
  readonly log: Log;
  readonly demo: boolean;
  readonly version: string;
  /** Where `config` was read from, for a backup. */
  readonly configFile?: string;
}

export interface Gateway {
  readonly httpUrl: string;
  readonly mqttUrl: string;
  /** Until the first administrator was made. */
  readonly setupToken: string | undefined;
  readonly services: Services;
  readonly credentials: Credentials;
  readonly identity: Identity;
  close(): Promise<void>;
}

/**
 * The only file that knows every folder: opens what keeps, then what judges, then what listens, and joins them.
 * Rejects with a Fault when something cannot be opened.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { clock, chance, log } = options;
  const folder = resolve(options.config.data);
  const house = {
    clock,
    counters: { received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 },
    latency: new Latency(),
    jobs: new Jobs({ clock, chance }),
    alarmOutlets: new Map(),
    ownSecret: chance.hex(256),
    recordingFault: undefined,
    partFaults: new Map<string, Fault>(),
  } as unknown as House;

  house.rows = await openRows({
    folder: join(folder, 'registry'),
    clock,
    told: (fault) => noteFault(house, log, 'registry', fault),
  });
  house.ledger = await openLedger(house.rows, folder, options);
  house.credentials = await createCredentials({ clock, chance, rows: house.rows });
  house.identity = await createIdentity({ clock, chance, rows: house.rows });
  const journal = await openKeeping(house, folder, options);
  await openCensusRoom(house, options);
  await openIntake(house, journal, options);
  await openAlarmRoom(house, options);
  const { technical } = house.alarms;
  const { alarmAtPercent } = options.config.journal;
  house.roomWatch = new RoomWatch({ clock, journal, technical, alarmAtPercent });
  await showLatest(house, log);
  house.broker = await createBroker({
    limits: options.config.broker.limits,
    clock,
    log,
    authenticate: (clientId, secret) => whoIs(house, clientId, secret),
    take: (publication, confirm) => take(house, publication, confirm),
    connected: (identity) => log.info({ client: identity.id }, 'signed in'),
    disconnected: (identity) => log.info({ client: identity.id }, 'signed out'),
    refused: ({ fault, client }) => void (client !== undefined && house.desk.noteRefusal(client, fault)),
  });
  house.backup = openBackup({
    config: options.config.backup,
    data: folder,
    configFile: options.configFile,
    version: options.version,
    clock,
    jobs: house.jobs,
    told: (fault) => noteFault(house, log, 'backup copy', fault),
  });
  house.limitReplay = openReplay({
    census: house.census,
    device: (id) => house.registry.get(id),
    folder: join(folder, 'historian'),
    flush: () => house.historian.flush(),
    clock,
    jobs: house.jobs,
  });
  house.analytics = openAnalytics({
    census: house.census,
    path: join(folder, 'registry', 'rows.db'),
    clock,
    jobs: house.jobs,
    replay: house.limitReplay,
  });
  const services = servicesOf(house, options);
  const app = buildServer(services, {
    clock,
    webRoot: fileURLToPath(new URL('../web/dist', import.meta.url)),
    version: options.version,
    logger: log,
    origins: options.config.http.origins,
    trustProxy: options.config.http.trustProxy,
    https: tlsOf(options.config.http.tls),
    mqttUpgrade: house.broker.upgrade,
  });
  return listen({ house, app, services, journal, folder }, options);
}

/** How long a host may still speak for a device that was taken from it. */
const rightsGraceMs = 10_000;

/** Entries of before the start go to the lasting ledger first; then the reserve is free again. */
async function openLedger(rows: Rows, folder: string, { config, clock }: GatewayOptions): Promise<Ledger> {
  const file = join(folder, 'loss-reserve');
  const bytes = config.journal.reserveBytes;
  const settle = async (losses: readonly Loss[]): Promise<void> => {
    const newest = { limit: 2 * losses.length + 1_000, newestFirst: true };
    const lasting = await rows.read('losses', newest);
    const missing = notYetLasting(
      losses,
      lasting.map(({ entry }) => entry),
    );
    await rows.transaction(
      missing.map((loss) => ({ append: 'losses', entry: { ...loss, atMs: clock.nowMs() } }) as const),
    );
  };
  const left = readReserve(file, bytes);
  const ledger = new Ledger({ file, bytes, settle });
  ledger.enter(left);
  // On a disk that is full they stay where they are: no reason not to start.
  await ledger.settle();
  return ledger;
}

async function openKeeping(
  house: House,
  folder: string,
  { config, clock, chance, log }: GatewayOptions,
): Promise<Journal> {
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: config.journal.segmentBytes,
    maxBytes: config.journal.maxBytes,
    classBytes: config.journal.classBytes,
    snapshot: () => house.intake?.snapshot(),
    lost: (loss) => {
      house.ledger.enter(lossLines(loss));
      house.roomWatch?.lost(loss);
    },
    faulty: (fault) => noteFault(house, log, 'journal', fault),
    clock,
    chance,
  });
  // What the last run left damaged: told once, in the loss ledger and as a fault of the journal.
  for (const loss of journal.found.damage) house.ledger.enter(lossLines(loss));
  for (const fault of journal.found.faults) noteFault(house, log, 'journal files', faultFrom(fault));
  house.historian = await openHistorian({
    folder: join(folder, 'historian'),
    journal,
    clock,
    told: (fault) => {
      noteFault(house, log, 'historian', fault);
      house.ledger.enter(storeLosses(fault));
    },
    deadlineMs: config.historian.queryDeadlineMs,
    retention: retentionOf(config.historian, config.sinks),
    corrections: config.historian.corrections,
  });
  house.waveforms = await openWaveformRoom({
    folder,
    journal,
    clock,
    settings: config.waveforms,
    told: (fault) => noteFault(house, log, 'waveforms', fault),
    enter: (losses) => house.ledger.enter(losses),
  });
  house.servers = await openServers({
    settings: config.sinks,
    journal,
    rows: house.rows,
    clock,
    told: (sink, fault) => log.warn({ part: `sink ${sink}`, fault: fault.toJSON() }, fault.message),
  });
  house.books = await openBooks({
    folder: join(folder, 'books'),
    journal,
    rows: house.rows,
    clock,
    told: (fault) => noteFault(house, log, 'books', fault),
    keepDays: config.journal.booksDays,
  });
  return journal;
}

/** Devices and census: who is where. */
async function openCensusRoom(house: House, options: GatewayOptions): Promise<void> {
  const { clock, chance } = options;
  openRegistry(house, options);
  await house.registry.open();
  await house.farHosts.open();
  await house.maps.open();
  house.census = await openCensus({
    rows: house.rows,
    clock,
    chance,
    audit: (act) => audit(house, act),
    knowsDevice: (device) => house.registry.get(device) !== undefined,
    fixedAt: (bed) => house.registry.fixedAt(bed),
    toReview: (bed) => house.alarms.review.at(bed).entries.length,
    glance: (device) => {
      const known = house.registry.get(device);
      if (!known && !isCharted(device)) return undefined;
      return glance(device, known?.label ?? 'charted', house.intake.device(device));
    },
  });
  house.metrics = metricsOf(house);
}

async function openIntake(
  house: House,
  journal: Journal,
  { config, clock, chance }: GatewayOptions,
): Promise<void> {
  house.intake = new Intake({
    ...config.journal,
    clock,
    journal,
    ledger: house.ledger,
    counters: house.counters,
    listeners: intakeListeners(house),
    recordingChanged: (recording, fault) => recordingChanged(house, recording, fault),
    deviceFault: (device, fault) => house.desk.noteFault(device, fault),
  });
  await house.intake.recover();
  house.rawLane = new RawLane({
    journal,
    clock,
    chance,
    publish: (topic, payload) => house.broker.publish(topic, Buffer.from(payload)),
    hostOf: (device) => house.registry.get(device)?.host,
    hostUp: (host) => house.hosts.stateOf(host).up,
    recording: () => house.intake.recording,
    keep: (head, message, settled) => house.intake.takeForeign(head, message, settled),
    unread: (loss) => {
      house.ledger.enter([loss]);
      house.desk.noteFault(loss.device, new Fault('RAW_UNREAD', { device: loss.device }));
    },
  });
  clock.notBefore(newestInstantMs(house));
}

/** The newest instant this gateway has stamped: what is kept, and who is where. */
function newestInstantMs({ intake, census }: House): number {
  let newest = 0;
  for (const { lastKeptAtMs = 0 } of intake.all()) newest = Math.max(newest, lastKeptAtMs);
  for (const { beginAtMs } of census.associations({ open: true })) newest = Math.max(newest, beginAtMs);
  return newest;
}

/** What must ring; restored from its log before anything new is judged. */
async function openAlarmRoom(house: House, { clock, chance, config, demo }: GatewayOptions): Promise<void> {
  house.alarms = await createAlarms({
    clock,
    chance,
    rows: house.rows,
    census: house.census,
    device: (id) => house.registry.get(id),
    keptAtMs: (id) => house.intake.device(id)?.lastKeptAtMs,
    critical: config.alarms.criticalMetrics,
    latency: ({ alarm, receivedAtMs, raisedAtMs }) => {
      house.deliveries?.sampled(alarm, receivedAtMs);
      house.latency.note(raisedAtMs, raisedAtMs - receivedAtMs);
      house.metrics.alarmTook(raisedAtMs - receivedAtMs);
    },
  });
  house.scores = await openScores({
    ...house,
    settings: config.alarms,
    seriesOf: (device) => house.intake.device(device)?.series.values() ?? [],
    audit: (act) => audit(house, act),
  });
  house.live = createLive({
    clock,
    chance,
    demo,
    beds: () => house.census.beds(),
    view: (bed) => house.census.view(bed),
    values: (bed) => house.census.values(bed),
    alarms: () => house.alarms.active(),
  });
  joinLive(house);
  joinWaveforms(house, config.waveforms);
  house.closeDeliveries = await openDeliveries(house, {
    clock,
    chance,
    audit: (act) => audit(house, act),
  });
}

function openRegistry(house: House, { clock, chance, config }: GatewayOptions): void {
  house.hosts = new Hosts({
    clock,
    chance,
    publish: (topic, payload, { retain }) => house.broker.publish(topic, Buffer.from(payload), { retain }),
    devicesOn: (host) => house.registry.list({}).filter((device) => device.host === host),
    mapsOf: (host) => house.maps.of(mapsNamedBy(house.registry.list({}).filter((one) => one.host === host))),
    lost: (host, why) => house.intake.hostLost(house.registry.devicesOf(host), why.toJSON()),
    back: (host) => house.rawLane.again(host),
    told: (host, { boot }) => house.rawLane.hostTold(host, boot),
    rawReply: (host, reply) => house.rawLane.replied(host, reply),
  });
  house.registry = new Registry({
    rows: house.rows,
    chance,
    wardExists: (ward) => house.census.ward(ward) !== undefined,
    hostExists: (host) => host === ownHost || house.farHosts.has(host),
    later: (run) => void clock.after(rightsGraceMs, run),
    inUse: (device) => house.census.current(device) !== undefined,
    revoke: (device) => house.credentials.revoke(device),
    audit: (act) => audit(house, act),
    changed: (id, device) => {
      if (!device) house.broker.disconnect(id, 'the device was removed');
      house.alarms.deviceChanged(id);
      // It may have moved from one host to another: each of them starts and ends only what changed.
      configureHosts(house);
      const bed = bedOf(house, id);
      if (bed !== undefined) house.live.bedChanged(bed);
    },
  });
  house.farHosts = new FarHosts({
    rows: house.rows,
    chance,
    hosts: house.hosts,
    credentials: house.credentials,
    monotonicMs: () => clock.monotonicMs(),
    ownEnabled: config.host.enabled,
    devicesOf: (host) => house.registry.devicesOf(host),
    isDevice: (id) => house.registry.get(id) !== undefined,
    disconnect: (host, why) => house.broker.disconnect(host, why),
    changed: () => configureHosts(house),
    audit: (act) => audit(house, act),
  });
  house.maps = new MapBook({
    clock,
    rows: house.rows,
    ask: (question) => house.hosts.ask(ownHost, question),
    users: (name) => mapUsers(house.registry.list({}), name),
    changed: () => configureHosts(house),
    audit: (act) => audit(house, act),
  });
  house.desk = new DeviceDesk({
    clock,
    registry: house.registry,
    hosts: house.hosts,
    credentials: house.credentials,
    live: (device) => house.intake.device(device),
    hostExists: (host) => house.farHosts.has(host),
    mayPlace: ({ wards }, ward, bed) =>
      house.census.ward(ward) !== undefined &&
      (wards === 'all' || wards.includes(ward)) &&
      (bed === undefined || house.census.bed(bed)?.ward === ward),
    disconnect: (device, why) => house.broker.disconnect(device, why),
    audit: (act) => audit(house, act),
  });
}

/** The newest values of before the start stand on the tiles, with their age. A store that cannot answer stops nothing. */
async function showLatest(house: House, log: Log): Promise<void> {
  try {
    house.intake.restoreLatest(await house.historian.latest(shownSources(house)));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    noteFault(house, log, 'historian', error);
  }
}

/** One line of the audit. It is queued in order and tried again until it is on disk; nobody waits for it. */
function audit(house: House, entry: Omit<AuditEntry, 'atMs'>): void {
  house.rows.append('audit', { ...entry, atMs: house.clock.nowMs() }).catch(() => {
    // ROWS_OVERFLOW: the rows room has told its fault already; health is red.
  });
}

const metricsOf = (house: House): House['metrics'] =>
  createMetrics({
    counters: () => house.counters,
    stored: () => house.historian.status().storedObservations,
    recording: () => house.intake.recording,
    sinks: () => house.servers.views(),
    historianLagMs: () => house.historian.status().lagMs,
    waveforms: () => ({ ...house.waveforms.status(), dropped: house.liveWaves.dropped }),
    door: () => house.broker.stats(),
    activeAlarms: () => house.alarms.active(),
  });

function servicesOf(house: House, options: GatewayOptions): Services {
  const { clock, demo } = options;
  const { census, alarms } = house;
  const { historian, sinks } = options.config;
  const retentionMs = leastRetentionMs(retentionOf(historian, sinks));
  const rooms = {
    ...house,
    clock,
    retentionMs,
    long: () => house.servers.longStore,
  };
  house.observations = openQueries(rooms);
  house.charting = new Charting({ ...rooms, chance: options.chance, audit: (act) => audit(house, act) });
  return {
    identity: house.identity,
    census,
    devices: house.desk,
    observations: house.observations,
    charting: house.charting,
    hosts: house.farHosts,
    maps: house.maps,
    alarms,
    alarmHistory: (ask) => alarmHistory(house.rows, ask),
    alarmRights: alarmRights({ assigned: (person, bed) => house.people.hasBed(person.id, bed) }),
    people: house.people,
    deliveries: house.deliveries,
    scores: house.scores,
    review: alarms.review,
    live: house.live,
    waveforms: waveformServiceOf(house, { known: knownIn(rooms), demo }),
    sinks: { list: () => house.servers.views(), test: (id) => house.servers.test(id) },
    audit: { record: (entry) => audit(house, entry) },
    jobs: house.jobs,
    backup: house.backup,
    limitReplay: house.limitReplay,
    analytics: house.analytics,
    losses: lossDesk({
      ...house,
      folder: resolve(options.config.data),
      clock,
      retentionMs,
    }),
    health: () => healthOf(house, options),
    metrics: () => house.metrics.text(),
    demo,
  };
}

function healthOf(
  house: House,
  { clock, demo, version, config }: GatewayOptions,
): ReturnType<Services['health']> {
  const silentFor = (aliveAtMs: number): number => clock.monotonicMs() - aliveAtMs;
  const parts = healthParts({
    recording: () => house.intake.recording,
    recordingFault: () => house.recordingFault?.toJSON(),
    door: () => house.broker.stats(),
    sinks: () => house.servers.health(),
    historian: () => {
      const { lagMs, fault, aliveAtMs, expiredObservations: expired } = house.historian.status();
      return { lagMs, fault, silentForMs: silentFor(aliveAtMs), expired };
    },
    waveforms: () => {
      const { lagMs, fault, aliveAtMs } = house.waveforms.status();
      return { lagMs, fault, silentForMs: silentFor(aliveAtMs) };
    },
    rows: () => {
      const { waiting, fault, aliveAtMs } = house.rows.status();
      return { waiting, fault, silentForMs: silentFor(aliveAtMs) };
    },
    hosts: () =>
      [...house.hosts.all()]
        .filter(([host]) => host !== ownHost || config.host.enabled)
        .map(([host, { up, state }]) => ({
          host,
          up,
          recording: state?.journal?.recording ?? true,
          undelivered: state?.journal?.undelivered ?? 0,
        })),
    devices: () =>
      house.registry.list({}).map(({ id }) => ({
        device: id,
        link: house.intake.device(id)?.link ?? 'never-seen',
        refusals: house.desk.refusalsOf(id),
      })),
    clockOffsetMs: () => clock.machineOffsetMs(),
    openLosses: () => house.ledger.open().length,
    copy: () => house.backup.status(),
    screens: () => house.deliveries.status(),
  });
  return {
    status: worst(parts),
    intendedUse,
    version,
    demo,
    nowMs: clock.nowMs(),
    parts,
    counters: { ...house.counters, stored: house.historian.status().storedObservations },
    alarmLatencyMs: house.latency.figures(clock.nowMs()),
    deliveryMs: house.deliveries.wardFigures(),
  };
}

interface Opened {
  readonly house: House;
  readonly app: App;
  readonly services: Services;
  readonly journal: Journal;
  readonly folder: string;
}

async function listen(
  { house, app, services, journal, folder }: Opened,
  { config, clock, chance, log }: GatewayOptions,
): Promise<Gateway> {
  const mqtt = await house.broker.listen({
    host: config.mqtt.host,
    port: config.mqtt.port,
    tls: tlsOf(config.mqtt.tls),
  });
  await app.listen({ host: config.http.host, port: config.http.port });
  const address = app.server.address();
  const httpPort = typeof address === 'object' && address ? address.port : config.http.port;
  const mqttUrl = `${config.mqtt.tls ? 'mqtts' : 'mqtt'}://${config.mqtt.host}:${mqtt.port}`;
  const stopWatching = watchHouse(house, clock);
  configureHosts(house);
  const own = config.host.enabled ? startOwnHost(house, { mqttUrl, folder, clock, chance, log }) : undefined;

  return {
    httpUrl: `${config.http.tls ? 'https' : 'http'}://${config.http.host}:${httpPort}`,
    mqttUrl,
    get setupToken() {
      return house.identity.setupToken;
    },
    services,
    credentials: house.credentials,
    identity: house.identity,
    close: async () => {
      stopWatching();
      house.roomWatch?.close();
      await own?.close();
      await house.jobs.close();
      await house.backup.close();
      await app.close();
      await house.broker.close();
      house.hosts.close();
      house.live.close();
      house.liveWaves.close();
      await house.intake.drain();
      await house.intake.noteCounters();
      house.intake.close();
      house.rawLane.close();
      await house.ledger.settle();
      house.closeDeliveries();
      house.scores.close();
      house.alarms.close();
      house.census.close();
      await house.servers.close();
      await house.historian.close();
      await house.waveforms.close();
      await house.books.close();
      await journal.close();
      await house.ledger.close();
      await house.rows.close();
    },
  };
}

function configureHosts({ hosts, farHosts, rawLane }: House): void {
  for (const host of [ownHost, ...farHosts.ids()]) {
    hosts.configure(host);
    rawLane.serve(host);
  }
}

function startOwnHost(
  house: House,
  {
    mqttUrl,
    folder,
    clock,
    chance,
    log,
  }: { mqttUrl: string; folder: string; clock: Clock; chance: Chance; log: Log },
): HostProcess {
  const own = new HostProcess({
    host: ownHost,
    secret: house.ownSecret,
    gatewayUrl: mqttUrl,
    folder: join(folder, 'host'),
    clock,
    chance,
    log,
  });
  own.start();
  return own;
}

const tlsOf = (tls: Config['http']['tls']) =>
  tls && { cert: readFileSync(tls.certificate), key: readFileSync(tls.key) };
