import { AttributeIds, makeBrowsePath, StatusCodes, type ClientSession } from 'node-opcua-client';
import { Fault } from '../../model/fault.ts';
import type { Identity } from '../../model/device.ts';
import type { EndpointLink } from './endpoint.ts';
import type { OpcuaMap, OpcuaValue } from './map.ts';
import { ucumOf } from './units.ts';

/** `nsu=URI;s=x` of a map as `ns=3;s=x` of this server, `{root}` filled in. Fault OPCUA_NODE for an unknown URI. */
export function nodeIdOf(node: string, root: string, namespaces: readonly string[]): string {
  const filled = node.replaceAll('{root}', root);
  const match = /^nsu=([^;]+);(.+)$/.exec(filled);
  if (!match) return filled;
  const index = namespaces.indexOf(match[1] ?? '');
  if (index < 0) throw new Fault('OPCUA_NODE', { node: filled });
  return `ns=${index};${match[2] ?? ''}`;
}

/** Who the monitor says it is; fields the map does not name or the server does not answer are absent. */
export async function readIdentity(map: OpcuaMap, root: string, link: EndpointLink): Promise<Identity> {
  const fields = Object.entries(map.identity ?? {});
  if (fields.length === 0) return {};
  const asked = fields.map(([, node]) => ({
    nodeId: nodeIdOf(node, root, link.namespaces),
    attributeId: AttributeIds.Value,
  }));
  const answers = await link.session.read(asked);
  return Object.fromEntries(
    fields.flatMap(([field], index) => {
      const text = textOf(answers[index]?.value?.value);
      return text === undefined ? [] : [[field, text]];
    }),
  );
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  const localized = (value as { text?: unknown } | null | undefined)?.text;
  return typeof localized === 'string' ? localized.trim() || undefined : undefined;
}

/** The unit each variable tells at its EngineeringUnits, in the order of `values`; undefined where it tells none. */
export async function readUnits(
  values: readonly OpcuaValue[],
  nodeIds: readonly string[],
  session: ClientSession,
): Promise<(string | 'unknown' | undefined)[]> {
  const paths = nodeIds.map((nodeId) => makeBrowsePath(nodeId, '.EngineeringUnits'));
  const found = await session.translateBrowsePath(paths);
  const targets = found.map(({ statusCode, targets: list }) =>
    statusCode.equals(StatusCodes.Good) ? list?.[0]?.targetId : undefined,
  );
  const asked = targets.flatMap((nodeId) => (nodeId ? [{ nodeId, attributeId: AttributeIds.Value }] : []));
  const answers = asked.length > 0 ? await session.read(asked) : [];
  let next = 0;
  return values.map((_, index) => {
    if (!targets[index]) return undefined;
    const units: unknown = answers[next++]?.value?.value;
    const { unitId, displayName } = (units ?? {}) as { unitId?: unknown; displayName?: { text?: unknown } };
    if (typeof unitId !== 'number') return undefined;
    return ucumOf({ unitId, displayName: String(displayName?.text ?? '') }) ?? 'unknown';
  });
}
