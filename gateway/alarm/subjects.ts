import type { Alarm } from '../../model/alarm.ts';
import type { BedId, EncounterId, WardId } from '../../model/ids.ts';
import type { LiveSeries } from '../intake/types.ts';
import type { LineTools, Place } from './limit-line.ts';
import { Subject } from './subject.ts';
import { UnregisteredWatch } from './unregistered.ts';
import { placeOf, type AlarmCensus, type WatchedDevice } from './watched.ts';

const unregistered = 'unregistered-patient';

/** Who is watched by which devices, and under whose limits. Every association leads to one subject. */
export class Subjects {
  private readonly tools: LineTools & { readonly census: AlarmCensus };
  private readonly byKey = new Map<string, { subject: Subject; devices: Set<WatchedDevice> }>();
  private readonly listeningFor = new Map<string, UnregisteredWatch>();

  constructor(tools: LineTools & { readonly census: AlarmCensus }) {
    this.tools = tools;
  }

  /** Limit alarms of before a restart whose association is still open get their judges back with the first look. */
  restored(): void {
    for (const key of this.tools.book.keysUnder('limit:')) {
      const alarm = this.tools.book.at(key);
      if (alarm?.bed === undefined && alarm?.device === undefined) continue;
      const place = placeFor({
        bed: alarm.bed,
        ward: alarm.ward,
        encounter: alarm.encounter,
        device: alarm.device,
      });
      // Its line takes over what devices said before, even where no limit reads it.
      this.hold(place).subject.line(key.split(':')[2] ?? '');
    }
  }

  /** After a start: what was restored and nobody is associated with any more has ended meanwhile. */
  endForsaken(): void {
    for (const [key, { subject, devices }] of this.byKey) {
      if (devices.size > 0) continue;
      subject.measurementEnded({ reason: 'the association ended' });
      this.byKey.delete(key);
    }
  }

  /** Puts the device under the limits of whoever it is associated with now. */
  place(watched: WatchedDevice): void {
    const wanted = this.wantedPlace(watched);
    if (wanted?.key !== watched.subject?.place.key) {
      this.leave(watched);
      if (wanted) {
        const held = this.hold(wanted);
        held.devices.add(watched);
        watched.subject = held.subject;
      }
    }
    if (watched.association) this.knownNow(watched);
    this.attachAll(watched);
  }

  attachAll(watched: WatchedDevice): void {
    for (const series of watched.series) this.attach(watched, series);
  }

  attach(watched: WatchedDevice, series: LiveSeries): void {
    const { subject } = watched;
    if (subject) {
      const devices = [...(this.byKey.get(subject.place.key)?.devices ?? [])];
      subject.attach(series, {
        periodMs: watched.device?.periodMs ?? 0,
        order: Math.min(99, Math.max(0, devices.indexOf(watched))),
        sinceMs: watched.association?.beginAtMs ?? -Infinity,
      });
    } else if (watched.device?.duty === 'in-use' && series.metric?.value === 'number') {
      series.watch = this.listenFor(watched);
    }
  }

  /** The encounter's limits, as they are now. */
  limitsChanged(encounter: EncounterId): void {
    for (const { subject } of this.byKey.values()) {
      if (subject.place.encounter === encounter) subject.setLimits(this.limitsOf(subject.place));
    }
  }

  /** The ward's own limits, as they are now. */
  wardChanged(ward: WardId): void {
    for (const { subject } of this.byKey.values()) {
      if (this.wardOf(subject.place) === ward) subject.setLimits(this.limitsOf(subject.place));
    }
  }

  /** Everybody who is watched now, with the devices on them. */
  *all(): Generator<{
    readonly place: Place;
    readonly ward: WardId;
    readonly devices: Iterable<WatchedDevice>;
  }> {
    for (const { subject, devices } of this.byKey.values())
      yield { place: subject.place, ward: this.wardOf(subject.place), devices };
  }

  /** The ward whose settings count: the stay's, where there is one. */
  wardOf({ encounter, ward }: Place): WardId {
    const stay = encounter === undefined ? undefined : this.tools.census.encounter(encounter);
    return stay?.ward ?? ward ?? '';
  }

  sweep(nowMs: number, floorMs: number): void {
    for (const { subject } of this.byKey.values()) subject.sweep(nowMs, floorMs);
  }

  /** False when the alarm is not of a kind that a person can end so. */
  endMeasurement(alarm: Alarm, said: { by: string; reason: string }): boolean {
    if (alarm.condition === unregistered && alarm.device !== undefined) {
      this.tools.technical.end(unregistered, alarm.device, said.reason);
      const all = [...this.byKey.values()].flatMap(({ devices }) => [...devices]);
      for (const watched of all) if (watched.id === alarm.device) this.place(watched);
      return true;
    }
    if (alarm.kind !== 'physiological') return false;
    for (const { subject } of this.byKey.values()) {
      if (subject.place.bed !== alarm.bed || subject.place.encounter !== alarm.encounter) continue;
      if (subject.measurementEnded(said, alarm)) return true;
    }
    return false;
  }

  private wantedPlace(watched: WatchedDevice): Place | undefined {
    const { technical, census } = this.tools;
    const { association } = watched;
    if (association) {
      const ward = census.bed(association.bed)?.ward;
      return placeFor({ bed: association.bed, ward, encounter: association.encounter });
    }
    if (!technical.present(unregistered, watched.id)) return undefined;
    return placeFor(placeOf(watched, census));
  }

  private leave(watched: WatchedDevice): void {
    const { subject } = watched;
    for (const series of watched.series) {
      subject?.detach(series);
      series.watch = undefined;
    }
    watched.subject = undefined;
    this.listeningFor.delete(watched.id);
    const held = subject && this.byKey.get(subject.place.key);
    if (!held) return;
    held.devices.delete(watched);
    if (held.devices.size > 0) return;
    held.subject.measurementEnded({ reason: 'the association ended' });
    this.byKey.delete(held.subject.place.key);
  }

  private hold(place: Place): { subject: Subject; devices: Set<WatchedDevice> } {
    let held = this.byKey.get(place.key);
    if (!held) {
      held = { subject: new Subject(place, this.tools), devices: new Set() };
      this.byKey.set(place.key, held);
      held.subject.setLimits(this.limitsOf(place));
    }
    return held;
  }

  private limitsOf(place: Place) {
    const { census } = this.tools;
    const own = place.encounter === undefined ? undefined : census.limits(place.encounter);
    return own ?? census.wardLimits(place.ward ?? '');
  }

  private listenFor(watched: WatchedDevice): UnregisteredWatch {
    let watch = this.listeningFor.get(watched.id);
    if (!watch) {
      const periodMs = watched.device?.periodMs ?? 0;
      watch = new UnregisteredWatch({ periodMs, found: (takenAtMs) => this.found(watched, takenAtMs) });
      this.listeningFor.set(watched.id, watch);
    }
    return watch;
  }

  /** Somebody is on a device that nobody associated: the ward's default limits watch over them. */
  private found(watched: WatchedDevice, takenAtMs: number): void {
    if (watched.association !== undefined || watched.device?.duty !== 'in-use') return;
    const { technical, census } = this.tools;
    const { bed, ward } = placeOf(watched, census);
    const label = bed === undefined ? undefined : census.bed(bed)?.label;
    technical.raise(unregistered, {
      about: watched.id,
      owner: 'nurse',
      priority: 'low',
      device: watched.id,
      bed,
      ward,
      details: label === undefined ? { device: watched.device.label } : { bed: label },
      sinceMs: takenAtMs,
    });
    this.place(watched);
  }

  /** The patient is registered now. */
  private knownNow(watched: WatchedDevice): void {
    const { technical } = this.tools;
    if (technical.present(unregistered, watched.id)) technical.end(unregistered, watched.id, 'associated');
  }
}

const placeFor = (where: { bed?: BedId; ward?: string; encounter?: EncounterId; device?: string }): Place => {
  const { bed, ward, encounter, device } = where;
  return {
    key: bed === undefined ? `device/${device ?? ''}` : `${bed}/${encounter ?? ''}`,
    ...(bed === undefined ? {} : { bed }),
    ...(ward === undefined ? {} : { ward }),
    ...(encounter === undefined ? {} : { encounter }),
  };
};
