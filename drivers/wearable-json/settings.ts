import Type, { type Static } from 'typebox';
import { defineSettings } from '../driver.ts';

/** What a word of the sender means. */
export const PropertySchema = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 64, description: 'Reference id or word of the metric' }),
    channel: Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9-]{1,32}$' })),
    unit: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 32,
        description: 'Unit as sent (UCUM); without it the own unit of the metric',
      }),
    ),
  },
  { additionalProperties: false },
);
export type Property = Static<typeof PropertySchema>;

export const settings = defineSettings({
  name: 'wearable-json',
  title:
    'Wearables behind OpenMQTTGateway (JSON of an advertisement) or ESPHome (a state topic for each value)',
  metrics: ['*'],
  settings: Type.Object(
    {
      properties: Type.Record(Type.String({ minLength: 1, maxLength: 64 }), PropertySchema, {
        default: {},
        description:
          'Metric of each word the wearable sends; added to those known (tempc, tempf, hum, batt, spo2, heart_rate)',
      }),
      property: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          description: 'The word of a message that is a bare number, where its topic does not say it',
        }),
      ),
    },
    { additionalProperties: false },
  ),
});
