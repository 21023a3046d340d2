import type { Clock } from '../../model/clock.ts';
import type { DeviceId } from '../../model/ids.ts';
import { criticalRiseMs, type Technical } from './technical.ts';
import { placeOf, watchedForAbsence, type AlarmCensus, type WatchedDevice } from './watched.ts';

/** A device is silent after the larger of this and 3 of its periods without a message (CLINICAL 6). */
export const silentAfterMs = 6_000;
const silentPeriods = 3;
/** Silences this close together on one host are one alarm. */
const togetherMs = 2_000;

interface SilentDevice {
  readonly watched: WatchedDevice;
  readonly sinceMs: number;
}

/** One alarm: the devices of one host (or, without one, of one ward) that fell silent together. */
interface SilentGroup {
  readonly about: string;
  readonly site: string;
  joinedAtMs: number;
  readonly members: Map<DeviceId, SilentDevice>;
}

export interface SilenceTools {
  readonly clock: Clock;
  readonly technical: Technical;
  readonly census: AlarmCensus;
  readonly critical: ReadonlySet<string>;
  /** When the newest observation of a device that is known from before this start was received. */
  readonly keptAtMs: (device: DeviceId) => number | undefined;
}

/** Notices devices that fall silent: silence is a reading. */
export class SilenceWatch {
  private readonly tools: SilenceTools;
  private readonly groups = new Map<string, SilentGroup>();
  private readonly groupOf = new Map<DeviceId, SilentGroup>();
  private readonly startedAtMs: number;
  /** Silence counts from here on at the earliest. */
  private floorMs: number;
  private groupsMade = 0;

  constructor(tools: SilenceTools) {
    this.tools = tools;
    this.startedAtMs = this.floorMs = tools.clock.nowMs();
  }

  /** Alarms of before a restart are taken over by the devices they name. */
  restored(find: (device: DeviceId) => WatchedDevice): void {
    for (const about of this.tools.technical.presentOf('device-silent')) {
      const alarm = this.tools.technical.present('device-silent', about);
      const names = String(alarm?.details?.['deviceIds'] ?? '').split(' ');
      const group: SilentGroup = { about, site: '', joinedAtMs: -Infinity, members: new Map() };
      for (const name of names.filter((one) => one !== '')) {
        const watched = find(name);
        watched.silent = true;
        group.members.set(name, { watched, sinceMs: alarm?.onsetAtMs ?? this.startedAtMs });
        this.groupOf.set(name, group);
      }
      this.groups.set(about, group);
    }
  }

  /** About twice a second. */
  sweep(all: Iterable<WatchedDevice>, floorMs: number): void {
    const nowMs = this.tools.clock.nowMs();
    this.floorMs = floorMs;
    for (const watched of all) this.look(watched, nowMs);
    for (const group of this.groups.values()) this.tell(group, nowMs);
  }

  /** A death counts at once. */
  lost(watched: WatchedDevice): void {
    watched.lost = true;
    const nowMs = this.tools.clock.nowMs();
    this.look(watched, nowMs);
    const group = this.groupOf.get(watched.id);
    if (group) this.tell(group, nowMs);
  }

  /** A message came, the device was taken away, or the bed is not watched for absence any more. */
  ended(watched: WatchedDevice): void {
    watched.silent = false;
    const group = this.groupOf.get(watched.id);
    if (!group) return;
    this.groupOf.delete(watched.id);
    group.members.delete(watched.id);
    this.tell(group, this.tools.clock.nowMs());
  }

  private look(watched: WatchedDevice, nowMs: number): void {
    const due = watchedForAbsence(watched, this.tools.census) && this.isSilent(watched, nowMs);
    if (due && !watched.silent) this.join(watched, nowMs);
    else if (!due && watched.silent && !watchedForAbsence(watched, this.tools.census)) this.ended(watched);
  }

  private isSilent(watched: WatchedDevice, nowMs: number): boolean {
    const { association, device } = watched;
    if (!association || !device) return false;
    const lastMs = watched.messageAtMs ?? this.tools.keptAtMs(watched.id);
    // Absence alarms exist only for what was seen since the association began (CLINICAL 1).
    if (lastMs === undefined || lastMs < association.beginAtMs) return false;
    if (watched.lost) return true;
    const fromMs = Math.max(lastMs, this.floorMs, this.tools.census.monitoring(association.bed).sinceMs);
    return nowMs - fromMs >= Math.max(silentAfterMs, silentPeriods * device.periodMs);
  }

  private join(watched: WatchedDevice, nowMs: number): void {
    const { ward = '' } = placeOf(watched, this.tools.census);
    const site = `${watched.device?.host ?? ''}/${ward}`;
    let group = [...this.groups.values()].find(
      (one) => one.site === site && nowMs - one.joinedAtMs <= togetherMs,
    );
    if (!group) {
      this.groupsMade += 1;
      const about = `${watched.id}.${nowMs}.${this.groupsMade}`;
      group = { about, site, joinedAtMs: nowMs, members: new Map() };
      this.groups.set(about, group);
    }
    group.joinedAtMs = nowMs;
    group.members.set(watched.id, { watched, sinceMs: watched.messageAtMs ?? this.floorMs });
    this.groupOf.set(watched.id, group);
    watched.silent = true;
  }

  /** Raises, updates or ends the group's alarm. */
  private tell(group: SilentGroup, nowMs: number): void {
    const { technical, census } = this.tools;
    const members = [...group.members.values()];
    const [first] = members;
    if (first === undefined) {
      this.groups.delete(group.about);
      technical.end('device-silent', group.about);
      return;
    }
    const medium = members.some(
      (member) => nowMs - member.sinceMs >= criticalRiseMs && this.isCritical(member.watched),
    );
    const places = members.map((member) => placeOf(member.watched, census));
    const labels = places.map((place) =>
      place.bed === undefined ? '–' : (census.bed(place.bed)?.label ?? '–'),
    );
    const { ward, bed, device, encounter } = places[0] ?? {};
    const alone = members.length === 1;
    technical.raise('device-silent', {
      about: group.about,
      owner: 'nurse',
      priority: medium ? 'medium' : 'low',
      ward,
      ...(alone ? { bed, device, encounter } : {}),
      sinceMs: Math.min(...members.map((member) => member.sinceMs)),
      details: {
        devices: members.length,
        beds: [...new Set(labels)].join(', '),
        deviceIds: members.map((member) => member.watched.id).join(' '),
        bedIds: [...new Set(places.flatMap((place) => place.bed ?? []))].join(' '),
        ...(first.watched.device?.host === undefined ? {} : { host: first.watched.device.host }),
      },
    });
  }

  private isCritical(watched: WatchedDevice): boolean {
    return watched.series.some((series) => this.tools.critical.has(series.metricId));
  }
}
