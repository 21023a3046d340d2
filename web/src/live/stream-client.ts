import type { StreamMessage, StreamRequest } from '../../../model/stream.ts';
import { after, every, jitter, monotonic, now } from '../clock.ts';
import { heardAt, take, tick } from './ward-state.ts';

const firstPauseMs = 500;
const longestPauseMs = 5_000;
/** Nothing for so long on an open socket: it stalls without closing, and is given up. */
const stalledMs = 7_000;
const beatMs = 2_000;

export interface StreamClient {
  close(): void;
}

/** Keeps the page on the gateway's stream: reconnects by itself, resumes from the last seq, beats back. */
export function openStream(audioRuns: () => boolean): StreamClient {
  let socket: WebSocket | undefined;
  let last: { epoch: string; seq: number } | undefined;
  let pauseMs = firstPauseMs;
  let openedAt = 0;
  let closed = false;

  const send = (request: StreamRequest): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
  };

  const open = (): void => {
    if (closed) return;
    openedAt = monotonic();
    const made = new WebSocket(new URL('/api/v1/stream', location.href.replace(/^http/, 'ws')));
    socket = made;
    made.onopen = () => send({ watch: {}, from: last });
    made.onmessage = (event) => {
      const message = JSON.parse(String(event.data)) as StreamMessage;
      last = { epoch: message.epoch, seq: message.seq };
      pauseMs = firstPauseMs;
      take(message);
    };
    made.onclose = () => {
      if (made !== socket) return;
      socket = undefined;
      after(pauseMs * jitter(), open);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    };
  };

  const stopTick = every(1_000, () => {
    tick.value += 1;
    const silentMs = monotonic() - Math.max(heardAt.value, openedAt);
    if (socket && silentMs > stalledMs) socket.close();
  });
  const stopBeat = every(beatMs, () =>
    send({
      beat: {
        visible: document.visibilityState === 'visible',
        wakeLock: false,
        audio: audioRuns(),
        nowMs: now(),
      },
    }),
  );
  open();
  return {
    close: () => {
      closed = true;
      stopTick();
      stopBeat();
      socket?.close();
    },
  };
}
