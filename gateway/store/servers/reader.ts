import { InfluxReader } from './influx-reader.ts';
import type { Reader } from './server-protocol.ts';
import type { ServerSettings } from './settings.ts';
import type { Transport } from './transport.ts';
import { VictoriaReader } from './victoria-reader.ts';

export const createReader = (settings: ServerSettings, transport: Transport): Reader =>
  settings.kind === 'victoriametrics'
    ? new VictoriaReader(settings, transport)
    : new InfluxReader(settings, transport);
