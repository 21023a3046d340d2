import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Static, TObject } from 'typebox';
import type { AlertState } from '../model/alarm.ts';
import type { Clock } from '../model/clock.ts';
import type { DecodedItem, Identity, Link, Mode } from '../model/device.ts';
import type { Fault } from '../model/fault.ts';
import type { Chance, DeviceId } from '../model/ids.ts';
import type { Observation, Waveform } from '../model/observation.ts';

/** A UDP port as a driver sees it: already bound, or "connected" to the device's address. */
export interface DatagramPort extends EventEmitter {
  send(datagram: Buffer, to?: { address: string; port: number }): void;
  close(): void;
}

export interface Listener {
  close(): Promise<void>;
}

/** Something several devices use at once (a bus, an endpoint); closed when its last user lets go. */
export interface Shared<T> {
  readonly value: T;
  close(): Promise<void>;
}

export interface Alert {
  readonly kind: 'alerts';
  readonly alerts: readonly AlertState[];
  readonly complete: boolean;
}
export type Emitted =
  ({ readonly kind: 'observation' } & Observation) | ({ readonly kind: 'waveform' } & Waveform) | Alert;

/**
 * Everything a driver may touch. The host gives one, a test gives another. Nothing here writes to a device by
 * itself; what a codec may send is an allow-list in the codec.
 */
export interface DriverHost {
  /** Serial port, or raw TCP behind a device server, as the settings' `port` says. Rejects with a Fault. */
  stream(): Promise<Duplex>;
  datagram(): Promise<DatagramPort>;
  listen(accept: (peer: Duplex) => void): Promise<Listener>;
  /**
   * One bus or endpoint for several devices: made once a key, ended when its last user's session closes. It outlives
   * the session that makes it, so it is given a clock of its own: this host's timers end with the session.
   */
  share<T>(key: string, make: (clock: Clock) => Promise<Shared<T>>): Promise<T>;
  /** Never waits; the host bounds it. Ignored after the session's close(). */
  emit(device: DeviceId, items: Emitted | readonly Emitted[]): void;
  /** Resolves when all emitted so far is on disk: then answer the peer. */
  kept(): Promise<void>;
  link(device: DeviceId, state: Link, why?: Fault): void;
  /** Compared with the registration by the host: a different device is not published. */
  identity(device: DeviceId, seen: Identity): void;
  state(device: DeviceId, seen: { mode?: Mode; clockMs?: number }): void;
  count(device: DeviceId, what: Counted, n: number, raw?: Buffer): void;
  /** Round trip of a request, for the device's health. */
  roundTrip(device: DeviceId, ms: number): void;
  /**
   * Foreign MQTT handed down by the gateway. While `accept` runs, `clock` stands at the instant the gateway received the
   * message, so that a message handed down again gives the same observations; emit within it.
   */
  raw(accept: (topic: string, payload: Buffer) => void): Promise<Listener>;
  /** Something spoke that nobody has registered: told to the engineers, never published. */
  discovered(item: Discovered): void;
  /** A map by name from the host's configuration; Fault MAP_INVALID when it is not there. */
  map(name: string): unknown;
  readonly clock: Clock;
  /** A folder of the host for what must outlive a session (certificates); shared by all drivers. */
  readonly folder: string;
  /** For the jitter of retries on what several devices share. */
  readonly chance: Chance;
}

/** A sender as the console shows it; `settings` are those a registration would need to read it. */
export interface Discovered {
  readonly driver: string;
  readonly title: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export type Counted = 'frame' | 'discardedBytes' | 'badChecksum' | 'lateReply' | 'missedPoll';

export interface Session {
  close(): Promise<void>;
  /**
   * True: after `lost` it finds back by itself (a unit on a shared bus, a shared endpoint), so the host leaves it
   * open. Otherwise `lost` ends the session and the host opens a new one, with backoff.
   */
  readonly recovers?: boolean;
}

/** The light half of a driver, which the gateway reads too: no device library behind it. */
export interface DriverSettings<S extends TObject = TObject> {
  readonly name: string;
  /** One sentence for the list in the console: make, models, wire. */
  readonly title: string;
  /** Series keys the driver may emit; `*` for one that takes them from a map or from the wire. */
  readonly metrics: readonly string[];
  /** Checked before open(): a refused setting is the user's error, not the world's. */
  readonly settings: S;
  /** For a device that speaks MQTT of its own kind: what it is granted, from checked settings. Without it the driver has a wire. */
  foreign?(settings: Static<S>): ForeignGrant;
}

/** The topics of a device on the raw lane, and who publishes there. */
export interface ForeignGrant {
  readonly topics: readonly string[];
  /** Topics that other devices of the same sender may name too (the death of a Sparkplug node is that of all its devices). */
  readonly shared?: readonly string[];
  /** The registered device that signs in and publishes for this one (a gateway on the ward); itself when absent. */
  readonly sender?: DeviceId;
}

export interface DecodeOptions {
  readonly clock: Clock;
  /** Content of --map F, parsed. */
  readonly map?: unknown;
  /** Bytes of --request HEX: the question these bytes answer. */
  readonly request?: Buffer;
  /** --characteristic 2a35. */
  readonly characteristic?: string;
  /** --settings JSON: the driver's own settings, where they change the meaning of bytes (time zone). */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Driver<S extends TObject = TObject> extends DriverSettings<S> {
  open(settings: Static<S> & { readonly device: DeviceId }, host: DriverHost): Promise<Session>;
  /** Reads a map as open() would; throws a Fault MAP_INVALID that names the first wrong place. */
  checkMap?(name: string, content: unknown): void;
  /** Pure: what this driver makes of bytes (`npm run decode`). Never throws on input. */
  decode?(bytes: Buffer, known: DecodeOptions): readonly DecodedItem[];
}

/** Keeps the settings' type with the driver; a driver is a value, nothing happens at import. */
export const defineDriver = <S extends TObject>(driver: Driver<S>): Driver<S> => driver;
export const defineSettings = <S extends TObject>(settings: DriverSettings<S>): DriverSettings<S> => settings;
