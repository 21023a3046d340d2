import type { StreamMessage, StreamRequest } from '../../../model/stream.ts';
import { after, every, jitter, monotonic, now } from '../clock.ts';
import { heardAt, lookForSilence, startWatching, stopWatching, take, tick } from './ward-state.ts';

const firstPauseMs = 500;
const longestPauseMs = 5_000;
/** Nothing for so long on an open socket: it stalls without closing, and is given up. */
const stalledMs = 7_000;
const beatMs = 2_000;
const silenceLookMs = 250;

export interface StreamClient {
  /** A person signs out: nothing more is watched or shown. */
  close(): void;
  /** The gateway ended the sign-in: the silence goes on being told until somebody signs in again. */
  pause(): void;
  resume(): void;
}

export interface StreamClientOptions {
  readonly audioRuns: () => boolean;
  /** After each failed or ended connection; true: the sign-in still holds, so another is made. */
  readonly mayRetry: () => Promise<boolean>;
}

/** Keeps the page on the gateway's stream: reconnects by itself, resumes from the last seq, beats back. */
export function openStream({ audioRuns, mayRetry }: StreamClientOptions): StreamClient {
  let socket: WebSocket | undefined;
  let last: { epoch: string; seq: number } | undefined;
  let pauseMs = firstPauseMs;
  let openedAt = 0;
  let state: 'running' | 'paused' | 'closed' = 'running';

  const send = (request: StreamRequest): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
  };

  const open = (): void => {
    if (state !== 'running' || socket) return;
    openedAt = monotonic();
    const made = new WebSocket(new URL('/api/v1/stream', location.href.replace(/^http/, 'ws')));
    socket = made;
    made.onopen = () => send({ watch: {}, from: last });
    made.onmessage = (event) => {
      if (made !== socket) return;
      const message = JSON.parse(String(event.data)) as StreamMessage;
      pauseMs = firstPauseMs;
      if (!('seq' in message)) return;
      last = { epoch: message.epoch, seq: message.seq };
      take(message);
    };
    made.onclose = () => {
      if (made === socket) leave();
    };
  };

  /** A stalled socket may take a minute to close: it is left, not waited for. */
  const leave = (): void => {
    const left = socket;
    socket = undefined;
    left?.close();
    after(pauseMs * jitter(), () => void again());
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  };
  const again = async (): Promise<void> => {
    if (state === 'running' && (await mayRetry())) open();
  };

  startWatching();
  const stops = [
    every(silenceLookMs, lookForSilence),
    every(1_000, () => {
      tick.value += 1;
      const silentMs = monotonic() - Math.max(heardAt.value, openedAt);
      if (socket && silentMs > stalledMs) leave();
    }),
    every(beatMs, () => {
      const visible = document.visibilityState === 'visible';
      send({ beat: { visible, wakeLock: false, audio: audioRuns(), nowMs: now() } });
    }),
  ];
  open();
  return {
    close: () => {
      state = 'closed';
      for (const stop of stops) stop();
      socket?.close();
      stopWatching();
    },
    pause: () => {
      state = 'paused';
    },
    resume: () => {
      if (state !== 'paused') return;
      state = 'running';
      open();
    },
  };
}
