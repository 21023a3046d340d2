/**
 * Gives a body's memory back at once. Left to the collector, transferred buffers wait for a collection that a
 * thread with a small heap seldom sees, and the process grows by hundreds of megabytes.
 */
export function release(body: Uint8Array): void {
  const { buffer } = body;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
