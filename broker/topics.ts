import { isId, type DeviceId, type HostId } from '../model/ids.ts';

/**
 * The grammar of every topic (DESIGN section 5). Device first: no patient, bed or person in a topic a device may
 * use. There is no command topic: Vigil only reads.
 */
export const deviceBranches = ['observations', 'waveforms', 'alerts', 'state'] as const;
export type DeviceBranch = (typeof deviceBranches)[number];

/** `config`, `request` and `raw` go down to the host, `reply` and `state` come up. */
export const hostBranches = ['config', 'request', 'reply', 'state', 'raw'] as const;
export type HostBranch = (typeof hostBranches)[number];
export const hostMayPublish: readonly HostBranch[] = ['reply', 'state'];
export const hostMaySubscribe: readonly HostBranch[] = ['config', 'request', 'raw'];

export const deviceTopic = (device: DeviceId, branch: DeviceBranch): string =>
  `v1/device/${device}/${branch}`;
export const hostTopic = (host: HostId, branch: HostBranch): string => `v1/host/${host}/${branch}`;

export type Topic =
  | { readonly kind: 'device'; readonly device: DeviceId; readonly branch: DeviceBranch }
  | { readonly kind: 'host'; readonly host: HostId; readonly branch: HostBranch };

/** Reads a topic name; undefined for whatever is not in the grammar. */
export function parseTopic(name: string): Topic | undefined {
  const parts = name.split('/');
  if (parts.length !== 4 || parts[0] !== 'v1') return undefined;
  const [, kind, id, branch] = parts;
  if (!isId(id)) return undefined;
  if (kind === 'device' && deviceBranches.some((known) => known === branch)) {
    return { kind, device: id, branch: branch as DeviceBranch };
  }
  if (kind === 'host' && hostBranches.some((known) => known === branch)) {
    return { kind, host: id, branch: branch as HostBranch };
  }
  return undefined;
}
