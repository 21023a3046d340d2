import type { Alarm, AlarmSource, AlertState, Direction, Priority } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { AlarmBook } from './alarm-book.ts';
import { classOf } from './alert-class.ts';
import type { Subject } from './subject.ts';
import type { Technical } from './technical.ts';
import { bedsideOf, type Voice } from './voice.ts';
import { placeOf, type AlarmCensus, type WatchedDevice } from './watched.ts';

/** Alerts of one device at once; the wire allows as many in one list. */
const activeBound = 256;
/** A device's alert without a word for 3 intervals has lost its source (CLINICAL 5), and not before this. */
const lostAfterMs = 6_000;
const lostIntervals = 3;
/** A device that sends alerts more seldom than this is not taken for one that sends at intervals. */
const longestIntervalMs = 60_000;
/** The conditions a device's own technical alert and the silence about its alerts raise. */
const technicalAlert = 'device-alert';
const sourceLost = 'alarm-source-lost';

interface ActiveAlert {
  readonly alert: AlertState & { readonly priority: Priority };
  readonly onsetAtMs: number;
}

/** A device with what it says of itself and where that was said on. */
interface Alerting {
  readonly active: Map<string, ActiveAlert>;
  subject: Subject | undefined;
  toldAtMs: number;
  intervalMs: number;
  lost: boolean;
  /** Lines it speaks on, as `line direction`. */
  lines: ReadonlySet<string>;
  /** Alarms of its own, by key. */
  own: ReadonlySet<string>;
  /** Technical ones, by what they are about. */
  technical: ReadonlySet<string>;
}

export interface AlertTools {
  readonly clock: Clock;
  readonly book: AlarmBook;
  readonly technical: Technical;
  readonly census: AlarmCensus;
}

/**
 * The other of the two judges (CLINICAL 5): what devices say of themselves. An alert about a quantity and direction speaks
 * on that line, beside Vigil's limit; any other physiological one is an alarm of its own; technical ones are technical
 * alarms. Code and text stay as sent.
 */
export class DeviceAlerts {
  private readonly tools: AlertTools;
  private readonly byDevice = new Map<DeviceId, Alerting>();

  constructor(tools: AlertTools) {
    this.tools = tools;
  }

  /** One list of a device; `complete`: whatever it does not name is over. */
  told(watched: WatchedDevice, alerts: readonly AlertState[], complete: boolean, takenAtMs: number): void {
    let alerting = this.byDevice.get(watched.id);
    if (!alerting) {
      if (!alerts.some(isAlarm)) return;
      this.byDevice.set(watched.id, (alerting = this.fresh(watched)));
    }
    alerting.subject ??= watched.subject;
    const nowMs = this.tools.clock.nowMs();
    const sinceMs = nowMs - alerting.toldAtMs;
    if (alerting.active.size > 0 && sinceMs > 0 && sinceMs <= longestIntervalMs)
      alerting.intervalMs = sinceMs;
    alerting.toldAtMs = nowMs;
    alerting.lost = false;
    const listed = new Set<string>();
    for (const alert of alerts) {
      if (!isAlarm(alert)) {
        alerting.active.delete(alert.alertId);
        continue;
      }
      listed.add(alert.alertId);
      const known = alerting.active.get(alert.alertId);
      if (!known && alerting.active.size >= activeBound) continue;
      alerting.active.set(alert.alertId, { alert, onsetAtMs: known?.onsetAtMs ?? takenAtMs });
    }
    if (complete) for (const id of alerting.active.keys()) if (!listed.has(id)) alerting.active.delete(id);
    this.settle(watched, alerting);
  }

  /** The device stands with somebody else now, or is in another mode. What it said of the one before is over. */
  placed(watched: WatchedDevice): void {
    const alerting = this.byDevice.get(watched.id);
    if (!alerting) return;
    if (alerting.subject !== undefined && alerting.subject !== watched.subject) {
      this.forgetAll(watched, alerting);
      if (watched.subject === undefined) this.byDevice.delete(watched.id);
    }
    alerting.subject = watched.subject;
    this.settle(watched, alerting);
  }

  /** A person ended the measurement: nothing is left of these until the device says them again. */
  forget(sources: readonly AlarmSource[]): void {
    for (const { device, alertId } of sources) {
      if (device !== undefined && alertId !== undefined) this.byDevice.get(device)?.active.delete(alertId);
    }
  }

  /** A person ends an alarm of a device's own that has no quantity. */
  endOwn(alarm: Alarm, said: { readonly by: string; readonly reason: string }): boolean {
    for (const { own } of this.byDevice.values()) {
      const key = [...own].find((one) => this.tools.book.at(one)?.id === alarm.id);
      if (key === undefined) continue;
      this.tools.book.measurementEnded(key, said);
      return true;
    }
    return false;
  }

  /** About twice a second: alerts nobody has spoken of for 3 intervals are kept, marked. */
  sweep(nowMs: number, floorMs: number, find: (id: DeviceId) => WatchedDevice): void {
    for (const [id, alerting] of this.byDevice) {
      if (alerting.active.size === 0 || alerting.lost) continue;
      const silentMs = nowMs - Math.max(alerting.toldAtMs, floorMs);
      if (silentMs < Math.max(lostAfterMs, lostIntervals * alerting.intervalMs)) continue;
      alerting.lost = true;
      this.settle(find(id), alerting);
    }
  }

  /** After a restart: what devices said before stands until they say otherwise or fall silent. */
  restored(find: (id: DeviceId) => WatchedDevice): void {
    const { book, technical } = this.tools;
    for (const key of [...book.keysUnder('limit:'), ...book.keysUnder('alert:')]) {
      const alarm = book.at(key);
      if (!alarm || alarm.signal !== 'on') continue;
      for (const source of alarm.sources) {
        const { device, alertId } = source;
        if (device === undefined || alertId === undefined) continue;
        const { code = '', text = '', priority, latching, inactivation } = source;
        const { metric, direction } = alarm;
        const said = { alertId, code, text, priority, latching, inactivation, metric, direction };
        const alert = { ...said, phase: 'continue', type: 'physiological' } as const;
        const alerting = this.byDevice.get(device) ?? this.fresh(find(device));
        this.byDevice.set(device, alerting);
        alerting.active.set(alertId, { alert, onsetAtMs: alarm.onsetAtMs });
        if (key.startsWith('alert:')) alerting.own = new Set([...alerting.own, key]);
        else alerting.lines = new Set([...alerting.lines, key.split(':').slice(2).join(' ')]);
      }
    }
    for (const about of technical.presentOf(technicalAlert)) {
      const alarm = technical.present(technicalAlert, about);
      const { device, details = {} } = alarm ?? {};
      if (!alarm || device === undefined) continue;
      const alert = {
        alertId: String(details['alertId'] ?? ''),
        code: String(details['code'] ?? ''),
        text: String(details['text'] ?? ''),
        priority: alarm.priority,
        phase: 'continue',
        type: 'technical',
      } as const;
      const alerting = this.byDevice.get(device) ?? this.fresh(find(device));
      this.byDevice.set(device, alerting);
      alerting.active.set(alert.alertId, { alert, onsetAtMs: alarm.onsetAtMs });
      alerting.technical = new Set([...alerting.technical, about]);
    }
  }

  /** After a start: what was said of somebody nobody is associated with any more has ended meanwhile. */
  endForsaken(find: (id: DeviceId) => WatchedDevice): void {
    for (const id of this.byDevice.keys()) if (find(id).subject === undefined) this.drop(find(id));
    for (const key of this.tools.book.keysUnder('alert:')) {
      const known = [...this.byDevice.values()].some(({ own }) => own.has(key));
      const latched = this.tools.book.at(key)?.signal === 'latched';
      if (!known && !latched) this.tools.book.measurementEnded(key, { reason: 'the association ended' });
    }
  }

  private drop(watched: WatchedDevice): void {
    const alerting = this.byDevice.get(watched.id);
    if (alerting) this.forgetAll(watched, alerting);
    this.byDevice.delete(watched.id);
  }

  /** Latched or not, with the association nothing is left of what the device said. */
  private forgetAll(watched: WatchedDevice, alerting: Alerting): void {
    for (const key of alerting.own)
      this.tools.book.measurementEnded(key, { reason: 'the association ended' });
    alerting.active.clear();
    this.settle(watched, alerting);
  }

  private fresh(watched: WatchedDevice): Alerting {
    return {
      active: new Map(),
      subject: watched.subject,
      toldAtMs: this.tools.clock.nowMs(),
      intervalMs: Math.max(1_000, watched.device?.periodMs ?? 0),
      lost: false,
      lines: new Set(),
      own: new Set(),
      technical: new Set(),
    };
  }

  private settle(watched: WatchedDevice, alerting: Alerting): void {
    this.settleLines(watched, alerting);
    this.settleTechnical(watched, alerting);
    const { technical, census } = this.tools;
    if (!alerting.lost || alerting.active.size === 0) {
      if (technical.present(sourceLost, watched.id)) technical.end(sourceLost, watched.id);
    } else if (watched.association !== undefined) {
      technical.raise(sourceLost, {
        about: watched.id,
        owner: 'nurse',
        priority: 'low',
        ...placeOf(watched, census),
        details: {
          alerts: [...alerting.active.values()].map(({ alert }) => alert.text || alert.code).join(', '),
        },
        sinceMs: alerting.toldAtMs,
      });
    }
  }

  /** Demo and test data never raise a physiological alarm; a device with nobody waits until somebody is known on it. */
  private settleLines(watched: WatchedDevice, alerting: Alerting): void {
    const subject = alerting.subject;
    const speaks = subject !== undefined && watched.mode !== 'demo' && watched.mode !== 'test';
    const byLine = new Map<string, Voice[]>();
    const own = new Set<string>();
    for (const { alert, onsetAtMs } of speaks ? alerting.active.values() : []) {
      if (alert.type !== 'physiological') continue;
      const { line, direction, latching } = classOf(alert);
      const voice = voiceOf(watched.id, alert, { onsetAtMs, latching, lost: alerting.lost });
      if (line !== undefined && direction !== undefined) {
        const name = `${line} ${direction}`;
        byLine.set(name, [...(byLine.get(name) ?? []), voice]);
      } else if (subject) own.add(this.raiseOwn(subject, watched, voice));
    }
    for (const name of new Set([...alerting.lines, ...byLine.keys()])) {
      const [line = '', direction = 'high'] = name.split(' ');
      subject?.say(watched.id, { line, direction: direction as Direction }, byLine.get(name) ?? []);
    }
    for (const key of alerting.own) if (!own.has(key)) this.tools.book.end(key);
    alerting.lines = new Set(byLine.keys());
    alerting.own = own;
  }

  private raiseOwn({ place }: Subject, watched: WatchedDevice, voice: Voice): string {
    const { book } = this.tools;
    const key = `alert:${place.key}:${watched.id}:${voice.source.alertId}`;
    const present = book.at(key);
    const { source, latching, metric, onsetAtMs } = voice;
    const presence = source.lost ? ('sourceLost' as const) : ('present' as const);
    const said = { priority: source.priority, sources: [source], latching, presence };
    if (!present || present.signal === 'latched') {
      const { ward, bed, encounter } = place;
      book.raise(key, {
        kind: 'physiological',
        condition: 'device',
        ...said,
        ...(ward === undefined ? {} : { ward }),
        ...(bed === undefined ? {} : { bed }),
        ...(encounter === undefined ? {} : { encounter }),
        device: watched.id,
        ...(metric === undefined ? {} : { metric }),
        onsetAtMs,
        questionable: false,
      });
    } else if (present.priority !== source.priority) book.reprioritise(key, said);
    else if (JSON.stringify(present.sources) !== JSON.stringify([source]))
      book.change(key, said, presence === present.presence ? 'updated' : lostOrBack(presence));
    book.bedside(key, bedsideOf([voice]));
    return key;
  }

  private settleTechnical(watched: WatchedDevice, alerting: Alerting): void {
    const { technical, census } = this.tools;
    const now = new Set<string>();
    for (const { alert, onsetAtMs } of watched.association ? alerting.active.values() : []) {
      if (alert.type !== 'technical') continue;
      const about = `${watched.id}:${alert.alertId}`;
      now.add(about);
      technical.raise(technicalAlert, {
        about,
        owner: 'nurse',
        priority: alert.priority,
        ...placeOf(watched, census),
        details: { alertId: alert.alertId, code: alert.code, text: alert.text },
        sinceMs: onsetAtMs,
      });
    }
    for (const about of alerting.technical) if (!now.has(about)) technical.end(technicalAlert, about);
    alerting.technical = now;
  }
}

/** Advisories are none (WORDS: priority), and what ends is over. */
const isAlarm = (alert: AlertState): alert is AlertState & { readonly priority: Priority } =>
  alert.phase !== 'end' && alert.priority !== 'advisory';

const lostOrBack = (presence: 'sourceLost' | 'present') =>
  presence === 'sourceLost' ? ('sourceLost' as const) : ('sourceBack' as const);

function voiceOf(
  device: DeviceId,
  alert: AlertState & { readonly priority: Priority },
  more: { readonly onsetAtMs: number; readonly latching: boolean; readonly lost: boolean },
): Voice {
  const { alertId, code, text, priority, metric, inactivation } = alert;
  const { onsetAtMs, latching, lost } = more;
  return {
    onsetAtMs,
    latching,
    ...(metric === undefined ? {} : { metric }),
    source: {
      by: 'device',
      priority,
      device,
      alertId,
      code,
      text,
      latching,
      ...(inactivation === undefined || inactivation === 'enabled' ? {} : { inactivation }),
      ...(lost ? { lost } : {}),
    },
  };
}
