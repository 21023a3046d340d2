import {
  AttributeIds,
  ClientMonitoredItemGroup,
  DataChangeFilter,
  DataChangeTrigger,
  TimestampsToReturn,
  type DataValue,
} from 'node-opcua-client';
import { Fault } from '../../model/fault.ts';
import type { DriverHost, Emitted } from '../driver.ts';
import type { EndpointLink, EndpointUser } from './endpoint.ts';
import type { OpcuaMap } from './map.ts';
import { nodeIdOf, readIdentity, readUnits } from './nodes.ts';
import { observe } from './observe.ts';

export interface MonitorOptions {
  readonly device: string;
  readonly root: string;
  readonly map: OpcuaMap;
  readonly host: DriverHost;
}

/** One monitor behind an endpoint: what is subscribed for it and what its notifications mean. */
export function createMonitor(options: MonitorOptions): EndpointUser & { close(): void } {
  const { device, root, map, host } = options;
  let closed = false;
  /** The link whose notifications count; those of an older one come too late. */
  let current: EndpointLink | undefined;

  const changed = (link: EndpointLink, index: number, unit: string | undefined, data: DataValue): void => {
    const entry = map.values[index];
    if (closed || current !== link || !entry) return;
    const receivedAtMs = host.clock.nowMs();
    const seen = observe(
      entry,
      {
        value: data.value?.value,
        statusCode: data.statusCode.value,
        sourceAtMs: data.sourceTimestamp?.getTime() ?? data.serverTimestamp?.getTime() ?? null,
      },
      { unit, statusReasons: map.statusReasons, receivedAtMs, clockOffsetMs: link.clockOffsetMs },
    );
    host.count(device, 'frame', 1);
    if (seen.validity !== 'invalid')
      host.state(device, { mode: seen.mark === 'demo' ? 'demo' : 'operating' });
    host.emit(device, { kind: 'observation', ...seen } as Emitted);
  };

  return {
    up: async (link) => {
      if (closed) return;
      current = link;
      host.state(device, { clockMs: host.clock.nowMs() - link.clockOffsetMs });
      const nodeIds = map.values.map(({ node }) => nodeIdOf(node, root, link.namespaces));
      host.identity(device, await readIdentity(map, root, link));
      const units = await readUnits(map.values, nodeIds, link.session);
      if (closed || current !== link) return;
      const group = subscribe(link, nodeIds, map.samplingMs);
      group.on('changed', (_, data, index) => changed(link, index, units[index], data));
      group.on('initialized', () => {
        for (const [index, item] of group.monitoredItems.entries()) {
          if (item.statusCode.isGood()) continue;
          host.link(device, 'searching', new Fault('OPCUA_NODE', { node: nodeIds[index] ?? '' }));
        }
      });
      host.link(device, 'connected');
    },
    down: (fault) => {
      current = undefined;
      if (!closed) host.link(device, 'lost', fault);
    },
    close: () => {
      closed = true;
      current = undefined;
    },
  };
}

/**
 * Told anew also when only the time of measurement moved on: a value that stays the same is otherwise never told again,
 * and would look as if it had stopped.
 */
function subscribe(
  link: EndpointLink,
  nodeIds: readonly string[],
  samplingMs: number,
): ClientMonitoredItemGroup {
  return ClientMonitoredItemGroup.create(
    link.subscription,
    nodeIds.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value })),
    {
      samplingInterval: samplingMs,
      discardOldest: true,
      queueSize: 10,
      filter: new DataChangeFilter({ trigger: DataChangeTrigger.StatusValueTimestamp }),
    },
    TimestampsToReturn.Both,
  );
}
