import type { Association } from '../../model/census.ts';
import type { BedId, DeviceId, EncounterId } from '../../model/ids.ts';
import { corrected, isStruck, overlaps, type Correction, type CorrectionRefusal } from './corrections.ts';
import { keep, type Actor, type Desk } from './desk.ts';

/** A stretch of one device's time, cut to what was asked for. */
export interface AssociatedSpan {
  readonly device: DeviceId;
  /** From inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly bed?: BedId;
  readonly encounter?: EncounterId;
}

export interface AssociationRequest {
  readonly device: DeviceId;
  readonly bed: BedId;
  readonly encounter?: EncounterId;
  readonly beginAtMs?: number;
  /** A stretch that is over already, entered afterwards. */
  readonly endAtMs?: number;
}

/**
 * Which device stood with whom, when: the only road from a value to a patient. History is kept for ever; one device's
 * associations never overlap, so every instant of a device belongs to at most one bed and encounter.
 */
export class Associations {
  private readonly desk: Desk;
  private readonly byId = new Map<string, Association>();
  /** Each device's, oldest first. */
  private readonly byDevice = new Map<DeviceId, Association[]>();
  /** Of each device, its open one: asked for with every message. */
  private readonly openOf = new Map<DeviceId, Association>();
  /** Open ones of each bed, by id: asked for with every tile. */
  private readonly openAt = new Map<BedId, Map<string, Association>>();

  constructor(desk: Desk) {
    this.desk = desk;
  }

  async load(): Promise<void> {
    for (const row of (await this.desk.rows.load('associations')) as readonly Association[]) this.hold(row);
  }

  list(filter: {
    bed?: BedId;
    device?: DeviceId;
    encounter?: EncounterId;
    open?: boolean;
  }): readonly Association[] {
    const pool = this.pool(filter);
    const found: Association[] = [];
    for (const one of pool) {
      if (filter.bed !== undefined && one.bed !== filter.bed) continue;
      if (filter.encounter !== undefined && one.encounter !== filter.encounter) continue;
      if (filter.open !== undefined && (one.endAtMs === undefined) !== filter.open) continue;
      found.push(one);
    }
    return found;
  }

  /** The fewest that can hold all that is asked for. */
  private pool({
    device,
    bed,
    open,
  }: {
    device?: DeviceId;
    bed?: BedId;
    open?: boolean;
  }): Iterable<Association> {
    if (device !== undefined) return this.byDevice.get(device) ?? [];
    if (bed !== undefined && open === true) return this.openAt.get(bed)?.values() ?? [];
    return this.byId.values();
  }

  get(id: string): Association | undefined {
    return this.byId.get(id);
  }

  /** The open association of a device. */
  current(device: DeviceId): Association | undefined {
    return this.openOf.get(device);
  }

  private noteOpen(association: Association): void {
    const { id, device, bed } = association;
    const open = this.openAt.get(bed) ?? new Map<string, Association>();
    if (association.endAtMs === undefined) {
      open.set(id, association);
      this.openOf.set(device, association);
    } else this.noteEnded(association);
    this.openAt.set(bed, open);
  }

  private noteEnded({ id, device, bed }: Association): void {
    this.openAt.get(bed)?.delete(id);
    if (this.openOf.get(device)?.id === id) this.openOf.delete(device);
  }

  /** Whoever the device stood with at that instant. */
  at(device: DeviceId, atMs: number): Association | undefined {
    const history = this.byDevice.get(device) ?? [];
    for (let index = history.length - 1; index >= 0; index--) {
      const one = history[index];
      if (one === undefined || one.beginAtMs > atMs || isStruck(one)) continue;
      return holds(one, atMs) ? one : undefined;
    }
    return undefined;
  }

  /** Refuses what would give one instant of a device to two. */
  async begin(
    by: Actor,
    wanted: AssociationRequest,
  ): Promise<Association | 'device-taken' | 'overlap' | 'end-before-begin'> {
    const nowMs = this.desk.clock.nowMs();
    // An association cannot begin in the future: until then its values would be nobody's without anybody noticing.
    const beginAtMs = Math.min(nowMs, wanted.beginAtMs ?? nowMs);
    const endAtMs = wanted.endAtMs === undefined ? undefined : Math.min(nowMs, wanted.endAtMs);
    if (endAtMs !== undefined && endAtMs < beginAtMs) return 'end-before-begin';
    if (endAtMs === undefined && this.current(wanted.device)) return 'device-taken';
    const history = this.byDevice.get(wanted.device) ?? [];
    if (history.some((one) => overlaps(one, { beginAtMs, endAtMs }))) return 'overlap';
    const association: Association = {
      id: this.desk.chance.id('association'),
      device: wanted.device,
      bed: wanted.bed,
      ...(wanted.encounter === undefined ? {} : { encounter: wanted.encounter }),
      beginAtMs,
      begunBy: by.id,
      ...(endAtMs === undefined ? {} : { endAtMs, endedBy: by.id }),
    };
    await keep({
      put: () => this.desk.rows.put('associations', association),
      apply: () => this.put(association),
      undo: () => this.drop(association),
    });
    this.desk.record({
      by: by.id,
      act: 'association.begin',
      on: association.id,
      outcome: 'done',
      after: association,
    });
    return association;
  }

  /**
   * Sets begin or end right afterwards (CLINICAL 11). Everything that asks follows at once; `corrected` is told when it
   * is on disk. A correction is taken back by another one; what it was before stays with it.
   */
  async correct(by: Actor, id: string, wanted: Correction): Promise<Association | CorrectionRefusal> {
    const before = this.byId.get(id);
    if (!before) return 'absent';
    const others = this.byDevice.get(before.device) ?? [];
    const after = corrected(before, wanted, { nowMs: this.desk.clock.nowMs(), by: by.id, others });
    if (typeof after === 'string') return after;
    await keep({
      put: () => this.desk.rows.put('associations', after),
      apply: () => this.put(after),
      undo: () => this.put(before),
    });
    const { reason } = wanted;
    this.desk.record({ by: by.id, act: 'association.correct', on: id, outcome: reason, before, after });
    this.desk.changed({ kind: 'corrected', before, after, by: by.id, reason });
    return after;
  }

  /** An end before the begin is the begin: it then never held. An end in the future is now. */
  async end(
    by: Actor,
    id: string,
    at: { endAtMs?: number; reason?: string },
  ): Promise<Association | 'absent' | 'ended'> {
    const before = this.byId.get(id);
    if (!before) return 'absent';
    if (before.endAtMs !== undefined) return 'ended';
    const nowMs = this.desk.clock.nowMs();
    const endAtMs = Math.max(before.beginAtMs, Math.min(nowMs, at.endAtMs ?? nowMs));
    const after: Association = { ...before, endAtMs, endedBy: by.id };
    await keep({
      put: () => this.desk.rows.put('associations', after),
      apply: () => this.put(after),
      undo: () => this.put(before),
    });
    this.desk.record({
      by: by.id,
      act: 'association.end',
      on: id,
      outcome: at.reason ?? 'done',
      before,
      after,
    });
    return after;
  }

  /** The stretches of these associations inside [fromMs, toMs). */
  spans(associations: readonly Association[], fromMs: number, toMs: number): AssociatedSpan[] {
    return associations.flatMap((one) => {
      const from = Math.max(fromMs, one.beginAtMs);
      const to = Math.min(toMs, one.endAtMs ?? Infinity);
      if (from >= to) return [];
      const { device, bed, encounter } = one;
      return [{ device, fromMs: from, toMs: to, bed, ...(encounter === undefined ? {} : { encounter }) }];
    });
  }

  /** A device's whole time in [fromMs, toMs), nobody's stretches included. */
  deviceSpans(device: DeviceId, fromMs: number, toMs: number): AssociatedSpan[] {
    const spans: AssociatedSpan[] = [];
    let reachedMs = fromMs;
    for (const span of this.spans(this.byDevice.get(device) ?? [], fromMs, toMs)) {
      if (span.fromMs > reachedMs) spans.push({ device, fromMs: reachedMs, toMs: span.fromMs });
      spans.push(span);
      reachedMs = span.toMs;
    }
    if (reachedMs < toMs) spans.push({ device, fromMs: reachedMs, toMs });
    return spans;
  }

  private put(association: Association): void {
    this.hold(association);
    this.desk.changed({ kind: 'association', association });
  }

  private hold(association: Association): void {
    this.byId.set(association.id, association);
    this.noteOpen(association);
    const history = this.byDevice.get(association.device) ?? [];
    const at = history.findIndex((one) => one.id === association.id);
    if (at < 0) history.push(association);
    else history[at] = association;
    history.sort((a, b) => a.beginAtMs - b.beginAtMs || (a.endAtMs ?? Infinity) - (b.endAtMs ?? Infinity));
    this.byDevice.set(association.device, history);
  }

  private drop(association: Association): void {
    this.byId.delete(association.id);
    this.noteEnded(association);
    const history = this.byDevice.get(association.device) ?? [];
    this.byDevice.set(
      association.device,
      history.filter((one) => one.id !== association.id),
    );
    this.desk.changed({
      kind: 'association',
      association: { ...association, endAtMs: association.beginAtMs },
    });
  }
}

/** Begin inclusive, end exclusive. */
const holds = (association: Association, atMs: number): boolean =>
  association.beginAtMs <= atMs && (association.endAtMs === undefined || atMs < association.endAtMs);
