/** What the settings of every driver behind the raw lane have in common. */
import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';

/** A whole topic: no wildcard, none of the device contract, none of the broker's own. */
export const ForeignTopicSchema = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^(?!v1/|\\$)[^+#\\u0000]+$',
  description: 'A whole topic, without + or #',
});

/** Who publishes, and where. */
export const foreignSettings = {
  topics: Type.Array(ForeignTopicSchema, {
    default: [],
    maxItems: 32,
    uniqueItems: true,
    description: 'The topics on which it publishes; no other device may have them',
  }),
  sender: Type.Optional(
    Type.Unsafe<string>({
      ...IdSchema,
      description:
        'Id of the registered device that signs in and publishes for this one (a gateway on the ward); without it the device signs in by itself',
    }),
  ),
};

export interface ForeignSettings {
  readonly topics: readonly string[];
  readonly sender?: string;
}
