/** Where each kind of server is written to and asked. */
import type { ServerSettings } from './settings.ts';

const query = (named: Readonly<Record<string, string | undefined>>): string =>
  String(
    new URLSearchParams(Object.entries(named).filter((one): one is [string, string] => one[1] !== undefined)),
  );

/** Below the server's URL. */
export function writePath({ kind, database, retentionPolicy, org, bucket }: ServerSettings): string {
  switch (kind) {
    case 'influxdb-1':
      return `/write?${query({ db: database, rp: retentionPolicy, precision: 'ns' })}`;
    case 'influxdb-2':
      return `/api/v2/write?${query({ org, bucket, precision: 'ns' })}`;
    case 'influxdb-3':
      return `/api/v2/write?${query({ bucket: database, precision: 'ns' })}`;
    case 'victoriametrics':
      return '/api/v2/write?precision=ms';
    default:
      return kind satisfies never;
  }
}

/** InfluxQL, of all three generations; 2.x finds database and policy by its DBRP mapping. Times come as ms. */
export function askPath({ kind, database, retentionPolicy, bucket }: ServerSettings): string {
  const named = kind === 'influxdb-2' ? (database ?? bucket) : database;
  return `/query?${query({ db: named, rp: retentionPolicy, epoch: 'ms' })}`;
}

/** VictoriaMetrics gives raw points here. */
export const exportPath = '/api/v1/export';
