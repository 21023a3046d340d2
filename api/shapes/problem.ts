import Type, { type Static } from 'typebox';
import { record } from './shape.ts';

/** RFC 9457. `code` is stable and stands in the fault table; `outcome` is the word of a domain refusal. */
export const ProblemShape = record({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.Optional(Type.String()),
  whatToDo: Type.Optional(Type.String()),
  outcome: Type.Optional(Type.String()),
  /** Which fields of the request, and why. */
  errors: Type.Optional(Type.Array(record({ path: Type.String(), cause: Type.String() }))),
});
export type Problem = Static<typeof ProblemShape>;
