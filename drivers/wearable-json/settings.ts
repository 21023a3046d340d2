import Type, { type Static } from 'typebox';
import { defineSettings } from '../driver.ts';
import { foreignSettings } from '../transport/foreign.ts';
import { sparkplugTopics } from './names.ts';

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

/** One level of a Sparkplug topic. */
const namePart = (description: string) =>
  Type.String({ minLength: 1, maxLength: 64, pattern: '^[^+#/\\u0000]+$', description });

export const settings = defineSettings({
  name: 'wearable-json',
  title:
    'Wearables behind OpenMQTTGateway (JSON of an advertisement), ESPHome (a state topic for each value) or Sparkplug B',
  metrics: ['*'],
  settings: Type.Object(
    {
      ...foreignSettings,
      sparkplug: Type.Optional(
        Type.Object(
          {
            group: namePart('Group id of the edge node'),
            edgeNode: namePart('Edge node id'),
            device: Type.Optional(namePart('Device id; without it the metrics of the edge node itself')),
          },
          {
            additionalProperties: false,
            description: 'The device publishes Sparkplug B: its topics follow from these names',
          },
        ),
      ),
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
  foreign: ({ topics, sender, sparkplug }) => {
    const names = sparkplug ? sparkplugTopics(sparkplug) : { topics: [], shared: [] };
    return {
      topics: [...topics, ...names.topics],
      shared: names.shared,
      ...(sender !== undefined && { sender }),
    };
  },
});
