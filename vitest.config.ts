import { defineConfig } from 'vitest/config';

const room = (name: string, include: string[], exclude: string[], timeoutMs: number) => ({
  test: {
    name,
    include,
    exclude: ['node_modules/**', ...exclude],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    // Two cores, and tests that start servers of their own: more files at once only makes each slower.
    maxWorkers: 2,
    projects: [
      room('quick', ['test/**/*.test.ts'], ['test/peers/**', 'test/chaos/**', 'test/long/**'], 20_000),
      room('peers', ['test/peers/**/*.test.ts'], [], 120_000),
      room('chaos', ['test/chaos/**/*.test.ts'], [], 300_000),
      room('long', ['test/long/**/*.test.ts'], [], 1_200_000),
    ],
  },
});
