import type { WardId } from '../../model/ids.ts';
import { Latency, type LatencyFigures } from '../latency.ts';
import type { WayFigures } from './ways.ts';

/** Wards whose figures are kept apart; further ones count in the whole only. */
const mostWards = 200;

export interface WardFigures extends LatencyFigures {
  readonly ward: WardId;
}

/** How long it took from a sample to the first handheld that showed its alarm, per ward, of the last hour. */
export class DeliveryFigures implements WayFigures {
  private readonly nowMs: () => number;
  private readonly took: (hop: string, ms: number) => void;
  private readonly wards = new Map<WardId, Latency>();

  constructor(parts: { nowMs: () => number; took: (hop: string, ms: number) => void }) {
    this.nowMs = parts.nowMs;
    this.took = parts.took;
  }

  hop(hop: 'judged' | 'sent' | 'received' | 'shown', ms: number, { ward }: { ward?: WardId }): void {
    this.took(hop, ms);
    if (hop !== 'shown' || ward === undefined) return;
    let latency = this.wards.get(ward);
    if (!latency) {
      if (this.wards.size >= mostWards) return;
      latency = new Latency();
      this.wards.set(ward, latency);
    }
    latency.note(this.nowMs(), ms);
  }

  /** p50, p99 and max of each ward, ms, from the sample's receipt to *shown*. */
  wardFigures(): readonly WardFigures[] {
    return [...this.wards].map(([ward, latency]) => ({ ward, ...latency.figures(this.nowMs()) }));
  }
}
