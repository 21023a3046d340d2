import { defineDriver, type DriverHost } from '../driver.ts';
import { openPki, type EndpointAddress } from './client.ts';
import { openEndpoint, type Endpoint } from './endpoint.ts';
import { readMap } from './map.ts';
import { createMonitor } from './monitor.ts';
import { settings } from './settings.ts';

export default defineDriver({
  ...settings,

  checkMap: (name, content) => void readMap(name, content),

  /** Joins the endpoint's one session and subscribes what the map names. Nothing is ever written or called. */
  async open({ device, endpoint, root, map: name, security, user, password }, host) {
    const map = readMap(name, host.map(name));
    const address: EndpointAddress = {
      endpoint,
      security,
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
    };
    const shared = await shareEndpoint(address, map.publishingMs, host);
    const monitor = createMonitor({ device, root, map, host });
    host.link(device, 'searching');
    const { leave } = shared.join(monitor);
    return {
      recovers: true,
      close: async () => {
        monitor.close();
        leave();
      },
    };
  },
});

async function shareEndpoint(
  address: EndpointAddress,
  publishingMs: number,
  host: DriverHost,
): Promise<Endpoint> {
  const pki = await host.share('opcua-pki', async () => {
    const manager = await openPki(host.folder);
    return { value: manager, close: () => manager.dispose() };
  });
  const key = `opcua:${address.endpoint}:${address.security}:${address.user ?? ''}`;
  return host.share(key, async (clock) => {
    const opened = openEndpoint({ address, publishingMs, pki, clock, chance: host.chance });
    return { value: opened, close: () => opened.close() };
  });
}
