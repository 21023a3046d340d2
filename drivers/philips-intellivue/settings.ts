import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';
import { numericMetrics, waveMetrics } from './metrics.ts';

export const monitorPort = 24_105;

export const settings = defineSettings({
  name: 'philips-intellivue',
  title: 'Philips IntelliVue patient monitors: data export over UDP 24105, or its RS-232 (MIB) port',
  metrics: [...numericMetrics, ...waveMetrics],
  settings: Type.Object(
    {
      peer: Type.Optional(
        Type.Object(
          {
            address: Type.String({
              pattern: '^[0-9A-Fa-f.:]{3,45}$',
              description: 'IP address of the monitor',
            }),
            port: Type.Integer({ minimum: 1, maximum: 65_535, default: monitorPort }),
          },
          { additionalProperties: false, description: 'Over the network; leave `port` out then' },
        ),
      ),
      port: Type.Optional(PortSchema),
      line: Type.Optional(lineSchema({ baudRate: 115_200 })),
      timeZone: Type.Optional(
        Type.String({
          maxLength: 64,
          description:
            'Zone of the monitor clock (Asia/Shanghai or +08:00); given, its error shows in the health',
        }),
      ),
      waves: Type.Boolean({
        default: false,
        description: 'Ask for the waves the monitor exports as it is set',
      }),
      wavePriority: Type.Array(Type.String({ pattern: '^0x[0-9A-Fa-f]{8}$' }), {
        default: [],
        maxItems: 16,
        description:
          'Labels of the waves the monitor shall export (0x00024BB4 pleth). The only thing this driver ever sets on a monitor; empty: nothing is set',
      }),
    },
    { additionalProperties: false },
  ),
});
