/** How far a device's clock may differ before its times are not believed, and what counts as historical. */
export const historicalAfterMs = 60_000;
export const futureToleranceMs = 5_000;
export const episodicLiveMs = 15 * 60_000;
/** No backlog is older: a time before that is a clock that was lost, as 1970 is. */
const longestAgeMs = 400 * 86_400_000;

/**
 * What is known of one device's clock (DESIGN section 2, times; CLINICAL 9). A clock is trusted when the device told
 * it at birth (`clockMs`: then its offset is measured and corrects every time) or when its live messages arrive with
 * times that fit ours. A clock that is not trusted costs nobody an alarm: live values are taken as of now, marked.
 */
export class DeviceClock {
  trust: 'unknown' | 'trusted' | 'untrusted' = 'unknown';
  /** Ours minus theirs, ms. */
  offsetMs = 0;
  private told = false;
  private fitting = 0;

  /** The device told its clock in a birth. */
  tell(clockMs: number, receivedAtMs: number): void {
    if (!Number.isFinite(clockMs)) return;
    const offset = receivedAtMs - clockMs;
    // Below a second it is travel time, not offset.
    this.offsetMs = Math.abs(offset) < 1_000 ? 0 : offset;
    this.trust = 'trusted';
    this.told = true;
  }

  /** A new connection without `clockMs`: whatever was measured before may be gone. */
  forget(): void {
    this.told = false;
    this.offsetMs = 0;
    this.trust = 'unknown';
    this.fitting = 0;
  }

  /**
   * The instant of measurement in gateway time; writes its findings to `out`.
   * `takenAtMs` NaN = not told, `ageMs` NaN = not told.
   */
  place(takenAtMs: number, ageMs: number, flagged: boolean, receivedAtMs: number, out: Placed): void {
    out.doubtful = false;
    out.unplaced = false;
    const ageUsable = ageMs >= 0 && ageMs < longestAgeMs;
    if (takenAtMs !== takenAtMs) {
      out.takenAtMs = ageUsable ? receivedAtMs - ageMs : receivedAtMs;
      out.unplaced = flagged && !ageUsable;
    } else {
      const corrected = takenAtMs + this.offsetMs;
      if (this.believe(corrected, flagged, receivedAtMs)) {
        out.takenAtMs = Math.min(corrected, receivedAtMs);
      } else {
        out.takenAtMs = ageUsable ? receivedAtMs - ageMs : receivedAtMs;
        out.doubtful = true;
        out.unplaced = flagged && !ageUsable;
      }
    }
    out.historical = flagged || receivedAtMs - out.takenAtMs > historicalAfterMs;
  }

  /** Corrects a value's own measuring time; the message's instant when the clock is not believed. */
  placeValue(takenAtMs: number, message: Placed, receivedAtMs: number): number {
    if (message.doubtful || this.trust === 'untrusted') return message.takenAtMs;
    const corrected = takenAtMs + this.offsetMs;
    const age = receivedAtMs - corrected;
    return age >= -futureToleranceMs && age < longestAgeMs
      ? Math.min(corrected, receivedAtMs)
      : message.takenAtMs;
  }

  private believe(corrected: number, flagged: boolean, receivedAtMs: number): boolean {
    const age = receivedAtMs - corrected;
    if (!(age >= -futureToleranceMs && age < longestAgeMs)) {
      this.distrust();
      return false;
    }
    if (flagged) return this.trust === 'trusted';
    const fits = age <= historicalAfterMs;
    if (this.trust === 'trusted') return true;
    if (this.told) return true;
    if (!fits) {
      this.distrust();
      return false;
    }
    // One fitting message is enough for a clock never doubted; three in a row win trust back.
    this.fitting += 1;
    if (this.trust === 'unknown' || this.fitting >= 3) this.trust = 'trusted';
    return this.trust === 'trusted';
  }

  private distrust(): void {
    this.trust = 'untrusted';
    this.fitting = 0;
  }
}

export interface Placed {
  takenAtMs: number;
  historical: boolean;
  /** The sender's time was not believed. */
  doubtful: boolean;
  /** Backlog without a usable time: attributed to nobody, not judged. */
  unplaced: boolean;
}
