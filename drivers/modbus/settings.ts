import Type from 'typebox';
import { defineSettings } from '../driver.ts';
import { lineSchema, PortSchema } from '../transport/port.ts';

export const settings = defineSettings({
  name: 'modbus',
  title: 'Any Modbus device described by a map: RTU over serial or a device server, or Modbus TCP',
  metrics: ['*'],
  settings: Type.Object(
    {
      port: PortSchema,
      line: Type.Optional(lineSchema({ baudRate: 9600 })),
      protocol: Type.Union([Type.Literal('tcp'), Type.Literal('rtu')], {
        default: 'tcp',
        description: 'tcp: Modbus TCP; rtu: RTU frames over a serial port or a transparent device server',
      }),
      unit: Type.Integer({ minimum: 0, maximum: 255, default: 1, description: 'Unit id (slave address)' }),
      map: Type.String({ minLength: 1, maxLength: 64, description: 'Name of the map' }),
      timeoutMs: Type.Integer({
        minimum: 20,
        maximum: 30_000,
        default: 1000,
        description: 'A reply later than this is late and never used',
      }),
      lateBoundMs: Type.Integer({
        minimum: 0,
        maximum: 60_000,
        default: 2000,
        description:
          'How long after the timeout a late reply may still come; the unit is not asked meanwhile',
      }),
    },
    { additionalProperties: false },
  ),
});
