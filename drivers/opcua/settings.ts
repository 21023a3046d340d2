import Type from 'typebox';
import { defineSettings } from '../driver.ts';

export const settings = defineSettings({
  name: 'opcua',
  title: 'Any OPC UA monitor described by a map: subscriptions, one session an endpoint',
  metrics: ['*'],
  settings: Type.Object(
    {
      endpoint: Type.String({
        pattern: '^opc\\.tcp://[^\\s]+$',
        maxLength: 255,
        description: 'opc.tcp://host:port[/path]',
      }),
      root: Type.String({
        maxLength: 128,
        default: '',
        description: 'Which monitor of the server: what stands for {root} in the map',
      }),
      map: Type.String({ minLength: 1, maxLength: 64, description: 'Name of the map' }),
      security: Type.Union([Type.Literal('None'), Type.Literal('Sign'), Type.Literal('SignAndEncrypt')], {
        default: 'SignAndEncrypt',
        description: 'Message security; None is for closed networks only',
      }),
      user: Type.Optional(Type.String({ maxLength: 128 })),
      password: Type.Optional(Type.String({ maxLength: 256, format: 'password' })),
    },
    { additionalProperties: false },
  ),
});
